/**
 * The only place where real time enters. Everything else takes a {@link Clock}, so that the simulator can run the
 * same code on virtual time.
 */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary start. Never goes back and ignores steps of the wall clock. */
  now(): number
  /** Wall time in milliseconds since 1970-01-01T00:00:00Z. For stamps that people read, never for a decision. */
  wallNow(): number
  /** Calls `fire` once, at or after the monotonic time `at`; the returned function cancels it. Never fires synchronously. */
  timer(at: number, fire: () => void): () => void
}

/** `setTimeout` fires at once when given more than this (2^31-1 ms, 24.8 days): longer waits are re-armed. */
const LONGEST_TIMEOUT_MILLIS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  timer(at, fire) {
    let handle: NodeJS.Timeout
    const arm = (): void => {
      const remaining = at - performance.now()
      handle = setTimeout(() => (performance.now() >= at ? fire() : arm()), clampTimeout(remaining))
    }
    arm()
    return () => clearTimeout(handle)
  },
}

function clampTimeout(millis: number): number {
  return Math.min(Math.max(Math.ceil(millis), 0), LONGEST_TIMEOUT_MILLIS)
}

/** Waits until the monotonic time `at`; rejects with the signal's reason as soon as it aborts. */
export function sleepUntil(clock: Clock, at: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const cancel = clock.timer(at, () => {
      signal.removeEventListener('abort', abort)
      resolve()
    })
    const abort = (): void => {
      cancel()
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', abort, { once: true })
  })
}

/** A time limit passed. Thrown, or the reason of an aborted signal; never the caller's own abort. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded'
  constructor(what: string, millis: number) {
    super(`${what}: no answer within ${Math.round(millis)} ms`)
  }
}

export interface Deadline extends Disposable {
  /** Aborts with a {@link DeadlineExceeded} at the deadline, or with the parent's reason when that aborts first. */
  readonly signal: AbortSignal
  /** Moves the deadline to `millis` from now: for streams, whose limit is on silence. */
  extend(millis: number): void
}

/** A signal that aborts after `millis`, or when `parent` does. Dispose it, or its timer and listener stay. */
export function deadline(clock: Clock, what: string, millis: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController()
  const expire = (limit: number) => () => controller.abort(new DeadlineExceeded(what, limit))
  let cancel = clock.timer(clock.now() + millis, expire(millis))
  const onParent = (): void => controller.abort(parent?.reason)
  if (parent?.aborted) onParent()
  parent?.addEventListener('abort', onParent, { once: true })
  return {
    signal: controller.signal,
    extend(limit) {
      cancel()
      cancel = clock.timer(clock.now() + limit, expire(limit))
    },
    [Symbol.dispose]() {
      cancel()
      parent?.removeEventListener('abort', onParent)
    },
  }
}
