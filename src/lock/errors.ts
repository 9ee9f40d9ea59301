import type { EndReason } from '../election/observation.ts'
import { ApiError, type Refusal } from '../kube/outcome.ts'

/** The reason of a term's signal, once the term is over or about to be. */
export class TermEndedError extends Error {
  override readonly name = 'TermEndedError'
  /** Why, in one word. */
  readonly reason: EndReason
  /** Its number. */
  readonly term: number
  constructor(reason: EndReason, term: number) {
    super(`term ${term} has ended: ${EXPLANATIONS[reason]}`)
    this.reason = reason
    this.term = term
  }
}

const EXPLANATIONS: Readonly<Record<EndReason, string>> = {
  deadline: 'no renewal succeeded within renewDeadline',
  taken: 'another holder was seen on the lock',
  changed: 'the lock was changed or deleted by somebody else',
  suspended: 'the wall clock jumped against the monotonic one, as after a suspend',
  limit: 'it has lasted as long as termLimit allows',
  stepDown: 'it was asked to step down',
  aborted: 'the election was ended',
  preferred: 'another one is preferred as the holder of the lock',
  done: 'its work is done',
}

/** All that is wrong with an elector's options. */
export class InvalidOptionsError extends RangeError {
  override readonly name = 'InvalidOptionsError'
  /** One sentence for each, with the value. */
  readonly violations: readonly string[]
  constructor(violations: readonly string[]) {
    super(violations.join('; '))
    this.violations = violations
  }
}

/**
 * `forbidden`: the lock may not be read or written with these credentials. `unreachable`: no usable answer.
 * `notOurs`: the lock object belongs to somebody who does not elect on it. `invalid`: the lock object or its server
 * refuses what an elector writes. `hook`: a hook of the caller threw.
 */
export type ElectionErrorCode = 'forbidden' | 'unreachable' | 'notOurs' | 'invalid' | 'hook'

/** Something went wrong that the election lives with: it is reported, and tried again where that makes sense. */
export class ElectionError extends Error {
  override readonly name = 'ElectionError'
  /** What kind of fault it is, in one word. */
  readonly code: ElectionErrorCode
  /** HTTP status, where there was a response. */
  readonly status: number | undefined
  /**
   * After how many milliseconds to come back, where an overloaded server has said so. An elector heeds it: a leader for at
   * most half of what is left of its term, anybody else for at most a lease duration.
   */
  readonly retryAfterMillis: number | undefined
  constructor(
    code: ElectionErrorCode,
    message: string,
    options: { status?: number | undefined; retryAfterMillis?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = options.status
    this.retryAfterMillis = options.retryAfterMillis
  }
}

/** What a refusal that a lock has no plan for means to an election. */
export function refusedError(what: string, refusal: Refusal): ElectionError {
  const code = refusal.kind === 'invalid' || refusal.kind === 'notFound' ? 'invalid' : 'unreachable'
  const retryAfterMillis = refusal.kind === 'throttled' ? refusal.retryAfterMillis : undefined
  return new ElectionError(code, `${what}: ${refusal.message}`, { retryAfterMillis })
}

/** What `error` means to an election, whatever a lock has thrown. */
export function asElectionError(what: string, error: unknown): ElectionError {
  if (error instanceof ElectionError) return error
  const said = error instanceof Error ? error.message : String(error)
  const status = error instanceof ApiError ? error.status : undefined
  const code = status === 401 || status === 403 ? 'forbidden' : 'unreachable'
  return new ElectionError(code, `${what}: ${said}`, { status, cause: error })
}
