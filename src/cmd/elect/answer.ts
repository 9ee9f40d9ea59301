import type { Observed } from '../../lock/elector.ts'

/** Who leads, as `GET /leader` says it. */
export interface Answer {
  /** Null: nobody, or nobody that is known of. */
  readonly leader: string | null
  readonly me: string
  readonly isLeader: boolean
  /** leaseTransitions; null before the Lease was seen. */
  readonly term: number | null
  /** Until when this process leads unless it renews, in RFC 3339; null when it does not lead. */
  readonly deadline: string | null
}

/** What is known at the moment of the answer. */
export interface Sight {
  readonly me: string
  /** Of one's own term, whose `remainingMillis` is 0 once it is over. */
  readonly term: { readonly number: number; readonly remainingMillis: number } | undefined
  readonly observed: Pick<Observed, 'holder' | 'number' | 'changedMillisAgo'> | undefined
  readonly leaseDurationMillis: number
  readonly wall: number
}

/**
 * The Lease names this process beyond its deadline, and one that died for ever: neither leads. Another's term lasts, at the
 * longest, for a lease duration after its last renewal was seen.
 */
export function answer({ me, term, observed, leaseDurationMillis, wall }: Sight): Answer {
  if (term && term.remainingMillis > 0) {
    const deadline = new Date(wall + term.remainingMillis).toISOString()
    return { leader: me, me, isLeader: true, term: term.number, deadline }
  }
  const isFresh = observed !== undefined && observed.changedMillisAgo < leaseDurationMillis
  const leader = isFresh && observed.holder !== me ? (observed.holder ?? null) : null
  return { leader, me, isLeader: false, term: observed?.number ?? null, deadline: null }
}

/** Whether a reader who knows one must be told the other. A deadline moves with every renewal. */
export function isSameLeader(a: Answer, b: Answer): boolean {
  return a.leader === b.leader && a.isLeader === b.isLeader && a.term === b.term
}
