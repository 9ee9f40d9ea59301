import { microTime } from './micro-time.ts'

/**
 * The election's part of a lock object. Null and absent fields, which other electors write, are read as `''`, 0 and
 * absent.
 */
export interface LeaseRecord {
  /** Empty: released. */
  readonly holderIdentity: string
  /** For how long after its last change nobody else may take the lock. 0: the holder said nothing. */
  readonly leaseDurationSeconds: number
  /** MicroTime text, as the other times: compared as it is, never with a clock. */
  readonly acquireTime?: string
  /** Of the holder's last write, by its wall clock. */
  readonly renewTime?: string
  /** Grows with every change of holder, and, here, with every term. */
  readonly leaseTransitions: number
  /** Of coordinated leader election; as in client-go, dropped by every write of ours. */
  readonly strategy?: string
  /** Whom a coordinator would rather have lead. */
  readonly preferredHolder?: string
}

/** A record together with the version that a write must name to replace it. */
export interface Versioned {
  /** The election's part of the object. */
  readonly record: LeaseRecord
  /** A decimal integer that grows with every write of the lock object, also when it is deleted and created anew. */
  readonly version: string
  /** Set when the object is not for electors to take, with the reason for people. */
  readonly refused?: string
}

/** leaseTransitions is an int32 in the API. */
const MOST_TRANSITIONS = 2 ** 31 - 1

export const isReleased = (record: LeaseRecord): boolean => record.holderIdentity === ''

/** Equal in all that an elector writes, with times to the last digit: this very write, not one of the same second. */
export function isSameWrite(a: LeaseRecord, b: LeaseRecord): boolean {
  return isSameTerm(a, b) && a.leaseDurationSeconds === b.leaseDurationSeconds && a.renewTime === b.renewTime
}

/** One holder's uninterrupted leadership, whatever was renewed in between. */
export function isSameTerm(
  a: Pick<LeaseRecord, 'holderIdentity' | 'acquireTime' | 'leaseTransitions'>,
  b: LeaseRecord,
): boolean {
  return (
    a.holderIdentity === b.holderIdentity &&
    a.acquireTime === b.acquireTime &&
    a.leaseTransitions === b.leaseTransitions
  )
}

/**
 * The first record of a new term. Every term counts as a transition, also one that follows a term of the same
 * identity: client-go keeps the number then, but what was lost must not come back under the number it had.
 *
 * @param previous the transitions of the last record known of this lock; undefined for the very first one
 */
export function acquired(
  identity: string,
  leaseDurationSeconds: number,
  previous: number | undefined,
  wallMillis: number,
): LeaseRecord {
  const time = microTime(wallMillis)
  const leaseTransitions = previous === undefined ? 0 : Math.min(previous + 1, MOST_TRANSITIONS)
  return { holderIdentity: identity, leaseDurationSeconds, acquireTime: time, renewTime: time, leaseTransitions }
}

export function renewed(
  term: Required<Pick<LeaseRecord, 'holderIdentity' | 'acquireTime' | 'leaseTransitions'>>,
  leaseDurationSeconds: number,
  wallMillis: number,
): LeaseRecord {
  const { holderIdentity, acquireTime, leaseTransitions } = term
  return { holderIdentity, leaseDurationSeconds, acquireTime, renewTime: microTime(wallMillis), leaseTransitions }
}

/** As client-go writes it: duration 1 and both times set, because the API server's validation refuses 0 and old clients null. */
export function released(leaseTransitions: number, wallMillis: number): LeaseRecord {
  const time = microTime(wallMillis)
  return { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time, leaseTransitions }
}
