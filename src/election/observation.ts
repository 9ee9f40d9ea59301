import type { LeaseRecord } from './record.ts'
import type { Timing } from './timing.ts'

/** One reading of both clocks, in milliseconds. `monotonic` decides; `wall` is for stamps, and to notice a suspend. */
export interface Instant {
  readonly monotonic: number
  readonly wall: number
}

/**
 * Why a term ended. `deadline`: no renewal succeeded in time. `taken`: another holder was seen. `changed`: the lock
 * object is not as our last write left it, or gone. `suspended`: the wall clock jumped against the monotonic one.
 * `limit`: it has lasted as long as it may. `stepDown`, `aborted`: asked for. `done`: the work returned.
 */
export type EndReason = 'deadline' | 'taken' | 'changed' | 'suspended' | 'limit' | 'stepDown' | 'aborted' | 'done'

/** What was last seen of the lock. */
export type Sight =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'record'
      readonly record: LeaseRecord
      readonly version: string
      readonly refused: string | undefined
      /**
       * Monotonic time at which this version was first seen: a holder's silence counts from here. The time of the
       * answer, not of its request: the version may have been written in between.
       */
      readonly since: number
    }

export type Purpose = 'acquire' | 'renew' | 'release'

/** A write that was sent and whose fate is not known yet. */
export interface Attempt {
  readonly purpose: Purpose
  readonly record: LeaseRecord
  readonly startedAt: Instant
}

/** A term that this candidate holds. */
export interface Tenure {
  /** leaseTransitions of every record of the term. */
  readonly number: number
  /** Version of the write that acquired. */
  readonly token: string
  readonly acquireTime: string
  /** Version that the last write of ours left behind. */
  readonly version: string
  /** Start of the last write that succeeded. */
  readonly renewedAt: Instant
  /** Monotonic time at which it has lasted as long as it may. Infinity: there is no limit. */
  readonly limitAt: number
  /** The end was asked for: nothing is renewed any more, and the lock is released once the work has returned. */
  readonly ending: EndReason | undefined
}

/** All that one candidate knows about one lock, and wants. */
export interface Observation {
  readonly identity: string
  readonly timing: Timing
  /** In [0, 1), drawn once per candidate: spreads the tries of many that see the same thing. */
  readonly phase: number
  /** How long a term may last, so that others can lead. Infinity: no limit. */
  readonly termLimitMillis: number
  /** `paused`: looks on. `withdrawn`: wants to have nothing to do with the lock any more. */
  readonly intent: 'contend' | 'paused' | 'withdrawn'
  /** Undefined before the first read. */
  readonly sight: Sight | undefined
  /** The newest version ever seen; outlives the object. */
  readonly newestVersion: string | undefined
  /** leaseTransitions of the last record seen; outlives the object. */
  readonly lastNumber: number | undefined
  /** Monotonic time of the last word from the lock, by any way. */
  readonly heardAt: number | undefined
  /** What is known may not be what is there: read before deciding on it. */
  readonly doubt: boolean
  readonly attempts: readonly Attempt[]
  readonly tenure: Tenure | undefined
  /** How the last term ended. */
  readonly lastEnd: { readonly token: string; readonly reason: EndReason } | undefined
  /** The work of a term, perhaps of one that is over. No new term begins beside it. */
  readonly working: boolean
  /** Monotonic time before which no request is sent. */
  readonly retryAt: number
  /** Writes in a row that came too late. */
  readonly conflicts: number
  /** Monotonic time before which nothing is acquired, so that others come first. */
  readonly standBackUntil: number
  /** To be stood back for once the work has returned: nobody else can acquire before. */
  readonly standBackMillis: number
  readonly watch: 'none' | 'closed' | 'open'
  /** Monotonic time before which a closed watch is not opened again. */
  readonly watchAgainAt: number
}

export function firstObservation(candidate: {
  readonly identity: string
  readonly timing: Timing
  readonly phase: number
  readonly canWatch: boolean
  readonly termLimitMillis?: number
}): Observation {
  const { identity, timing, phase, canWatch, termLimitMillis = Infinity } = candidate
  return {
    identity,
    timing,
    phase,
    termLimitMillis,
    intent: 'contend',
    sight: undefined,
    newestVersion: undefined,
    lastNumber: undefined,
    heardAt: undefined,
    doubt: false,
    attempts: [],
    tenure: undefined,
    lastEnd: undefined,
    working: false,
    retryAt: -Infinity,
    conflicts: 0,
    standBackUntil: -Infinity,
    standBackMillis: 0,
    watch: canWatch ? 'closed' : 'none',
    watchAgainAt: -Infinity,
  }
}

/** When to look at the clocks, whatever else happens. */
export function lookAt(o: Pick<Observation, 'timing'>, tenure: Tenure): number {
  return tenure.ending ? leadingUntil(o, tenure) : Math.min(leadingUntil(o, tenure), tenure.limitAt)
}

/** Monotonic time at which the term ends unless a renewal succeeds before. */
export function leadingUntil(o: Pick<Observation, 'timing'>, tenure: Pick<Tenure, 'renewedAt'>): number {
  return tenure.renewedAt.monotonic + o.timing.renewDeadlineMillis
}

/**
 * Milliseconds until the term ends by time, 0 or less when it has.
 *
 * The monotonic clock of most systems stands still while the machine is suspended, and only the wall clock tells. So
 * what the wall clock has gained on it counts as time that has passed: a little of it, a correction perhaps, costs as
 * much of the term.
 */
export function remainingMillis(
  o: Pick<Observation, 'timing'>,
  tenure: Pick<Tenure, 'renewedAt'>,
  now: Instant,
): number {
  return leadingUntil(o, tenure) - now.monotonic - Math.max(wallGainMillis(tenure, now), 0)
}

/**
 * Whether time alone has ended the term. Half the slack between renewDeadline and leaseDuration is the most that the
 * wall clock may have moved against the monotonic one, in either direction: beyond that neither can be trusted.
 */
export function endByTime(o: Observation, now: Instant): 'deadline' | 'suspended' | undefined {
  if (!o.tenure) return undefined
  const { leaseDurationMillis, renewDeadlineMillis } = o.timing
  const gain = Math.abs(wallGainMillis(o.tenure, now))
  if (gain > (leaseDurationMillis - renewDeadlineMillis) / 2) return 'suspended'
  return remainingMillis(o, o.tenure, now) <= 0 ? 'deadline' : undefined
}

function wallGainMillis({ renewedAt }: Pick<Tenure, 'renewedAt'>, now: Instant): number {
  return now.wall - renewedAt.wall - (now.monotonic - renewedAt.monotonic)
}

/** Nothing is led, nothing is on its way, and nothing is left to release. */
export const isAtRest = (o: Observation): boolean => !o.tenure && o.attempts.length === 0
