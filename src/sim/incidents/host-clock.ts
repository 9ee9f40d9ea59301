import { StoppableClock } from '../stoppable-clock.ts'

/** The clocks of one machine. What its wall clock shows is its own affair, and its monotonic clock stands still in a suspend. */
export class HostClock extends StoppableClock {
  #wallOffset = 0
  #slept = 0

  override now(): number {
    return super.now() - this.#slept
  }

  override wallNow(): number {
    return super.wallNow() + this.#wallOffset
  }

  override timer(at: number, fire: () => void): () => void {
    let cancel = (): void => undefined
    const arm = (): void => {
      // What is due by true time may not be due by this clock.
      cancel = super.timer(at + this.#slept, () => (this.now() < at ? arm() : fire()))
    }
    arm()
    return () => cancel()
  }

  stepWall(millis: number): void {
    this.#wallOffset += millis
  }

  /** It has been suspended for so long, and wakes up now. */
  sleptFor(millis: number): void {
    this.#slept += millis
  }
}
