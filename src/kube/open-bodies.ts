/** What is needed of a stream: the library's declarations name no package. */
interface Body extends AsyncIterable<unknown> {
  once(event: 'close', listener: () => void): unknown
  destroy(error: Error): unknown
}

/** Of one that was ended: its connection is taken for dead. */
export class Silent extends Error {
  override readonly name = 'Silent'
  constructor() {
    super('nothing came since before a request that had no answer in time')
  }
}

/**
 * The bodies that are not read to their end, which of watches is for minutes, and an order of what was heard when.
 *
 * A watch may be silent for a minute, so its own limit is long (`watch.ts`). When the network drops connections without a
 * word, requests find out in seconds: then whatever has not been heard of for as long as one of them waited is ended,
 * and can be opened anew. That costs a healthy watch in a quiet world one request. One of which something came meanwhile
 * goes on, so that a server which is merely slow does not lose its watches.
 */
export class OpenBodies {
  /** Grows with all that is sent and heard. */
  #now = 0
  /** When each was last heard of. */
  readonly #heard = new Map<Body, number>()

  /** The present, for {@link endSilent}. */
  now(): number {
    return (this.#now += 1)
  }

  /** The same bytes. */
  async *follow(body: Body): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of body) {
      if (this.#heard.has(body)) this.#heard.set(body, this.now())
      yield chunk as Uint8Array
    }
  }

  open(body: Body): void {
    this.#heard.set(body, this.now())
    body.once('close', () => this.#heard.delete(body))
  }

  endSilent(since: number): void {
    for (const [body, heard] of this.#heard) if (heard < since) body.destroy(new Silent())
  }
}
