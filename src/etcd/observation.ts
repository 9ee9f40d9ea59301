import type { Instant } from '../election/observation.ts'
import type { Sighting } from './etcd-key.ts'
import type { Loss } from './lease-lost-error.ts'
import { wallGainMillis } from './wall-gain.ts'

export interface Timing {
  /** What is asked of etcd; an answer says what was granted. */
  readonly ttlMillis: number
  /** The part of the ttl after which it is renewed. */
  readonly waitFraction: number
  /** Before another try to acquire, after one that failed. */
  readonly pauseMillis: number
  readonly maxRetries: number
  readonly minimumRetryMillis: number
  /** How much faster than ours etcd's clock may run, as a ratio less 1. */
  readonly clockDrift: number
}

/** The key is ours. */
export interface Holding {
  readonly lease: string
  /** Of the write that acquired: the fencing token. As long as the key has it, nobody else wrote. */
  readonly modRevision: string
  /** Start of the last request that gave the lease `ttlMillis`. */
  readonly renewedAt: Instant
  readonly ttlMillis: number
}

/** All that one leaser knows about its key, and wants. */
export interface Observation {
  readonly value: string
  readonly timing: Timing
  readonly intent: 'idle' | 'hold' | 'release'
  /** Undefined: not known, or not well enough to act on. */
  readonly sight: Sighting | undefined
  /** Monotonic time of the last word about the key. */
  readonly heardAt: number
  readonly holding: Holding | undefined
  /** How what was held has ended. */
  readonly loss: Loss | undefined
  /** Leases that were granted and may still be there: their end is the end of whatever we have written. */
  readonly leases: readonly string[]
  /** Monotonic time before which no request is sent. */
  readonly retryAt: number
  /** Tries to release that have failed. */
  readonly failedReleases: number
  readonly watching: boolean
  /** Monotonic time before which no watch is opened. */
  readonly watchAt: number
}

export function firstObservation(value: string, timing: Timing): Observation {
  return {
    value,
    timing,
    intent: 'idle',
    sight: undefined,
    heardAt: -Infinity,
    holding: undefined,
    loss: undefined,
    leases: [],
    retryAt: -Infinity,
    failedReleases: 0,
    watching: false,
    watchAt: -Infinity,
  }
}

/**
 * The share of a ttl from a request's start for which nobody else can hold the key, however much faster etcd's clock
 * runs within the drift. By then work must have ended.
 */
const freeFraction = ({ clockDrift }: Timing): number => 1 / (1 + clockDrift)

/** Half of what waitFraction leaves is for retries; the other half is for the work to stop in. */
const heldFraction = (timing: Timing): number => (timing.waitFraction + freeFraction(timing)) / 2

/** For how long renewals are tried until the lease counts as lost. */
export function retryWindowMillis(timing: Timing): number {
  return (heldFraction(timing) - timing.waitFraction) * timing.ttlMillis
}

export function retryMillis(timing: Timing): number {
  return Math.max(retryWindowMillis(timing) / timing.maxRetries, timing.minimumRetryMillis)
}

type Renewal = Pick<Holding, 'renewedAt' | 'ttlMillis'>

/** Monotonic times, as far as the wall clock does not say that more has passed. */
export const renewAt = ({ timing }: Observation, { renewedAt, ttlMillis }: Renewal): number =>
  renewedAt.monotonic + timing.waitFraction * ttlMillis
export const heldUntil = ({ timing }: Observation, { renewedAt, ttlMillis }: Renewal): number =>
  renewedAt.monotonic + heldFraction(timing) * ttlMillis
export const freeAt = ({ timing }: Observation, { renewedAt, ttlMillis }: Renewal): number =>
  renewedAt.monotonic + freeFraction(timing) * ttlMillis

/** Milliseconds until the lease counts as lost; 0 or less once it does. */
export function remainingMillis(o: Observation, renewal: Renewal, now: Instant): number {
  return heldUntil(o, renewal) - now.monotonic - wallGainMillis(renewal.renewedAt, now)
}

/** Milliseconds until somebody else may hold the key by the mere passing of time. */
export function exclusiveMillis(o: Observation, renewal: Renewal, now: Instant): number {
  return freeAt(o, renewal) - now.monotonic - wallGainMillis(renewal.renewedAt, now)
}
