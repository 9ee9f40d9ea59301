import assert from 'node:assert/strict'
import { systemClock } from '../src/clock.ts'
import { formatMark, parseStamp } from '../src/group/gate/gate.ts'
import { GATE_ANNOTATION, LEADER_ROLE, groupKeys } from '../src/group/keys.ts'
import { Leases } from '../src/kube/objects.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { mostLabelled } from './history.ts'
import { type Scene, isLabelled, stampOf, termOf } from './operator-scene.ts'
import { behavedWell, operatorSuite } from './operator-suite.ts'

const { role } = groupKeys('db')

describe('a bad day: somebody else writes', () => {
  const suite = operatorSuite()
  let scene: Scene
  beforeEach(() => {
    scene = suite.scene
  })

  describe('to a pod', () => {
    it('takes a foreign label off within a second', async () => {
      const leader = await scene.createLed()
      await scene.patchPod('db-1', { labels: { [role]: LEADER_ROLE } })
      await eventually({ what: 'one label again', millis: 1000, intervalMillis: 10 }, async () =>
        isLabelled(await scene.pod('db-1')) ? undefined : true,
      )
      const still = await scene.untilLed('db-0')
      assert.equal(termOf(still), termOf(leader), 'the rightful leader was not touched')
      const stamp = parseStamp(stampOf(await scene.pod('db-1')))
      assert.ok(stamp && stamp.term >= Number(termOf(leader)), 'the other one is barred from this term')
    })

    it('takes off labels that a pod is born with', async () => {
      await scene.createGroup()
      await scene.createPod('db-0')
      await scene.untilLed('db-0')
      await scene.createPod('db-1', { app: 'db', [role]: LEADER_ROLE })
      await scene.untilPod('db-1', 'without the label', (pod) => !isLabelled(pod))
      await scene.untilLed('db-0')
    })

    it('puts the label back that somebody took', async () => {
      const leader = await scene.createLed()
      await scene.patchPod('db-0', { labels: { [role]: null } })
      const again = await scene.untilLed('db-0')
      assert.ok(Number(termOf(again)) >= Number(termOf(leader)))
      assert.ok(BigInt(again.metadata.resourceVersion) > BigInt(leader.metadata.resourceVersion))
      await scene.check(1)
    })
  })

  describe('to the Lease', () => {
    it('keeps the leader under a higher term when it is deleted', async () => {
      const leader = await scene.createLed()
      await scene.deleteLease()
      await untilHigherTerm('db-0', leader)
      await scene.check(2)
    })

    it('has it born anew when its mark cannot be read', async () => {
      const leader = await scene.createLed()
      const before = await scene.lease()
      await scene.patchLease({ metadata: { annotations: { [GATE_ANNOTATION]: null } } })
      await untilHigherTerm('db-0', leader)
      assert.notEqual((await scene.lease())?.metadata.uid, before?.metadata.uid)
      assert.equal(mostLabelled(await scene.observer.history(), 'db'), 1)
    })

    it('takes it back from an elector, each time later than before', async () => {
      const leader = await scene.createLed()
      await scene.patchLease({ spec: { holderIdentity: 'java-client', leaseTransitions: 1 } })
      const second = await untilHigherTerm('db-0', leader)
      const [event] = await scene.untilEvents((all) => all.some(({ reason }) => reason === 'LeaseTakenBack'))
      assert.ok(event)
      const since = systemClock.now()
      await scene.patchLease({ spec: { holderIdentity: 'java-client', leaseTransitions: 1 } })
      await untilHigherTerm('db-0', second)
      const millis = systemClock.now() - since
      assert.ok(millis > 300, `it was taken back again after ${Math.round(millis)} ms`)
      assert.equal(mostLabelled(await scene.observer.history(), 'db'), 1)
    })

    it('does not believe a holder that its mark does not name', async () => {
      const leader = await scene.createLed()
      const { uid } = (await scene.pod('db-1')).metadata
      await scene.patchLease({ spec: { holderIdentity: `db-1_${uid}` } })
      await untilHigherTerm('db-0', leader)
      assert.equal(mostLabelled(await scene.observer.history(), 'db'), 1)
    })

    it('goes on from a forged term that is higher, as from its own', async () => {
      const leader = await scene.createLed()
      const { uid } = (await scene.pod('db-1')).metadata
      const gateUID = (await scene.lease())?.metadata.uid
      const mark = formatMark({ holder: { name: 'db-1', uid }, gateUID, term: 1000 })
      const spec = { holderIdentity: `db-1_${uid}`, leaseTransitions: 1000 }
      await scene.patchLease({ metadata: { annotations: { [GATE_ANNOTATION]: mark } }, spec })
      const next = await untilHigherTerm('db-1', leader)
      assert.ok(Number(termOf(next)) >= 1000)
      assert.equal(mostLabelled(await scene.observer.history(), 'db'), 1)
    })

    it('refuses one that was there first, until it is gone', async () => {
      const lease = must(
        await scene.api.create(Leases, scene.namespace, {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: 'db' },
          spec: { holderIdentity: 'app-7f9', leaseDurationSeconds: 15, leaseTransitions: 3 },
        }),
      )
      await scene.createGroup()
      await scene.createPod('db-0')
      const { message } = await scene.untilCondition('False', 'LeaseHeldByAnother')
      assert.match(message, /held by app-7f9/)
      const events = await scene.untilEvents((all) => all.some(({ reason }) => reason === 'LeaseHeldByAnother'))
      assert.equal(events.at(-1)?.type, 'Warning')
      await scene.untilStatus('one candidate', ({ candidates }) => candidates === 1)
      assert.deepEqual(await scene.leaders(), [])
      assert.deepEqual(await scene.lease(), lease)
      await scene.deleteLease()
      await scene.untilLed('db-0')
    })

    it('uses the one that leaseName says', async () => {
      const spec = { holderIdentity: 'app-7f9', leaseDurationSeconds: 15 }
      const taken = must(await scene.api.create(Leases, scene.namespace, { metadata: { name: 'db' }, spec }))
      await scene.createGroup('db', { leaseName: 'db-leader' })
      await scene.createPod('db-0')
      await scene.untilLed('db-0')
      assert.deepEqual(await scene.lease(), taken)
      await scene.check(1, 'db')
    })
  })

  behavedWell(suite, { writes: 40 })

  async function untilHigherTerm(name: string, than: Parameters<typeof termOf>[0]): ReturnType<Scene['untilLed']> {
    return eventually({ what: `${name} leads in a term above ${termOf(than)}` }, async () => {
      const [leader, ...others] = await scene.leaders()
      const isIt = leader?.metadata.name === name && Number(termOf(leader)) > Number(termOf(than))
      return isIt && others.length === 0 ? scene.untilLed(name) : undefined
    })
  }
})
