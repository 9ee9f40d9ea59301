/**
 * The candidates' Lease, as the operator follows it in mode Observe. What electors wrote is here as it came: every field
 * may be null, absent or nonsense.
 *
 * `…At` are ticks, the one counter of this process that moves with every object that arrives and every request that
 * begins. `…Millis` are readings of the monotonic clock.
 */
export interface FollowedLease extends LeaseRecord {
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** Tick at which this version of the object was first seen. */
  readonly seenAt: number
  /** When its record came to be as it is, as far as this process saw it. */
  readonly sight: RecordSight
  /** When the last quorum read began that showed this record. */
  readonly readMillis: number | undefined
}

/** What an elector writes when it acquires and renews. */
export interface LeaseRecord {
  readonly holderIdentity?: string | null | undefined
  readonly leaseDurationSeconds?: number | null | undefined
  readonly acquireTime?: string | null | undefined
  readonly renewTime?: string | null | undefined
  readonly leaseTransitions?: number | null
}

export interface RecordSight {
  /** Tick at which the record was first seen as it is. */
  readonly seenAt: number
  /** The same on the monotonic clock. */
  readonly sinceMillis: number
  /** It came to be so under this process's eyes: another record, or no Lease, was seen before. */
  readonly changed: boolean
}

/**
 * The sight of a Lease that was just received.
 *
 * Only what an elector writes counts. An edit of the metadata, or the server's own `preferredHolder` in coordinated
 * election, gives the object a new resourceVersion and is no sign of life of its holder.
 *
 * @param before what this process saw of the Lease last: `absent` when it saw that there is none, undefined when it has
 *   not looked before
 */
export function sightOf(
  before: Pick<FollowedLease, 'uid' | 'sight' | keyof LeaseRecord> | 'absent' | undefined,
  found: LeaseRecord & { readonly uid: string },
  at: { readonly tick: number; readonly millis: number },
): RecordSight {
  if (before !== undefined && before !== 'absent' && before.uid === found.uid && isSameRecord(before, found)) {
    return before.sight
  }
  return { seenAt: at.tick, sinceMillis: at.millis, changed: before !== undefined }
}

function isSameRecord(a: LeaseRecord, b: LeaseRecord): boolean {
  return (
    (a.holderIdentity ?? '') === (b.holderIdentity ?? '') &&
    a.leaseDurationSeconds === b.leaseDurationSeconds &&
    a.acquireTime === b.acquireTime &&
    a.renewTime === b.renewTime &&
    a.leaseTransitions === b.leaseTransitions
  )
}

/** What is taken for a holder that does not say for how long it holds: client-go's default, and the C# client's. */
export const UNSAID_DURATION_SECONDS = 15
/** The field is an int32. */
const LONGEST_DURATION_SECONDS = 2 ** 31 - 1

/**
 * `released`: nobody holds it; a holder that is null, absent or empty, for electors write all three.
 * `live`: its holder was seen to write it, and its time is not over. `wakeAt`: when it will be.
 * `unproven`: as it was when this process first saw it. Perhaps its holder is long dead: it is no reason to give a label.
 * `overdue`: its time is over by what has reached this process. A watch may have stalled, so that proves nothing yet: a
 *   quorum read has to begin now and show the same record.
 * `expired`: such a read has, at or after the end of its time.
 */
export type Silence =
  | { readonly state: 'released' | 'overdue' | 'expired' }
  /** `wakeAt` in monotonic milliseconds; always finite, and beyond what a timer can take in one piece. */
  | { readonly state: 'live' | 'unproven'; readonly wakeAt: number }

/**
 * How long the holder has been silent, against the duration that it wrote itself. `renewTime` is never compared with a
 * clock: only whether the record changed counts, and the time since then on this process's monotonic clock.
 */
export function silenceOf(lease: FollowedLease, nowMillis: number): Silence {
  if (!isHeld(lease)) return { state: 'released' }
  const dueMillis = lease.sight.sinceMillis + durationSeconds(lease) * 1000
  if (nowMillis < dueMillis) return { state: lease.sight.changed ? 'live' : 'unproven', wakeAt: dueMillis }
  return { state: lease.readMillis !== undefined && lease.readMillis >= dueMillis ? 'expired' : 'overdue' }
}

export function isHeld(lease: LeaseRecord): lease is LeaseRecord & { readonly holderIdentity: string } {
  return typeof lease.holderIdentity === 'string' && lease.holderIdentity !== ''
}

/**
 * Null, 0 and less say nothing. To take them for "over at once", as client-go does, would take the label off a leader
 * between any two of its renewals; too long a time only keeps a dead one's label a little.
 */
export function durationSeconds({ leaseDurationSeconds: said }: LeaseRecord): number {
  if (typeof said !== 'number' || !(said > 0)) return UNSAID_DURATION_SECONDS
  return Math.min(said, LONGEST_DURATION_SECONDS)
}
