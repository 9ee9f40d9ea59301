/**
 * What can be expected of a request is a value; everything else is an {@link ApiError}.
 *
 * `conflict`: the object is not the one that was read: a stale resourceVersion (409 Conflict) or another
 *   `metadata.uid` (409 for a PUT, 422 on that field for a merge patch: tried on 1.36).
 * `exists`: create of a name that is taken (409 AlreadyExists).
 * `notFound`: no such object (404, in the words of the API server: a 404 of something before it is a fault).
 * `expired`: the version asked for is compacted (410): list anew.
 * `invalid`: the server's validation refused the object (422 Invalid, 400 BadRequest); retrying cannot help.
 * `throttled`: the server asks to come back later (429, or a 503 or 500 with Retry-After).
 */
export type Refusal =
  | { readonly kind: 'conflict'; readonly message: string }
  | { readonly kind: 'exists'; readonly message: string }
  | { readonly kind: 'notFound'; readonly message: string }
  | { readonly kind: 'expired'; readonly message: string }
  | { readonly kind: 'invalid'; readonly message: string }
  | { readonly kind: 'throttled'; readonly message: string; readonly retryAfterMillis: number }

export type Outcome<T> = { readonly kind: 'ok'; readonly object: T } | Refusal

/** A request failed in a way that its caller did not plan for: forbidden, server error, no connection, no answer in time. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** HTTP status; absent when there was no response. */
  readonly status: number | undefined
  /** The Status reason (`Forbidden`, `InternalError`, …), or `Unreachable`, `Timeout`, `Malformed` when none was sent. */
  readonly reason: string
  constructor(message: string, options: { status?: number; reason: string; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.status = options.status
    this.reason = options.reason
  }
}
