import assert from 'node:assert/strict'
import { readyCondition } from './conditions.ts'
import type { LeaderGroupCondition } from './leadergroup.ts'
import type { GroupObservation, ObservedLease, ObservedPod } from './observation.ts'
import { GROUP_UID, NOW, bornLease, group, heldLease, leading, observation, pod, type GroupChange } from './fixtures.ts'
import { leaseGate } from './gate/lease-gate.ts'

interface World {
  readonly group?: GroupChange
  /** Null: there is none. */
  readonly lease?: ObservedLease | null
  readonly leader?: ObservedPod
  readonly pods?: readonly ObservedPod[]
  readonly fault?: GroupObservation['memory']['fault']
}

const WHY = 'the reason of the election'
const leader = pod('db-0', leading(4))
const unready = { ...leader, ready: false, notReadySince: NOW.monotonic - 4000 }
const paused: GroupChange = { spec: { paused: true } }
const patient = (notReadySeconds: number): GroupChange => ({ spec: { failover: { notReadySeconds } } })
const forbidden = { urgent: true, forbidden: true, message: 'pods is forbidden: X cannot patch resource "pods"' }
const NEW: GroupChange = { status: undefined }
const taken = heldLease('db-0', 4, { holderIdentity: 'java-client' })
const born = (name: string, bornLabelled: string): ObservedPod => pod(name, { bornLabelled })
const OTHER = { ...born('x', 'Pod x'), selected: false }
const foreign = bornLease({ ownerUID: undefined, ownerName: undefined, holderIdentity: 'app-7f' })

function condition({ lease = heldLease('db-0', 4), leader, pods, fault, ...world }: World): LeaderGroupCondition {
  const { memory } = observation()
  const o = observation({ pods: pods ?? (leader ? [leader] : []), memory: { ...memory, fault } })
  return readyCondition(o, group(world.group), leaseGate(lease ?? undefined, GROUP_UID), leader, { reason: WHY }, NOW)
}

type Row = readonly [what: string, world: World, status: string, reason: string, message?: RegExp]

