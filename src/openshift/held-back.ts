import type { Clock } from '../clock.ts'
import type { Leaser } from '../etcd/leaser.ts'

/**
 * A leaser that counts as held only some time after it is: for as long as somebody may need to notice. In a migration
 * that is the time within which those who elect in the old way see that the new lock is there.
 */
export class HeldBack implements Leaser {
  readonly describe: string
  readonly #leaser: Leaser
  readonly #millis: number
  readonly #clock: Clock
  #isDue = false

  constructor(leaser: Leaser, millis: number, clock: Clock) {
    this.describe = leaser.describe
    this.#leaser = leaser
    this.#millis = millis
    this.#clock = clock
  }

  async acquireAndHold(acquired: () => void, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    let cancel: (() => void) | undefined
    this.#isDue = false
    const due = (): void => {
      this.#isDue = true
      // Otherwise it is lost, which is about to be told.
      if (this.isHeld()) acquired()
    }
    try {
      await this.#leaser.acquireAndHold(() => {
        cancel = this.#clock.timer(this.#clock.now() + this.#millis, due)
      }, options)
    } finally {
      cancel?.()
    }
  }

  isHeld(): boolean {
    return this.#isDue && this.#leaser.isHeld()
  }

  expiry(signal: AbortSignal): Promise<void> {
    return this.#leaser.expiry(signal)
  }

  release(): Promise<void> {
    this.#isDue = false
    return this.#leaser.release()
  }
}
