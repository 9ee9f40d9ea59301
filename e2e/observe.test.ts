import assert from 'node:assert/strict'
import type { Lease } from '../src/kube/objects.ts'
import { monotonicMillis } from './candidates/line.ts'
import { needsClientGo } from './candidates/needs-go.ts'
import { crashLoopingContainer, endedContainer, restartedContainer } from './container-status.ts'
import { must } from './controlplane/must.ts'
import { FollowedGroup, LASTING, type Member } from './followed-group.ts'
import { setNodeReady, taintOutOfService } from './nodes.ts'
import { observeSuite, observedWell } from './observe-suite.ts'
import { isLabelled } from './operator-scene.ts'
import { ensureNode, patchStatus, podAddress, showContainers } from './pods.ts'
import { together } from './together.ts'

const OURS = { kind: 'leadergroup' } as const
const RELEASE = { failover: { releaseDeadHolder: true } }

describe('a group in mode Observe on a real control plane', () => {
  const suite = observeSuite()
  const group = (name: string): FollowedGroup => new FollowedGroup(suite, name)

  describe('follows programs that elect', () => {
    before(async function () {
      await needsClientGo(this)
    })

    together({
      'from the first acquisition on, and says who leads': async () => {
        const it = await group('first').create()
        await it.untilSaid('False', 'NoPods')
        await it.createPod()
        await it.untilSaid('False', 'LeaseMissing', /first-lock/)
        const leader = await it.led({ timing: LASTING }, [{ timing: LASTING }, { ...OURS, timing: LASTING }])
        await it.untilSaid('True', 'LeaderElected')
        const lease = await it.lease()
        const { status } = await it.group()
        assert.equal(status?.holder, leader.pod.metadata.name)
        assert.equal(status.holderUID, leader.pod.metadata.uid)
        assert.equal(status.holderIdentity, lease.spec?.holderIdentity)
        assert.equal(status.acquireTime, lease.spec?.acquireTime)
        assert.equal(status.transitions, lease.spec?.leaseTransitions)
        assert.equal(status.leaseName, it.leaseName)
        assert.equal(status.candidates, 4)
        assert.deepEqual((await it.check()).leaders, [leader.pod.metadata.name])
      },

      'that were there before it': async () => {
        const it = group('late')
        const { pod, candidate } = await it.join()
        await candidate.says('leading')
        await it.create()
        await it.untilLed(pod)
        await it.check()
      },

      'through a graceful hand-over, and another': async () => {
        const it = await group('handover').create()
        const first = await it.led({ timing: LASTING }, [{ ...OURS, timing: LASTING }, { timing: LASTING }])
        await it.leave(first)
        const second = await it.untilNext(first)
        await it.leave(second)
        const third = await it.untilNext(first, second)
        const { leaders } = await it.check()
        assert.deepEqual(
          leaders,
          [first, second, third].map(({ pod }) => pod.metadata.name),
        )
      },

      'through a crash, once the Lease has expired': async () => {
        const it = await group('crash').create()
        const first = await it.led({}, [{}, OURS])
        await first.candidate.kill()
        const second = await it.untilNext(first)
        const { leaders } = await it.check()
        assert.deepEqual(leaders, [first.pod.metadata.name, second.pod.metadata.name])
      },

      'when the only one crashes and comes back': async () => {
        const it = await group('alone').create()
        const { pod, candidate } = await it.led({}, [])
        const term = await it.untilLed(pod)
        await candidate.kill()
        await it.untilSaid('False', 'LeaseExpired')
        assert.equal((await it.group()).status?.holder, undefined)
        await it.contend(pod)
        const again = await it.untilLed(pod)
        assert.ok(again > term, `term ${again} comes after term ${term}`)
        await it.check()
      },

      'when the holder’s pod is terminating, for as long as it holds': async () => {
        const it = await group('terminating').create()
        const first = await it.led({ timing: LASTING }, [{ timing: LASTING }])
        // With nobody to play the kubelet the pod stays.
        await it.deletePod(first, 30)
        await it.passed()
        assert.equal(isLabelled(await suite.scene.pod(first.pod.metadata.name), it.name), true)
        await it.leave(first)
        await it.untilNext(first)
        await it.check()
      },

      'when the Lease is deleted under its holder': async () => {
        const it = await group('deleted').create()
        // Alone: a client-go leader goes on for its whole renew deadline when another one makes the Lease anew.
        const { pod, candidate } = await it.led({ timing: LASTING }, [])
        const term = await it.untilLed(pod)
        const { metadata } = await it.lease()
        await suite.scene.deleteLease(it.leaseName)
        const what = 'the same holder on another Lease, in another term'
        await suite.scene.untilStatus(what, (status) => status.holder !== undefined && status.term! > term, it.name)
        await it.untilLed(pod)
        assert.notEqual((await it.lease()).metadata.uid, metadata.uid)
        assert.equal(candidate.terms.length, 1)
        await it.check()
      },

      'but not on the Lease of another group': async () => {
        const labels = { app: 'taken' }
        await suite.scene.createGroup('taken')
        await suite.scene.createPod('taken-0', labels)
        await suite.scene.untilLed('taken-0', 'taken')
        const spec = { mode: 'Observe', leaseName: 'taken', selector: { matchLabels: labels } }
        await suite.scene.createGroup('taking', spec)
        const { message } = await suite.scene.untilCondition('False', 'LeaseHeldByAnother', 'taking')
        assert.match(message, /taken/)
        assert.deepEqual(await suite.scene.leaders('taking'), [])
        await suite.scene.untilLed('taken-0', 'taken')
      },
    })
  })

  describe('when the holder has died', () => {
    before(async function () {
      await needsClientGo(this)
    })

    together({
      'empties the Lease when the electing container is started again': async () => {
        const it = await group('restarted').create(RELEASE)
        const spec = {
          containers: ['app', 'other'],
          annotations: { 'leadergroup.io/elector-container': 'app' },
        }
        const first = await it.led({ timing: LASTING }, [{ timing: LASTING }, { ...OURS, timing: LASTING }], spec)
        const metadata = { labels: { team: 'storage' }, annotations: { 'example.com/note': 'ours' } }
        await suite.scene.patchLease({ metadata }, it.leaseName)
        const end = await it.crash(first)
        const shown = monotonicMillis()
        await showContainers(suite.scene.api, first.pod, restartedContainer('app', end))
        await released(it, first, shown)
        const { labels, annotations } = (await it.lease()).metadata
        assert.deepEqual({ labels, annotations }, metadata)
      },

      'empties the Lease when all containers have ended, sidecars too': async () => {
        const it = await group('ended').create(RELEASE)
        const spec = { containers: ['app', 'other'], sidecars: ['proxy'] }
        const first = await it.led({ timing: LASTING, identity: 'ended-0' }, [{ timing: LASTING }], spec)
        const end = await it.crash(first)
        const shown = monotonicMillis()
        await showContainers(
          suite.scene.api,
          first.pod,
          endedContainer('app', end),
          restartedContainer('other', end),
          crashLoopingContainer('proxy', end),
        )
        await released(it, first, shown)
      },

      'empties the Lease when its node is out of service': async () => {
        const node = `${suite.scene.namespace}-node`
        await ensureNode(suite.scene.api, node)
        const it = await group('machine').create(RELEASE)
        const first = await it.led({ timing: LASTING }, [{ timing: LASTING }], { node })
        await first.candidate.kill()
        await setNodeReady(suite.scene.api, node, 'Unknown')
        const lease = await it.lease()
        await it.stays(first, lease)
        const shown = monotonicMillis()
        await taintOutOfService(suite.scene.api, node)
        await released(it, first, shown)
      },

      'only takes the label off when it is not told to release': async () => {
        const it = await group('kept').create()
        const first = await it.led({ timing: LASTING }, [])
        const term = await it.untilLed(first.pod)
        const end = await it.crash(first)
        await showContainers(suite.scene.api, first.pod, restartedContainer('main', end))
        await deadButHeld(it, end.lease)
        // The new process has the old one's identity, so it finds itself to be the holder.
        await it.contend(first.pod, { timing: LASTING })
        const again = await it.untilLed(first.pod)
        assert.ok(again > term, `term ${again} comes after term ${term}`)
        assert.deepEqual((await it.check()).emptied, [])
      },

      'takes the label off but leaves the Lease when it ended in the second of its last renewal': async () => {
        const it = await group('second').create(RELEASE)
        const first = await it.led({ timing: LASTING }, [{ timing: LASTING }])
        const { lease } = await it.crash(first)
        const end = { wallMillis: Date.parse(lease.spec!.renewTime!) }
        await showContainers(suite.scene.api, first.pod, endedContainer('main', end))
        await deadButHeld(it, lease)
      },

      'takes the label off but leaves the Lease when the holder is an IP': async () => {
        const it = await group('address').create(RELEASE)
        const identity = podAddress(suite.scene.namespace, 'address-0')
        const first = await it.led({ timing: LASTING, identity }, [{ timing: LASTING }])
        const end = await it.crash(first)
        await showContainers(suite.scene.api, first.pod, endedContainer('main', end))
        await deadButHeld(it, end.lease)
      },

      'waits for the expiry when its pod was deleted by force': async () => {
        const it = await group('forced').create(RELEASE)
        const first = await it.led({}, [{}])
        await first.candidate.kill()
        await it.deletePod(first, 0)
        const next = await it.untilNext(first)
        const { leaders, emptied } = await it.check()
        assert.deepEqual(leaders, [first.pod.metadata.name, next.pod.metadata.name])
        assert.deepEqual(emptied, [])
      },

      'keeps the label when the pod is only said to have failed': async () => {
        const it = await group('failed').create(RELEASE)
        const first = await it.led({ timing: LASTING }, [{ timing: LASTING }])
        const { lease } = await it.crash(first)
        must(await patchStatus(suite.scene.api, first.pod, { phase: 'Failed', reason: 'NodeLost' }))
        await it.stays(first, lease)
        assert.deepEqual((await it.check()).emptied, [])
      },

      'keeps the label when the pod is not ready': async () => {
        const it = await group('unready').create(RELEASE)
        const first = await it.led({ timing: LASTING }, [{ timing: LASTING }])
        const { lease } = await it.crash(first)
        await suite.scene.setReady(first.pod.metadata.name, false)
        await it.stays(first, lease)
        assert.deepEqual((await it.check()).emptied, [])
      },

      'keeps the label when the kubelet does not know how the container ended': async () => {
        const it = await group('unknown').create(RELEASE)
        const first = await it.led({ timing: LASTING }, [{ timing: LASTING }])
        const end = await it.crash(first)
        const invented = { ...end, reason: 'ContainerStatusUnknown' }
        await showContainers(suite.scene.api, first.pod, endedContainer('main', invented))
        await it.stays(first, end.lease)
        assert.deepEqual((await it.check()).emptied, [])
      },

      'keeps the label when a sidecar lives on, for that could be the elector': async () => {
        const it = await group('sidecar').create(RELEASE)
        const first = await it.led({ timing: LASTING }, [{ timing: LASTING }], { sidecars: ['proxy'] })
        const end = await it.crash(first)
        await showContainers(suite.scene.api, first.pod, restartedContainer('main', end))
        await it.stays(first, end.lease)
        assert.deepEqual((await it.check()).emptied, [])
      },

      'keeps the label when its successor has renewed before the end was shown': async () => {
        const it = await group('renewed').create(RELEASE)
        const first = await it.led({ timing: LASTING }, [{ timing: LASTING }])
        const end = await it.crash(first)
        const again = await it.contend(first.pod, { timing: LASTING })
        await again.candidate.says('leading')
        await showContainers(suite.scene.api, first.pod, restartedContainer('main', end))
        await it.passed()
        await it.untilLed(first.pod)
        assert.equal(again.candidate.isLeading, true)
        const { leaders, emptied } = await it.check()
        assert.deepEqual(leaders, [first.pod.metadata.name], 'the label was never off')
        assert.deepEqual(emptied, [])
      },
    })
  })

  /** Nobody waited for the end of the Lease, and nothing but the holder was taken from it. */
  async function released(it: FollowedGroup, dead: Member, shownMillis: number): Promise<void> {
    const next = await it.untilNext(dead)
    const { fromMillis } = next.candidate.terms[0]!
    console.log(`      ${it.name}: the next led ${Math.round(fromMillis - shownMillis)} ms after the end was shown`)
    const { leaders, emptied } = await it.check()
    assert.deepEqual(leaders, [dead.pod.metadata.name, next.pod.metadata.name])
    assert.deepEqual(emptied, [dead.candidate.identity])
  }

  /** The label is off, and the Lease is left to expire. */
  async function deadButHeld(it: FollowedGroup, lease: Lease): Promise<void> {
    await it.untilSaid('False', 'HolderDead')
    await it.passed()
    await it.isUntouched(lease)
    assert.deepEqual((await it.check()).emptied, [])
  }

  observedWell(suite, { writes: 80 })
})