const ROWS: readonly Row[] = [
  ['a leader that can lead', { leader }, 'True', 'LeaderElected', /^the reason of the election$/],
  ['a leader while paused', { leader, group: paused }, 'True', 'Paused', /if it goes, no new leader is chosen/],
  ['a leader that is not ready', { leader: unready }, 'False', 'NoEligiblePod', /1 pod: 1 not ready$/],
  [
    'pods of a template with the label, and a leader',
    { leader, pods: [leader, born('b', 'ReplicaSet db-7'), born('c', 'ReplicaSet db-7'), born('d', 'Pod d')] },
    'True',
    'LeaderElected',
    /\. Pods are born with the label db\.leadergroup\.io\/role, .* remove it from the template of Pod d, ReplicaSet db-7$/,
  ],
  ['a pod of another kind with the label', { leader, pods: [leader, OTHER] }, 'True', 'LeaderElected', /election$/],
  ['one that is given time', { leader: unready, group: patient(5) }, 'True', 'LeaderElected'],
  ['one whose time is over', { leader: unready, group: patient(4) }, 'False', 'NoEligiblePod'],
  ['one that terminates', { leader: { ...unready, terminating: true }, group: patient(9) }, 'False', 'NoEligiblePod'],
  ['an unready leader while paused', { leader: unready, group: paused }, 'False', 'Paused', /set spec.paused to false/],
  [
    'nobody, with pods',
    { pods: [pod('a', { ready: false }), pod('b', { phase: 'Pending' }), pod('c', { ready: false })] },
    'False',
    'NoEligiblePod',
    /3 pods: 2 not ready, 1 not running$/,
  ],
  ['nobody, though one could', { pods: [pod('a')] }, 'False', 'NoEligiblePod', /1 pod: 1 eligible$/],
  ['no pods', {}, 'False', 'NoPods', /The selector matches no pod/],
  ['no pods that are selected', { pods: [pod('a', { selected: false })] }, 'False', 'NoPods'],
  ['no pods while paused', { group: paused }, 'False', 'NoPods'],
  ['nobody while paused', { pods: [pod('a')], group: paused }, 'False', 'Paused'],
  [
    'a Lease of another',
    { lease: foreign, pods: [pod('a')] },
    'False',
    'LeaseHeldByAnother',
    /was not made by this group and is held by app-7f: nothing is written to it/,
  ],
  [
    'a Lease of another group',
    { lease: { ...foreign, ownerName: 'LeaderGroup web' } },
    'False',
    'LeaseHeldByAnother',
    /belongs to LeaderGroup web/,
  ],
  [
    'the Lease of a former group of its name',
    { lease: { ...foreign, ownerName: 'LeaderGroup db', ownerUID: 'former' } },
    'False',
    'LeaseHeldByAnother',
    /belongs to a former group of this name: waiting until the garbage collector takes it/,
  ],
  [
    'a Lease of another without a holder',
    { lease: { ...foreign, holderIdentity: undefined } },
    'False',
    'LeaseHeldByAnother',
    /by this group: nothing/,
  ],
  [
    'a Lease that is gone, again',
    { lease: null, pods: [pod('a')] },
    'False',
    'LeaseDeleted',
    /Find out who deletes it/,
  ],
  ['a Lease that is gone, and no pod', { lease: null }, 'False', 'NoPods'],
  ['a Lease that is still to come', { lease: null, pods: [pod('a')], group: NEW }, 'False', 'NoEligiblePod'],
  [
    'its own Lease, taken',
    { lease: taken, pods: [pod('a')] },
    'False',
    'LeaseHeldByAnother',
    /another Lease, or turn its/,
  ],
  ['its own Lease, taken, and no pod that can lead', { lease: taken, pods: [unready] }, 'False', 'NoEligiblePod'],
  ['a Lease of another, and no rights', { lease: foreign, fault: forbidden }, 'False', 'LeaseHeldByAnother'],
  ['no rights', { pods: [pod('a')], fault: forbidden }, 'False', 'Forbidden', /pods is forbidden.*config\/rbac/],
  ['no rights, and a leader', { leader, fault: forbidden }, 'True', 'LeaderElected'],
  ['another fault', { pods: [pod('a')], fault: { ...forbidden, forbidden: false } }, 'False', 'NoEligiblePod'],
]

describe('the condition Ready', () => {
  for (const [what, world, status, reason, message] of ROWS) {
    it(`${what}: ${status}, ${reason}`, () => {
      const is = condition(world)
      assert.deepEqual([is.type, is.status, is.reason, is.observedGeneration], ['Ready', status, reason, 1])
      assert.match(is.message, message ?? /./)
    })
  }

  const was = (status: 'True' | 'False' | 'Unknown'): GroupChange => ({
    status: { conditions: [{ type: 'Ready', status, reason: 'X', message: '', lastTransitionTime: 'then' }] },
  })
  const SINCE: readonly (readonly [GroupChange, string])[] = [
    [was('True'), 'then'],
    [was('False'), '2026-01-01T00:01:40Z'],
    [was('Unknown'), '2026-01-01T00:01:40Z'],
    [{ status: undefined }, '2026-01-01T00:01:40Z'],
  ]
  for (const [before, expected] of SINCE) {
    const status = before.status?.conditions?.[0]?.status ?? 'absent'
    it(`that was ${status} and is True has stood since ${expected}`, () =>
      assert.equal(condition({ leader, group: before }).lastTransitionTime, expected))
  }

  it('keeps its message within what the resource admits', () => {
    const holderIdentity = '🦊'.repeat(40_000)
    const { message } = condition({ lease: { ...foreign, holderIdentity } })
    assert.ok(message.length <= 32_768, String(message.length))
    assert.ok(message.isWellFormed())
  })
})
