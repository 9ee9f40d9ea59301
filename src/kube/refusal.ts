import type { Status } from './objects.ts'
import { ApiError, type Refusal } from './outcome.ts'
import { readStatus } from './status.ts'
import type { TransportResponse } from './transport.ts'

/** A server that says "later" without saying when (client-go's default as well). */
const DEFAULT_RETRY_AFTER_MILLIS = 1_000

/** Nobody waits for longer than this, whatever it says: a wrong number must not keep a watch closed for ever. */
const LONGEST_RETRY_AFTER_MILLIS = 60_000

/** How much of an answer that is no Status goes into a message: proxies answer with whole HTML pages. */
const QUOTED_CHARACTERS = 200

/**
 * What an answer outside 2xx means: a {@link Refusal} where callers plan for it, else an {@link ApiError} to throw.
 * `what` names the request (`PUT /api/v1/…`), `text` is the body.
 */
export function readRefusal(
  what: string,
  response: Pick<TransportResponse, 'status' | 'headers'>,
  text: string,
): Refusal | ApiError {
  const status = parseStatus(text)
  const said = status.message || text.trim().slice(0, QUOTED_CHARACTERS) || 'no message'
  const message = `${what}: ${said}`
  const retryAfterMillis = readRetryAfter(response.headers['retry-after'], status)
  switch (response.status) {
    case 400:
      return { kind: 'invalid', message }
    case 404:
      if (saysNotFound(status, text)) return { kind: 'notFound', message }
      break
    case 409:
      return { kind: status.reason === 'AlreadyExists' ? 'exists' : 'conflict', message }
    case 410:
      return { kind: 'expired', message }
    case 422:
      return { kind: namesUid(status) ? 'conflict' : 'invalid', message }
    case 429:
      return { kind: 'throttled', message, retryAfterMillis: retryAfterMillis ?? DEFAULT_RETRY_AFTER_MILLIS }
    case 500:
    case 503:
      if (retryAfterMillis !== undefined) return { kind: 'throttled', message, retryAfterMillis }
  }
  return refusalError(what, response.status, status.reason, said)
}

/** The fault for a Status that no caller plans for, whether it came as a response or within a watch. */
export function refusalError(what: string, code: number, reason: string | undefined, said: string): ApiError {
  const name = reason || REASONS[code] || 'Unexpected'
  return new ApiError(`${what}: ${code} ${name}: ${said}`, { status: code, reason: name })
}

/** For answers of proxies and load balancers, which send no Status. */
const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NoRoute',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

function parseStatus(text: string): Status {
  try {
    return readStatus(JSON.parse(text))
  } catch {
    // Not from the API server but from something before it: the caller quotes the text as it is.
    return {}
  }
}

/**
 * That an object is not there is proof for some: of the death of a leader. So it has to be the API server that says so; of a
 * type that it does not serve it has only these words. A load balancer that knows no way to it answers 404 as well.
 */
function saysNotFound({ reason }: Status, text: string): boolean {
  return reason === 'NotFound' || text.trim() === '404 page not found'
}

/** Another `metadata.uid` than the stored one is refused by validation (422), but to the caller it is a stale read. */
function namesUid(status: Status): boolean {
  return status.details?.causes?.some((cause) => cause.field === 'metadata.uid') ?? false
}

/** The API server sends whole seconds; an HTTP date, which it never sends, counts as absent. */
function readRetryAfter(header: string | undefined, status: Status): number | undefined {
  if (header !== undefined && /^\s*\d+\s*$/.test(header)) return bounded(Number(header))
  const seconds = status.details?.retryAfterSeconds
  return seconds !== undefined && seconds > 0 ? bounded(seconds) : undefined
}

function bounded(seconds: number): number {
  return Math.min(seconds * 1_000, LONGEST_RETRY_AFTER_MILLIS)
}
