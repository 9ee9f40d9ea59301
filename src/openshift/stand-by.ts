import type { Leaser } from '../etcd/leaser.ts'
import { ElectionError } from '../lock/errors.ts'
import { Absence, type AbsenceOptions } from './absence.ts'

/**
 * A leaser of the old way that holds only while the lock of the new way does not exist: it stands by while there is
 * one, and stands down as soon as it appears, or when it can't be told any more whether it does.
 */
export class StandBy implements Leaser {
  readonly describe: string
  readonly #leaser: Leaser
  readonly #options: AbsenceOptions
  #absence: Absence | undefined
  #over = new AbortController()

  constructor(leaser: Leaser, options: AbsenceOptions) {
    this.describe = leaser.describe
    this.#leaser = leaser
    this.#options = options
  }

  /** Resolves also when the lock appeared while it was held: the new way has begun, and there is nothing wrong. */
  async acquireAndHold(acquired: () => void, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#over = new AbortController()
    const over = signal ? AbortSignal.any([signal, this.#over.signal]) : this.#over.signal
    const absence = new Absence(this.#options)
    this.#absence = absence
    absence.start()
    try {
      while (!over.aborted) {
        await absence.until(true, over)
        if (await this.#holdWhileAbsent(absence, acquired, over)) return
        // Whoever waits in the old way is in nobody's way; but what it asked for last may still be granted.
        if (!over.aborted) await this.#leaser.release()
      }
    } finally {
      await absence.stop()
    }
  }

  isHeld(): boolean {
    return (this.#absence?.isProven() ?? false) && this.#leaser.isHeld()
  }

  async expiry(signal: AbortSignal): Promise<void> {
    const first = new AbortController()
    const either = AbortSignal.any([signal, first.signal])
    await Promise.race([this.#leaser.expiry(either), this.#absence?.expiry(either)])
    first.abort()
  }

  release(): Promise<void> {
    this.#over.abort()
    return this.#leaser.release()
  }

  /** Resolves to whether it was held. */
  async #holdWhileAbsent(absence: Absence, acquired: () => void, over: AbortSignal): Promise<boolean> {
    const attempt = new AbortController()
    const unwatch = new AbortController()
    const unproven = absence.until(false, AbortSignal.any([over, unwatch.signal])).then(() => attempt.abort())
    let wasHeld = false
    const onAcquired = (): void => {
      // The clock may be ahead of the timer that would have told.
      if (!absence.isProven()) return attempt.abort()
      wasHeld = true
      acquired()
    }
    try {
      await this.#leaser.acquireAndHold(onAcquired, { signal: attempt.signal })
    } finally {
      unwatch.abort()
      await unproven
    }
    if (wasHeld && !over.aborted && !absence.exists) throw this.#unknown()
    return wasHeld
  }

  #unknown(): Error {
    const { lock } = this.#options
    return new ElectionError('unreachable', `${this.describe}: it can't be told whether ${lock.describe} exists by now`)
  }
}
