import type { Instant } from '../election/observation.ts'
import { wallGainMillis } from '../etcd/wall-gain.ts'
import type { Decision } from '../loop.ts'

/**
 * Theory of operation.
 *
 * Whoever elects in the new way begins to work a whole ttl after the lock came to be. So a read that finds no lock
 * permits to work in the old way for less than a ttl from its *start*, by whatever other clock. A share of that is for
 * further reads, the rest for the work to stop in: a lock that cannot be read must be taken for one that is there.
 */
export interface AbsenceObservation {
  readonly ttlMillis: number
  readonly clockDrift: number
  /** Start of the last read that found no lock. */
  readonly absentAt: Instant | undefined
  /** The last word was that there is a lock. */
  readonly exists: boolean
  readonly readAt: number
  readonly watch: 'none' | 'closed' | 'open'
  readonly watchAt: number
}

export type AbsenceAction = 'read' | 'watch'

/** The share of a ttl after which an older read proves nothing, and the work is told to stop. */
const PROOF_FRACTION = 1 / 2

/** Milliseconds for which the absence is still proven; 0 or less: not any more. */
export function provenMillis({ ttlMillis, absentAt, exists }: AbsenceObservation, now: Instant): number {
  return !absentAt || exists ? 0 : leftOf(ttlMillis * PROOF_FRACTION, absentAt, now)
}

/** Milliseconds until those who elect in the new way may work. */
export function exclusiveMillis({ ttlMillis, clockDrift, absentAt }: AbsenceObservation, now: Instant): number {
  return absentAt ? leftOf(ttlMillis / (1 + clockDrift), absentAt, now) : 0
}

function leftOf(millis: number, from: Instant, now: Instant): number {
  return from.monotonic + millis - now.monotonic - wallGainMillis(from, now)
}

/** Pure. A watch only hastens what reads find out. */
export function decideAbsence(o: AbsenceObservation, now: number): Decision<AbsenceAction> {
  const reason = o.exists ? 'the lock exists' : 'the lock is not known to exist'
  const watch: AbsenceAction[] = o.watch === 'closed' && now >= o.watchAt ? ['watch'] : []
  const read: AbsenceAction[] = now >= o.readAt ? ['read'] : []
  const watchAt = o.watch === 'closed' ? o.watchAt : Infinity
  return { actions: [...watch, ...read], wakeAt: Math.min(o.readAt, watchAt), reason }
}
