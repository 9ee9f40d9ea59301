import type { Observation } from '../election/observation.ts'
import { isReleased, isSameWrite, type LeaseRecord } from '../election/record.ts'

/** Who came between a term and its lock. */
export interface Challenge {
  /** The name on the lock: another's, or this elector's own, written by another process. */
  readonly holder: string
  /** leaseTransitions, as the other wrote it. */
  readonly number: number
}

/**
 * Follows one candidacy, to tell a rival from all else that ends a term. A conflict says only that the lock has moved on:
 * whose doing it was shows with the next look at it.
 */
export class Contest {
  /** The record as the term left it, from the term's loss until the lock is seen again. */
  #left: { readonly record: LeaseRecord; readonly version: string } | undefined

  follow(before: Observation, after: Observation): Challenge | undefined {
    if (isLed(before) && !after.tenure && isByOthers(after)) this.#left = leftBy(before)
    const left = this.#left
    const { sight } = after
    if (!left || !sight || (sight.kind === 'record' && sight.version === left.version)) return undefined
    this.#left = undefined
    if (sight.kind === 'absent' || isReleased(sight.record) || isSameWrite(sight.record, left.record)) return undefined
    return { holder: sight.record.holderIdentity, number: sight.record.leaseTransitions }
  }
}

/** What is only to be released has no rivals any more. */
const isLed = ({ tenure, working }: Observation): boolean => tenure !== undefined && (working || !tenure.ending)

const isByOthers = ({ lastEnd }: Observation): boolean => lastEnd?.reason === 'taken' || lastEnd?.reason === 'changed'

function leftBy({ sight }: Observation): { record: LeaseRecord; version: string } | undefined {
  return sight?.kind === 'record' ? { record: sight.record, version: sight.version } : undefined
}
