import type { LeaseRecord } from './record.ts'

/** Whoever leads on two locks that name different holders: client-go's word for it (MultiLock). */
export const UNKNOWN_HOLDER = 'leaderelection.k8s.io/unknown'

/**
 * The record of a lock that consists of two, which are written one after the other: `primary` first.
 *
 * It is one writer's record only when both are. As long as they differ it equals nothing that anybody wrote, so no elector
 * takes a write that got half way for one that took effect:
 * - Different holders: either may lead, or both. So the holder is unknown, and must be silent for the longer of both
 *   durations (client-go goes by the primary's: a released primary, with its 1 s, would let it take the lock from a
 *   leader of the secondary between two of its renewals).
 * - The same holder: the secondary has the older of its two writes. A renewal counts when both are renewed.
 * - One of them absent: its holder leads those who know that one only. Without acquireTime it is nobody's own write.
 */
export function jointRecord(
  primary: LeaseRecord | undefined,
  secondary: LeaseRecord | undefined,
): LeaseRecord | undefined {
  if (!primary || !secondary) return alone(primary ?? secondary)
  const leaseDurationSeconds = Math.max(primary.leaseDurationSeconds, secondary.leaseDurationSeconds)
  const leaseTransitions = Math.max(primary.leaseTransitions, secondary.leaseTransitions)
  if (primary.holderIdentity === secondary.holderIdentity) {
    return { ...secondary, leaseDurationSeconds, leaseTransitions }
  }
  // A holder that says nothing of its duration gets the elector's own, which may be longer than the other's.
  const isSilent = [primary, secondary].some(
    (record) => record.holderIdentity !== '' && record.leaseDurationSeconds === 0,
  )
  return {
    ...primary,
    holderIdentity: UNKNOWN_HOLDER,
    leaseDurationSeconds: isSilent ? 0 : leaseDurationSeconds,
    leaseTransitions,
  }
}

function alone(record: LeaseRecord | undefined): LeaseRecord | undefined {
  if (!record) return undefined
  const { acquireTime: _acquireTime, ...rest } = record
  return rest
}
