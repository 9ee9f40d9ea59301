/**
 * Only for tests: a group in mode Observe, whose status is the gate, and the Lease of its pods' electors. By default the
 * group is seen at tick 20, and the record on the Lease changed under our eyes, four seconds ago.
 */
import { GROUP_UID, NOW, bornLease, group, observation, pod, type GroupChange } from './fixtures.ts'
import { formatMark } from './gate/gate.ts'
import type { LeaderGroup, LeaderGroupSpec, LeaderGroupStatus } from './leadergroup.ts'
import type { GroupObservation, ObservedLease, ObservedPod } from './observation.ts'

export const LEASE_VERSION = 'lease-1/200'
export const ACQUIRED = '2026-01-01T00:01:00.000000Z'

/** The gate as we wrote it: it names `name` for `term`. */
export function heldStatus(name: string, term: number, change: LeaderGroupStatus = {}): LeaderGroupStatus {
  const { uid } = pod(name)
  return {
    gate: formatMark({ holder: { name, uid }, gateUID: GROUP_UID, term }),
    term,
    holder: name,
    holderUID: uid,
    holderIdentity: name,
    acquireTime: ACQUIRED,
    transitions: 3,
    leaseVersion: LEASE_VERSION,
    ...change,
  }
}

/** The gate as we wrote it: nobody leads, and `term` was the last. */
export function vacantStatus(term: number, change: LeaderGroupStatus = {}): LeaderGroupStatus {
  const gate = formatMark({ holder: undefined, gateUID: GROUP_UID, term })
  return { gate, term, leaseVersion: LEASE_VERSION, ...change }
}

/** The gate as it is born. */
export function bornStatus(term: number): LeaderGroupStatus {
  return { gate: formatMark({ holder: undefined, gateUID: undefined, term }), term }
}

export function readyIs(value: 'True' | 'False' | 'Unknown', reason: string): Pick<LeaderGroupStatus, 'conditions'> {
  const lastTransitionTime = '2026-01-01T00:00:00Z'
  return { conditions: [{ type: 'Ready', status: value, reason, message: 'before', lastTransitionTime }] }
}

export function followedGroup(
  status: LeaderGroupStatus | undefined,
  spec: Partial<LeaderGroupSpec> = {},
  metadata: GroupChange['metadata'] = {},
): LeaderGroup {
  return group({ status, metadata, spec: { mode: 'Observe', ...spec } })
}

/** As an elector writes it. */
export function electorsLease(holderIdentity: string | undefined, change: Partial<ObservedLease> = {}): ObservedLease {
  return bornLease({
    uid: 'lease-1',
    resourceVersion: '200',
    ownerUID: undefined,
    ownerName: undefined,
    mode: undefined,
    mark: undefined,
    holderIdentity,
    leaseDurationSeconds: 15,
    acquireTime: ACQUIRED,
    renewTime: ACQUIRED,
    transitions: 3,
    sight: { seenAt: 20, sinceMillis: NOW.monotonic - 4000, changed: true },
    ...change,
  })
}

/** Bears a stamp of the gate that status is. */
export function sealedAt(term: number): Pick<ObservedPod, 'sealed'> {
  return { sealed: `${GROUP_UID}/${term}` }
}

/** What the leader of `term` bears under the gate that status is. */
export function leadingBy(term: number): Pick<ObservedPod, 'role' | 'term' | 'sealed'> {
  return { role: 'leader', term: String(term), ...sealedAt(term - 1) }
}

/** db-0 leads in term 4 and db-1 is enrolled, unless told otherwise. */
export function followedObservation({
  status,
  spec,
  ...change
}: Partial<Omit<GroupObservation, 'group'>> & {
  readonly status?: LeaderGroupStatus | undefined
  readonly spec?: Partial<LeaderGroupSpec>
} = {}): GroupObservation {
  return observation({
    group: followedGroup(status ?? heldStatus('db-0', 4, readyIs('True', 'LeaderElected')), spec),
    groupSeenAt: 20,
    pods: [pod('db-0', leadingBy(4)), pod('db-1', sealedAt(0))],
    lease: electorsLease('db-0'),
    ...change,
  })
}
