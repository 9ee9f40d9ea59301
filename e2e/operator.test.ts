import assert from 'node:assert/strict'
import { systemClock } from '../src/clock.ts'
import { formatMark } from '../src/group/gate/gate.ts'
import { GATE_ANNOTATION, INELIGIBLE_ANNOTATION, MODE_ANNOTATION } from '../src/group/keys.ts'
import { eventually } from './controlplane/eventually.ts'
import { playKubelet } from './kubelet.ts'
import { succeed } from './kubectl.ts'
import { type Scene, isLabelled, keysOn, readyOf, termOf } from './operator-scene.ts'
import { behavedWell, operatorSuite } from './operator-suite.ts'

describe('the operator on a real control plane', () => {
  const suite = operatorSuite()
  let scene: Scene
  beforeEach(() => {
    scene = suite.scene
  })

  describe('elects one pod', () => {
    it('and label, Lease and status say the same', async () => {
      const leader = await scene.createLed(['db-0', 'db-1', 'db-2'])
      const term = Number(termOf(leader))
      const lease = await scene.lease()
      const group = await scene.group()
      assert.equal(leader.metadata.name, 'db-0')
      assert.equal(lease?.spec?.leaseDurationSeconds, 2147483647)
      assert.equal(lease.spec.leaseTransitions, term)
      assert.equal(lease.metadata.annotations?.[MODE_ANNOTATION], 'Assign')
      const mark = formatMark({ holder: leader.metadata, gateUID: lease.metadata.uid, term })
      assert.equal(lease.metadata.annotations[GATE_ANNOTATION], mark)
      assert.deepEqual(
        lease.metadata.ownerReferences?.map((owner) => [owner.uid, owner.blockOwnerDeletion]),
        [[group.metadata.uid, undefined]],
      )
      const { status } = await scene.untilStatus('three candidates', ({ eligible }) => eligible === 3)
      assert.equal(status?.candidates, 3)
      assert.equal(status.acquireTime, lease.spec.acquireTime)
      assert.equal(status.observedGeneration, 1)
      assert.deepEqual(
        status.history?.map(({ holder, term, endTime }) => [holder, term, endTime]),
        [['db-0', term, undefined]],
      )
      await scene.check(1)
    })

    it('and kubectl shows it', async () => {
      await scene.createLed()
      // Counts alone are written at most once a second.
      await scene.untilStatus('two candidates', ({ candidates }) => candidates === 2)
      const { namespace } = scene
      const conditions = ['wait', '-n', namespace, 'lg/db', '--for=condition=Ready', '--timeout=10s']
      assert.match(await succeed(conditions), /condition met/)
      const [header = '', row = ''] = (await succeed(['get', '-n', namespace, 'lg'])).split('\n')
      assert.deepEqual(header.split(/\s+/).slice(0, 6), ['NAME', 'HOLDER', 'TRANSITIONS', 'READY', 'SINCE', 'AGE'])
      assert.match(row, /^db\s+db-0\s+\d+\s+True\s+\S+\s+\S+\s*$/)
      const wide = (await succeed(['get', '-n', namespace, 'lg', '-o', 'wide'])).split('\n')
      assert.match(wide[0] ?? '', /MODE\s+LEASE\s+CANDIDATES/)
      assert.match(wide[1] ?? '', /Assign\s+db\s+2\s*$/)
      await scene.untilEvents((events) => events.some(({ reason }) => reason === 'LeaderElected'))
      assert.match(await succeed(['get', 'events', '-n', namespace]), /LeaderElected\s+leadergroup\/db\s+db-0 leads/)
    })

    it('or says why there is none', async () => {
      await scene.createGroup()
      await scene.untilCondition('False', 'NoPods')
      await scene.createPod('db-0', { app: 'db' }, false)
      await scene.untilCondition('False', 'NoEligiblePod')
      await scene.untilStatus('the census', (status) => readyOf({ status })?.message.includes('1 not ready') ?? false)
      await scene.setReady('db-0', true)
      await scene.untilLed('db-0')
    })
  })

  describe('chooses another pod when the leader', () => {
    it('is deleted, before it has ended', async () => {
      await scene.createLed()
      // With nobody to play the kubelet the pod stays in Terminating.
      await scene.deletePod('db-0', 30)
      await scene.untilLed('db-1')
      assert.equal(isLabelled(await scene.pod('db-0')), false)
      await scene.untilEnded('PodTerminating')
      await scene.check(2)
    })

    it('is deleted, with a kubelet that lets it go', async () => {
      await scene.createLed()
      const stop = new AbortController()
      const playing = playKubelet(scene.api, { namespaces: [scene.namespace], signal: stop.signal })
      await scene.deletePod('db-0')
      await scene.untilLed('db-1')
      await eventually({ what: 'the end of db-0' }, async () => ((await scene.pods()).length === 1 ? true : undefined))
      stop.abort()
      await playing
      await scene.check(2)
    })

    it('is gone at once', async () => {
      await scene.createLed()
      await scene.deletePod('db-0', 0)
      await scene.untilLed('db-1')
      await scene.untilEnded('PodDeleted')
      await scene.check(2)
    })

    it('is deleted by force, but held by a finalizer', async () => {
      await scene.createLed()
      await scene.patchPod('db-0', { finalizers: ['example.com/hold'] })
      await scene.deletePod('db-0', 0)
      await scene.untilLed('db-1')
      assert.equal(isLabelled(await scene.pod('db-0')), false)
      await scene.patchPod('db-0', { finalizers: null })
      await scene.check(2)
    })

    it('is gone and comes back under its name: another UID is another candidate', async () => {
      const first = await scene.createLed(['db-0'])
      await scene.deletePod('db-0', 0)
      await scene.createPod('db-0')
      const second = await scene.untilLed('db-0')
      assert.notEqual(second.metadata.uid, first.metadata.uid)
      assert.ok(Number(termOf(second)) > Number(termOf(first)))
      await scene.check(2)
    })

    it('is not ready any more, and does not give it back', async () => {
      await scene.createLed()
      await scene.setReady('db-0', false)
      const second = await scene.untilLed('db-1')
      await scene.untilEnded('PodNotReady')
      await scene.setReady('db-0', true)
      await scene.untilStatus('two eligible pods', ({ eligible }) => eligible === 2)
      const still = await scene.untilLed('db-1')
      assert.equal(termOf(still), termOf(second))
      await scene.check(2)
    })

    it('is annotated as ineligible', async () => {
      await scene.createLed()
      await scene.patchPod('db-0', { annotations: { [INELIGIBLE_ANNOTATION]: 'true' } })
      await scene.untilLed('db-1')
      await scene.untilEnded('PodExcluded')
      await scene.check(2)
    })

    it('is not selected any more, and nothing stays on it', async () => {
      await scene.createLed()
      await scene.patchPod('db-0', { labels: { app: 'other' } })
      await scene.untilLed('db-1')
      await scene.untilPod('db-0', 'bare', (pod) => keysOn(pod).length === 0)
      await scene.untilEnded('PodNotSelected')
      await scene.check(2)
    })
  })

  describe('leaves the leader where it is', () => {
    it('for notReadySeconds', async () => {
      await scene.createLed(['db-0', 'db-1'], { failover: { notReadySeconds: 2 } })
      const since = systemClock.now()
      await scene.setReady('db-0', false)
      await scene.untilStatus('one eligible pod', ({ eligible }) => eligible === 1)
      assert.equal(isLabelled(await scene.pod('db-0')), true)
      assert.equal(readyOf(await scene.group())?.reason, 'LeaderElected')
      await scene.untilLed('db-1')
      const millis = systemClock.now() - since
      assert.ok(millis >= 2000, `it waited ${millis} ms`)
      await scene.check(2)
    })

    it('while no other pod can lead', async () => {
      const leader = await scene.createLed(['db-0'])
      await scene.setReady('db-0', false)
      await scene.untilCondition('False', 'NoEligiblePod')
      await scene.setReady('db-0', true)
      await scene.untilCondition('True', 'LeaderElected')
      assert.equal(termOf(await scene.untilLed('db-0')), termOf(leader))
    })

    it('while the group is paused', async () => {
      await scene.createLed()
      await scene.patchGroup({ paused: true })
      await scene.untilCondition('True', 'Paused')
      await scene.untilLed('db-0')
      await scene.deletePod('db-0', 0)
      await scene.untilCondition('False', 'Paused')
      assert.deepEqual(await scene.leaders(), [])
      assert.equal((await scene.group()).status?.holder, undefined)
      await scene.patchGroup({ paused: false })
      await scene.untilLed('db-1')
      await scene.check(2)
    })
  })

  behavedWell(suite, { writes: 50 })
})
