import { throwOnAbort } from '../lock/abort-of.ts'

export interface Frame {
  readonly type: string
  readonly object: object
}

/**
 * The body of a watch response: frames go in as they happen, bytes come out as they are read. Nothing is lost while
 * nobody reads.
 */
export class WatchStream implements AsyncIterable<Uint8Array> {
  readonly #chunks: { readonly bytes: Uint8Array; readonly about?: Frame }[] = []
  #ended = false
  #pushed = 0
  #failure: { readonly reason: unknown } | undefined
  #broken: Error | undefined
  #wake: (() => void) | undefined
  readonly #onClose: () => void
  readonly #signal: AbortSignal
  readonly #cutEvery: number

  /**
   * The signal's abort ends the body with its reason, as a connection's does. `onClose` is called once, at any end. One in
   * `cutEvery` frames comes in two chunks.
   */
  constructor(signal: AbortSignal, onClose: () => void, cutEvery: number) {
    this.#cutEvery = cutEvery
    this.#signal = signal
    this.#onClose = onClose
    signal.addEventListener('abort', this.#abort, { once: true })
  }

  /** Called when the last byte of a frame is read. */
  onRead: ((frame: Frame) => void) | undefined

  /** The whole frame, which nobody may change: others are given it too. */
  push(bytes: Uint8Array, about: Frame): void {
    if (this.#ended) return
    // Cut in two, wherever that falls: a reader must not take a chunk for a frame, nor for whole characters.
    const middle = this.#pushed++ % this.#cutEvery === 0 ? bytes.length >>> 1 : 0
    if (middle > 0) this.#chunks.push({ bytes: bytes.subarray(0, middle) })
    this.#chunks.push({ bytes: bytes.subarray(middle), about })
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

  /** The connection breaks within a frame, and what was not read yet is lost; without an error, it ends like a whole body. */
  cut(error?: Error): void {
    if (this.#ended) return
    this.#chunks.length = 0
    this.#chunks.push({ bytes: Buffer.from('{"type":"MODIFIED","object":{"metadata":{"na') })
    if (error !== undefined) this.#broken = error
    this.end()
  }

  /** Rejects with the signal's reason once it has aborted; else it never comes to an end. */
  aborted(): Promise<never> {
    return throwOnAbort(this.#signal)
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
        if (chunk?.about) this.onRead?.(chunk.about)
        if (chunk !== undefined) yield chunk.bytes
        else if (this.#broken !== undefined) throw this.#broken
        else if (this.#ended) return
        else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      this.end()
    }
  }
}
