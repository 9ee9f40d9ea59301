import assert from 'node:assert/strict'
import { formatStamp, parseStamp } from '../src/group/gate/gate.ts'
import { LEADER_ROLE, groupKeys } from '../src/group/keys.ts'
import { Pods } from '../src/kube/objects.ts'
import { Namespaces } from './controlplane/cluster.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { mostLabelled, mostLabelledByOperators } from './history.ts'
import { playKubelet } from './kubelet.ts'
import { COLLECTION_MILLIS, type Scene, isLabelled, readyOf, stampOf, termOf } from './operator-scene.ts'
import { behavedWell, tappedSuite } from './operator-suite.ts'
import type { TappedWrite } from './tap.ts'

const { role, sealed } = groupKeys('db')

/** The steps of a failover from a leader that is not ready, in their order. */
const STEPS = ['seal', 'gate', 'label'] as const
type Step = (typeof STEPS)[number]

describe('a bad day: somebody interferes', () => {
  const suite = tappedSuite()
  let scene: Scene
  beforeEach(() => {
    scene = suite.scene
  })

  /** The leader db-0 is not ready any more; `act` runs when this step has taken effect, and the operator waits for it. */
  async function failOver(after: Step, act: () => Promise<unknown>): Promise<void> {
    const acted = Promise.withResolvers<unknown>()
    suite.tap.onWrite = async (write) => {
      if (stepOf(write) !== after) return
      suite.tap.onWrite = () => Promise.resolve()
      await act().then(acted.resolve, acted.reject)
    }
    await scene.setReady('db-0', false)
    await acted.promise
  }

  function stepOf({ method, resource, name, body }: TappedWrite): Step | undefined {
    if (method === 'PUT' && resource === 'leases') return 'gate'
    if (method !== 'PATCH' || resource !== 'pods') return undefined
    return name === 'db-0' ? 'seal' : body.includes(`"${role}":"${LEADER_ROLE}"`) ? 'label' : undefined
  }

  describe('with a seal', () => {
    const EDITS: readonly (readonly [string, (stamp: string) => string | null])[] = [
      ['takes it off', () => null],
      ['makes it unreadable', () => 'x'],
      ['puts it under another gate', (stamp) => formatStamp({ gateUID: 'other', term: parseStamp(stamp)!.term })],
      ['turns it back', (stamp) => formatStamp({ gateUID: parseStamp(stamp)!.gateUID, term: 0 })],
      ['puts it far ahead', (stamp) => formatStamp({ gateUID: parseStamp(stamp)!.gateUID, term: 2 ** 40 })],
    ]

    it('in whatever way: nobody leads in a term that was over, and terms grow on', async () => {
      let leader = await scene.createLed(['db-0', 'db-1'])
      for (const [how, edit] of EDITS) {
        const other = leader.metadata.name === 'db-0' ? 'db-1' : 'db-0'
        // Each of them has led by then: its seal bars it from a term that there was.
        for (const name of [other, leader.metadata.name]) {
          const stamp = edit(stampOf(await scene.pod(name)) ?? '')
          await scene.patchPod(name, { annotations: { [sealed]: stamp } })
        }
        await scene.setReady(leader.metadata.name, false)
        const next = await scene.untilLed(other)
        assert.ok(Number(termOf(next)) > Number(termOf(leader)), how)
        await scene.setReady(leader.metadata.name, true)
        await scene.untilStatus('two eligible pods', ({ eligible }) => eligible === 2)
        leader = next
      }
      await scene.check(EDITS.length + 1)
    })

    it('in the middle of a failover: the old leader does not lead again', async () => {
      await scene.createLed()
      await failOver('seal', () => scene.patchPod('db-0', { annotations: { [sealed]: null } }))
      await scene.untilLed('db-1')
      await scene.check(2)
    })
  })

  describe('with a label', () => {
    for (const step of STEPS) {
      it(`after the ${step} of a failover: on a wrong pod it is gone within a second`, async () => {
        await scene.createLed(['db-0', 'db-1', 'db-2'])
        await failOver(step, () => scene.patchPod('db-2', { labels: { [role]: LEADER_ROLE } }))
        await untilBare('db-2')
        await scene.untilLed('db-1')
        assert.equal(mostLabelledByOperators(await scene.observer.history(), 'db'), 1)
      })
    }

    it('which it takes off in the middle of a failover: it comes back under a new term', async () => {
      await scene.createLed()
      await failOver('label', () => scene.patchPod('db-1', { labels: { [role]: null } }))
      const leader = await scene.untilLed('db-1')
      assert.ok(Number(termOf(leader)) > 2)
      await scene.check(2)
    })
  })

  describe('with the Lease', () => {
    for (const step of STEPS) {
      it(`which it takes over after the ${step} of a failover`, async () => {
        await scene.createLed()
        await failOver(step, () => scene.patchLease({ spec: { holderIdentity: 'java-client', leaseTransitions: 1 } }))
        await scene.untilLed('db-1')
        assert.equal(mostLabelled(await scene.observer.history(), 'db'), 1)
        await scene.untilEvents((all) => all.some(({ reason }) => reason === 'LeaseTakenBack'))
      })

      it(`which it deletes after the ${step} of a failover`, async () => {
        await scene.createLed()
        await failOver(step, () => scene.deleteLease())
        await scene.untilLed('db-1')
        await scene.check(2)
      })
    }

    it('which it deletes again and again: it comes back later each time, and the condition says so', async () => {
      const leader = await scene.createLed()
      const message = await eventually({ what: 'the condition LeaseDeleted', millis: 30_000 }, async () => {
        const led = await scene.led()
        const lease = await scene.lease()
        if (led && lease) await scene.deleteLease()
        const ready = readyOf(await scene.group())
        return ready?.reason === 'LeaseDeleted' ? ready.message : undefined
      })
      assert.match(message, /deletes the Lease again and again: waiting before it is made anew\. Find out who/)
      assert.ok(isLabelled(await scene.pod('db-0')), 'who bears the label keeps it')
      await scene.patchPod('db-1', { labels: { [role]: LEADER_ROLE } })
      await untilBare('db-1')
      const again = await scene.untilLed('db-0')
      assert.ok(Number(termOf(again)) > Number(termOf(leader)))
      assert.equal(mostLabelledByOperators(await scene.observer.history(), 'db'), 1)
    })
  })

  describe('with a group', () => {
    for (const step of STEPS) {
      it(`which it deletes and creates again after the ${step} of a failover`, async () => {
        await scene.createLed()
        await failOver(step, async () => {
          await scene.deleteGroup()
          await scene.createGroup()
        })
        await scene.untilLed('db-1', 'db', COLLECTION_MILLIS)
        assert.equal(mostLabelled(await scene.observer.history(), 'db'), 1)
      })
    }
  })

  describe('with a pod', () => {
    for (const step of ['seal', 'gate'] as const) {
      it(`the next leader, recreated under its name after the ${step}: another UID is another candidate`, async () => {
        await scene.createLed()
        const { uid } = (await scene.pod('db-1')).metadata
        await failOver(step, async () => {
          await scene.deletePod('db-1', 0)
          await scene.createPod('db-1')
        })
        const leader = await scene.untilLed('db-1')
        assert.notEqual(leader.metadata.uid, uid)
        await scene.check(2)
      })
    }
  })

  it('who deletes the namespace: the keys come off, and nothing holds it up', async () => {
    const { api, namespace } = scene
    await scene.createLed(['db-0', 'db-1'], { services: [{ name: 'db', role: 'Leader', ports: [{ port: 5432 }] }] })
    await scene.untilBehind('db', 'db-0')
    must(await api.delete(Namespaces, { name: namespace }))
    const stop = new AbortController()
    const playing = playKubelet(api, { namespaces: [namespace], signal: stop.signal })
    await eventually({ what: `the end of ${namespace}`, millis: COLLECTION_MILLIS }, async () =>
      (await api.get(Namespaces, { name: namespace })).kind === 'notFound' ? true : undefined,
    )
    stop.abort()
    await playing
    assert.deepEqual(must(await api.list(Pods, { namespace })).items, [])
    assert.equal(mostLabelled(await scene.observer.history(), 'db'), 1)
  })

  behavedWell(suite, { writes: 100 })

  function untilBare(name: string): Promise<true> {
    return eventually({ what: `${name} without the label`, millis: 1000, intervalMillis: 10 }, async () =>
      isLabelled(await scene.pod(name)) ? undefined : true,
    )
  }
})
