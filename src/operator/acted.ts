import type { Clock } from '../clock.ts'
import type { Api } from '../kube/api.ts'
import { ApiError, type Refusal } from '../kube/outcome.ts'
import type { Acted } from '../loop.ts'
import type { Cache } from './cache.ts'
import type { PodTurns } from './pod-turns.ts'

/** One action of one group, on its way. */
export interface Errand {
  readonly api: Api
  readonly cache: Cache
  readonly podTurns: PodTurns
  readonly clock: Clock
  readonly namespace: string
  /** Name of the group. */
  readonly name: string
  readonly signal: AbortSignal
  /** To be called when the write has taken effect. */
  readonly took: () => void
}

export const DONE: Acted = { kind: 'done' }
export const STALE: Acted = { kind: 'stale' }

/** Of a refusal that says nothing of the server's other answers: one that is throttled is to be left alone. */
const STATUS = { conflict: 409, exists: 409, notFound: 404, expired: 410, invalid: 422 } as const

export function failed(error: unknown): Extract<Acted, { kind: 'failed' }> {
  return { kind: 'failed', error }
}

export function refused(refusal: Refusal): Acted {
  const { kind, message } = refusal
  if (kind !== 'throttled') return failed(new ApiError(message, { reason: kind, status: STATUS[kind] }))
  return { ...failed(new ApiError(message, { reason: kind })), retryAfterMillis: refusal.retryAfterMillis }
}

/** Somebody else was faster: never retry blindly, read and decide anew. */
export async function stale(reading: Promise<Acted>): Promise<Acted> {
  const read = await reading
  return read.kind === 'done' ? STALE : read
}
