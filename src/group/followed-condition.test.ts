import assert from 'node:assert/strict'
import { pod } from './fixtures.ts'
import { electorsLease, followedObservation, leadingBy } from './followed-fixtures.ts'
import { followedVerdict } from './followed-condition.ts'
import type { NobodyReason, Target } from './follow/follow.ts'
import type { GroupObservation, ObservedPod } from './observation.ts'

const leader = pod('db-0', leadingBy(4))
const holds = (name: string): Target<ObservedPod> => ({ kind: 'holder', pod: pod(name), message: 'it holds' })
const nobody = (reason: NobodyReason): Target<ObservedPod> => ({ kind: 'nobody', reason, message: 'nobody holds' })
const STAY: Target<ObservedPod> = { kind: 'stay', message: 'not seen to renew' }
const LED = 'True LeaderElected: db-0 holds Lease db as "db-0"'
const { memory } = followedObservation()
const fault = (forbidden: boolean): Partial<GroupObservation> => ({
  memory: {
    ...memory,
    fault: { urgent: true, forbidden, message: 'leases "db" is forbidden: User "op" cannot get resource' },
  },
})
const FORBIDDEN =
  'False Forbidden: leases "db" is forbidden: User "op" cannot get resource. Give the operator its role back: config/rbac'
const NO_PODS: Partial<GroupObservation> = { pods: [pod('db-0', { selected: false })] }

type Row = readonly [
  what: string,
  leader: ObservedPod | undefined,
  target: Target<ObservedPod> | undefined,
  expected: string,
  o?: Partial<GroupObservation>,
]

const ROWS: readonly Row[] = [
  ['the holder bears the label', leader, holds('db-0'), LED],
  ['also where it is not selected any more', leader, holds('db-0'), LED, NO_PODS],
  ['also where something failed', leader, holds('db-0'), LED, fault(true)],
  ['the label stands on a record from before our time', leader, STAY, LED],
  ['the label stands beside another holder', leader, holds('db-1'), 'Unknown Pending: why'],
  ['the label is still to come', undefined, holds('db-0'), 'Unknown Pending: why'],
  ['nothing is known of the Lease', undefined, undefined, 'Unknown Pending: why'],
  [
    'the label stands, and the Lease was released',
    leader,
    nobody('LeaseReleased'),
    'False LeaseReleased: nobody holds',
  ],
  ['nobody holds it', undefined, nobody('LeaseExpired'), 'False LeaseExpired: nobody holds'],
  ['the holder is dead', leader, nobody('HolderDead'), 'False HolderDead: nobody holds'],
  ['nobody was seen to renew it', undefined, STAY, 'False HolderUnproven: not seen to renew'],
  ['a right is missing', undefined, holds('db-0'), FORBIDDEN, fault(true)],
  ['a right is missing, and nobody holds it', leader, nobody('LeaseReleased'), FORBIDDEN, fault(true)],
  ['something else failed', undefined, holds('db-0'), 'Unknown Pending: why', fault(false)],
  [
    'no pod is selected',
    undefined,
    nobody('LeaseMissing'),
    'False NoPods: The selector matches no pod in this namespace: compare it with the labels of your pods',
    NO_PODS,
  ],
  [
    'it is held by an identity that is no name',
    leader,
    holds('db-0'),
    'True LeaderElected: db-0 holds Lease db as "db-0_\\u{a}"',
    { lease: electorsLease('db-0_\n') },
  ],
]

describe('the condition Ready in mode Observe', () => {
  for (const [what, labelled, target, expected, change] of ROWS) {
    it(`${what}: ${expected.split(':', 1)[0]}`, () => {
      const o = followedObservation(change)
      const follow = target && { target }
      const verdict = followedVerdict(o, o.group!, labelled, { reason: 'why', ...(follow ? { follow } : {}) })
      assert.equal(`${verdict.status} ${verdict.reason}: ${verdict.message}`, expected)
    })
  }

  it('names the Lease of the spec', () => {
    const o = followedObservation({ spec: { leaseName: 'other' } })
    assert.match(
      followedVerdict(o, o.group!, leader, { reason: 'why', follow: { target: STAY } }).message,
      /holds Lease other as/,
    )
  })
})
