import { isAfter, microTime } from './micro-time.ts'
import type { Instant } from './observation.ts'

/** As often as client-go renews; the API server takes a candidate for gone after 15 minutes, and deletes it after 30. */
const RENEW_MILLIS = 300_000

/** What a LeaseCandidate says, as far as it is about being alive. */
export interface CandidateSight {
  /** It is for another Lease, which cannot be changed. */
  readonly isForeign: boolean
  /** When the API server last asked whether it is alive. */
  readonly pingTime: string | undefined
  readonly renewTime: string | undefined
}

/** All that a process knows about its own LeaseCandidate. */
export interface CandidateObservation {
  /** Undefined before the first look, and when what is known may not be what is there. */
  readonly sight: CandidateSight | 'absent' | undefined
  /** Monotonic start of the last write of this process; undefined before it. */
  readonly renewedAt: number | undefined
}

export type CandidateAction =
  | { readonly kind: 'read' }
  | { readonly kind: 'create'; readonly renewTime: string }
  | { readonly kind: 'renew'; readonly renewTime: string }
  | { readonly kind: 'delete' }

export interface CandidateDecision {
  readonly actions: readonly CandidateAction[]
  readonly wakeAt?: number
  readonly reason: string
}

/**
 * What has to be done to stand as a candidate of a coordinated election: be there, say so every five minutes, and answer
 * each ping. Pure, total, idempotent.
 *
 * The server takes a ping for answered when renewTime is not before pingTime. That one is of its clock and the other of
 * ours, so an answer bears the later of both: a clock that lags must not keep its machine from ever being elected, nor
 * answer one ping for ever, as client-go does.
 */
export function standAsCandidate({ sight, renewedAt }: CandidateObservation, now: Instant): CandidateDecision {
  const time = microTime(now.wall)
  if (sight === undefined) return { actions: [{ kind: 'read' }], reason: 'looking whether it stands' }
  if (sight === 'absent') return { actions: [{ kind: 'create', renewTime: time }], reason: 'standing' }
  if (sight.isForeign) return { actions: [{ kind: 'delete' }], reason: 'it stands for another Lease' }
  const { pingTime, renewTime } = sight
  const isAsked = pingTime !== undefined && (renewTime === undefined || isAfter(pingTime, renewTime))
  const isBehind = pingTime !== undefined && isAfter(pingTime, time)
  const renewal: CandidateAction = { kind: 'renew', renewTime: isBehind ? pingTime : time }
  if (isAsked) return { actions: [renewal], reason: 'answering a ping' }
  const due = renewedAt === undefined ? -Infinity : renewedAt + RENEW_MILLIS
  if (now.monotonic >= due) return { actions: [renewal], reason: 'saying that it is alive' }
  return { actions: [], wakeAt: due, reason: 'standing' }
}
