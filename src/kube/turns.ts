/**
 * So many at a time, the others in the order in which they came. Here and not in undici's own queue: that closes a connection
 * for each request in it that was given up, so that a server which is slow for a while would get a handshake for each.
 */
export class Turns {
  #free: number
  readonly #waiting = new Set<(isMine: boolean) => void>()
  #isOver = false

  constructor(atATime: number) {
    this.#free = atATime
  }

  /**
   * Calls `begin` as soon as it has a turn, which lasts until `give`. Undefined: there are no turns here any more. Rejects with
   * the signal's reason when that aborts before.
   */
  async take<T>(signal: AbortSignal, begin: () => T): Promise<T | undefined> {
    if (!this.#isOver && this.#free > 0) {
      this.#free--
      return begin()
    }
    const isMine = !this.#isOver && (await this.#given(signal))
    if (!isMine || this.#isOver) return undefined
    if (!signal.aborted) return begin()
    this.give()
    throw signal.reason
  }

  #given(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    const onAbort = (): void => {
      // Else it has just been given one.
      if (this.#waiting.delete(resolve)) reject(signal.reason as Error)
    }
    this.#waiting.add(resolve)
    signal.addEventListener('abort', onAbort, { once: true })
    return promise.finally(() => signal.removeEventListener('abort', onAbort))
  }

  /** A turn is over. */
  give(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next(true)
  }

  /** Sends all away who wait or will. */
  close(): void {
    this.#isOver = true
    for (const resolve of this.#waiting) resolve(false)
    this.#waiting.clear()
  }
}
