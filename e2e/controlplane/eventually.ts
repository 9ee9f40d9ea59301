import { DeadlineExceeded, sleepUntil, systemClock } from '../../src/clock.ts'

const INTERVAL_MILLIS = 50

export interface EventuallyOptions {
  /** What is waited for, in words: the error says it. */
  readonly what: string
  readonly millis?: number
  readonly intervalMillis?: number
  readonly signal?: AbortSignal
}

/**
 * Asks again until the answer is not undefined. Rejects with a {@link DeadlineExceeded} after `millis` (10 s), with
 * the signal's reason when that aborts, and at once with whatever `ask` throws.
 */
export async function eventually<T>(options: EventuallyOptions, ask: () => Promise<T | undefined>): Promise<T> {
  const { what, millis = 10_000, intervalMillis = INTERVAL_MILLIS } = options
  const signal = options.signal ?? new AbortController().signal
  const end = systemClock.now() + millis
  for (;;) {
    signal.throwIfAborted()
    const answer = await ask()
    if (answer !== undefined) return answer
    if (systemClock.now() >= end) throw new DeadlineExceeded(what, millis)
    await sleepUntil(systemClock, systemClock.now() + intervalMillis, signal)
  }
}
