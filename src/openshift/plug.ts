/** The plug was stopped before, and nobody gave a reason. */
export class PlugStoppedError extends Error {
  override readonly name = 'PlugStoppedError'
  constructor() {
    super('the plug has been stopped')
  }
}

/** How long to wait. */
export interface WaitOptions {
  /** Ends the waiting, which rejects with its reason. */
  readonly signal?: AbortSignal
}

/**
 * A switch that is turned on once and off once: what leads waits for the one and works until the other. The first
 * `start` and the first `stop` count, and nothing starts after a stop.
 */
export class Plug {
  readonly #stopping = new AbortController()
  readonly #decided = Promise.withResolvers<void>()
  readonly #stopped = Promise.withResolvers<void>()
  readonly #works = new Set<Promise<unknown>>()
  #hasStarted = false
  #error: Error | undefined
  #stop: Promise<void> | undefined

  /** @param started started at once */
  constructor(started = false) {
    if (started) this.start()
  }

  /** Turns it on, once; without effect on one that was stopped. */
  start(): void {
    if (this.#stop) return
    this.#hasStarted = true
    this.#decided.resolve()
  }

  /**
   * Turns it off, for the reason `error`, which all that wait for the stop are told. Never rejects.
   *
   * @returns resolves when all work of `whileStarted` has returned
   */
  stop(error?: Error): Promise<void> {
    if (!this.#stop) {
      this.#error = error
      this.#stop = this.settled()
      this.#stopping.abort(error ?? new PlugStoppedError())
      this.#decided.resolve()
      this.#stopped.resolve()
    }
    return this.#stop
  }

  /** Whether it is on now: it was started, and has not been stopped. */
  isStarted(): boolean {
    return this.#hasStarted && !this.#stop
  }

  /** Aborts when it is stopped, with the reason of that or a {@link PlugStoppedError}. */
  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  /**
   * Resolves when it is on.
   *
   * @throws the reason of the stop, or a PlugStoppedError, when it was stopped; the reason of `signal` when that aborts
   */
  async waitForStart({ signal }: WaitOptions = {}): Promise<void> {
    await unlessAborted(this.#decided.promise, signal)
    this.#stopping.signal.throwIfAborted()
  }

  /**
   * Resolves when it has been stopped without a reason.
   *
   * @throws the reason of the stop, whoever waits and whenever; the reason of `signal` when that aborts
   */
  async waitForStop({ signal }: WaitOptions = {}): Promise<void> {
    await unlessAborted(this.#stopped.promise, signal)
    if (this.#error) throw this.#error
  }

  /**
   * Waits until it is on and runs `work`, whose signal aborts when it is stopped: a stop is over when the work has
   * returned. Resolves with the value of the work; with undefined when it was stopped before. The work's error is its
   * caller's, unless it only says that it was told to stop.
   */
  async whileStarted<T>(work: (signal: AbortSignal) => T | Promise<T>): Promise<T | undefined> {
    await this.#decided.promise
    if (this.#stop) return undefined
    const running = (async () => await work(this.signal))()
    this.#works.add(running)
    try {
      return await running
    } catch (error) {
      if (this.signal.aborted && (error === this.signal.reason || isAbortError(error))) return undefined
      throw error
    } finally {
      this.#works.delete(running)
    }
  }

  /** Resolves when all work that runs now has returned; what it throws is for its own caller. */
  protected async settled(): Promise<void> {
    await Promise.allSettled(this.#works)
  }
}

const isAbortError = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError'

async function unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return promise
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
