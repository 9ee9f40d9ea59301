import type { Clock } from '../clock.ts'

/**
 * The time of one process that can be stopped, as by SIGSTOP, a debugger or a starved machine: the clocks run on, but no
 * timer fires and no answer arrives until it goes on.
 */
export class StoppableClock implements Clock {
  readonly #clock: Clock
  /** What is due since the process was stopped; undefined while it runs. */
  #due: (() => void)[] | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  wallNow(): number {
    return this.#clock.wallNow()
  }

  timer(at: number, fire: () => void): () => void {
    let isCancelled = false
    const fireUnlessCancelled = (): void => {
      if (!isCancelled) fire()
    }
    const cancel = this.#clock.timer(at, () => this.#whenRunning(fireUnlessCancelled))
    return () => {
      isCancelled = true
      cancel()
    }
  }

  get isStopped(): boolean {
    return this.#due !== undefined
  }

  stop(): void {
    this.#due ??= []
  }

  resume(): void {
    const due = this.#due ?? []
    this.#due = undefined
    for (const run of due) run()
  }

  /** Resolves at once while the process runs. */
  running(): Promise<void> {
    return new Promise((resolve) => this.#whenRunning(resolve))
  }

  /** A body whose chunks arrive only while the process runs. */
  async *arriving(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of body) {
      await this.running()
      yield chunk
    }
  }

  #whenRunning(run: () => void): void {
    if (this.#due) this.#due.push(run)
    else run()
  }
}
