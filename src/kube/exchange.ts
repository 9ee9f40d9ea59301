/** More of a body than this is not taken from the connection before it is read. */
const MOST_UNREAD_BYTES = 64 * 1024

/** Whole, or why not. */
type End = 'whole' | { readonly cause: unknown }

/** What is needed of undici here: the library's declarations name no package. */
interface Controller {
  abort(reason: Error): void
  pause(): void
  resume(): void
}

interface Head {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Who wants to know what becomes of a body. */
export interface Listener {
  /** Something of it came. */
  heard(exchange: Exchange): void
  /** Nothing more will come of it. */
  closed(exchange: Exchange): void
  /** The signal has aborted it. */
  aborted(reason: unknown): void
}

/**
 * One request and its response, whose body is read once. In place of undici's own `request`, which makes a stream of Node's
 * for each body: of five hundred renewals a second these were the larger part of the garbage.
 *
 * An abort of `signal` ends it with the signal's reason, at once and whatever it waits for. undici itself notices only
 * once there is a connection.
 */
export class Exchange implements AsyncIterable<Uint8Array> {
  /** Resolves with status and headers. */
  readonly head: Promise<Head>
  readonly #head = Promise.withResolvers<Head>()
  readonly #signal: AbortSignal
  readonly #listener: Listener
  #controller: Controller | undefined
  #chunks: Uint8Array[] = []
  #unreadBytes = 0
  #end: End | undefined
  #wake: () => void = () => undefined

  constructor(signal: AbortSignal, listener: Listener) {
    this.head = this.#head.promise
    this.#signal = signal
    this.#listener = listener
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get isOver(): boolean {
    return this.#end !== undefined
  }

  /** Nobody wants it any more: its connection is closed, and whoever waits for it or reads it gets `cause`. */
  abort(cause: unknown): void {
    this.#close({ cause })
    this.#controller?.abort(cause as Error)
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller
    if (typeof this.#end === 'object') controller.abort(this.#end.cause as Error)
  }

  onResponseStart(_controller: Controller, statusCode: number, headers: Head['headers']): void {
    // 1xx: the response is yet to come.
    if (statusCode >= 200) this.#head.resolve({ statusCode, headers })
  }

  onResponseData(controller: Controller, chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#unreadBytes += chunk.length
    if (this.#unreadBytes > MOST_UNREAD_BYTES) controller.pause()
    this.#listener.heard(this)
    this.#wake()
  }

  onResponseEnd(): void {
    this.#close('whole')
  }

  onResponseError(_controller: unknown, cause: Error): void {
    this.#close({ cause })
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        for (let chunk = this.#take(); chunk; chunk = this.#take()) yield chunk
        if (this.#end === 'whole') return
        if (this.#end) throw this.#end.cause
        const more = new Promise<void>((resolve) => (this.#wake = resolve))
        // What has come meanwhile comes within this call.
        this.#controller?.resume()
        await more
      }
    } finally {
      if (this.#end === undefined) this.abort(new Error('the rest of the response is not wanted'))
    }
  }

  /** After an end that is no success, what has come is not believed. */
  #take(): Uint8Array | undefined {
    const chunk = typeof this.#end === 'object' ? undefined : this.#chunks.shift()
    if (chunk) this.#unreadBytes -= chunk.length
    return chunk
  }

  #close(end: End): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#signal.removeEventListener('abort', this.#onAbort)
    if (typeof end === 'object') this.#head.reject(end.cause)
    this.#listener.closed(this)
    this.#wake()
  }

  readonly #onAbort = (): void => {
    this.abort(this.#signal.reason)
    this.#listener.aborted(this.#signal.reason)
  }
}
