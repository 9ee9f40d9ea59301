import { sleepUntil, systemClock } from '../../src/clock.ts'
import { ApiError, type Outcome } from '../../src/kube/outcome.ts'

const RETRY_MILLIS = 150

/**
 * Tries again while the API server is away, or asks for time, and while the answer is undefined: what has to be done will be, in
 * the middle of whatever. Rejects when the signal aborts.
 */
export async function persist<T>(signal: AbortSignal, attempt: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    signal.throwIfAborted()
    try {
      const answer = await attempt()
      if (answer !== undefined) return answer
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
    await sleep(RETRY_MILLIS, signal)
  }
}

/** Undefined when the API server asks to come back. */
export async function settled<T>(outcome: Promise<Outcome<T>>): Promise<Outcome<T> | undefined> {
  const answer = await outcome
  return answer.kind === 'throttled' ? undefined : answer
}

/** Rejects when the signal aborts. */
export function sleep(millis: number, signal: AbortSignal): Promise<void> {
  return sleepUntil(systemClock, systemClock.now() + millis, signal)
}

/** Or until the signal aborts. */
export function rest(millis: number, signal: AbortSignal): Promise<void> {
  return sleep(Math.max(0, millis), signal).catch(() => undefined)
}

/** `whom` is in [0, 1). */
export function chosen<T>(items: readonly T[], whom: number): T | undefined {
  return items[Math.floor(whom * items.length)]
}
