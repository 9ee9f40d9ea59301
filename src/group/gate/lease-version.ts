import { isNewer } from '../../election/version.ts'
import { begunAfter } from '../begun-after.ts'
import type { LeaderGroupStatus } from '../leadergroup.ts'
import type { GroupObservation } from '../observation.ts'

const NONE = '-'

/**
 * Mode Observe: the version of the Lease that a gate write follows, as `status.leaseVersion`: `<UID>/<resourceVersion>`, or
 * `-` for none. It keeps an operator whose watch lags from undoing what another one decided on a newer Lease.
 */
export function leaseVersionOf({ lease }: Pick<GroupObservation, 'lease'>): string {
  return lease ? `${lease.uid}/${lease.resourceVersion}` : NONE
}

/**
 * Whether the Lease as it is known here is not older than what the gate follows; else it is to be read before the gate, or
 * a label by it, is touched. Versions of one Lease compare; of another UID, or where there is no Lease, only a quorum read
 * that began after the gate was seen tells. So does it for what this process has only listed so far: a list may be old.
 */
export function isFresh(
  o: Pick<GroupObservation, 'lease' | 'leaseAbsentAt' | 'groupSeenAt' | 'gone'>,
  status: LeaderGroupStatus | undefined,
): boolean {
  const { lease, leaseAbsentAt, groupSeenAt = 0, gone } = o
  const readAt = lease ? lease.readAt : leaseAbsentAt
  if (begunAfter(readAt, groupSeenAt)) return true
  const [, uid = NONE, version = ''] = /^([^/]+)\/([0-9]+)$/.exec(status?.leaseVersion ?? '') ?? []
  if (!lease) return gone.has(uid)
  if (lease.uid !== uid || isNewer(version, lease.resourceVersion)) return false
  return lease.sight.changed || readAt !== undefined
}
