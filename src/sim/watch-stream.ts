/**
 * The body of a watch response: frames go in as they happen, bytes come out as they are read. Nothing is lost while
 * nobody reads.
 */
export class WatchStream implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = []
  #ended = false
  #failure: { readonly reason: unknown } | undefined
  #wake: (() => void) | undefined
  readonly #onClose: () => void
  readonly #signal: AbortSignal

  /** The signal's abort ends the body with its reason, as a connection's does. `onClose` is called once, at any end. */
  constructor(signal: AbortSignal, onClose: () => void) {
    this.#signal = signal
    this.#onClose = onClose
    signal.addEventListener('abort', this.#abort, { once: true })
  }

  /** One JSON document per line. */
  push(frame: object): void {
    if (this.#ended) return
    const bytes = Buffer.from(`${JSON.stringify(frame)}\n`)
    // Cut in two, wherever that falls: a reader must not take a chunk for a frame, nor for whole characters.
    const middle = bytes.length >>> 1
    this.#chunks.push(bytes.subarray(0, middle), bytes.subarray(middle))
    this.#wake?.()
  }

  /** The server closes the stream; what was pushed can still be read. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#signal.removeEventListener('abort', this.#abort)
    this.#onClose()
    this.#wake?.()
  }

  readonly #abort = (): void => {
    this.#failure = { reason: this.#signal.reason }
    this.end()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure.reason
        const chunk = this.#chunks.shift()
        if (chunk !== undefined) yield chunk
        else if (this.#ended) return
        else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      this.end()
    }
  }
}
