import type { Clock } from '../clock.ts'

/** Resolves at the monotonic time `at`, or as soon as `signal` aborts; whoever waits asks the signal which it was. */
export function timerUnlessAborted(clock: Clock, at: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const finish = (): void => {
      cancel()
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.timer(at, finish)
    signal.addEventListener('abort', finish, { once: true })
  })
}
