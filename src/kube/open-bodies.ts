import type { Exchange } from './exchange.ts'

/** Of one that was ended: its connection is taken for dead. */
export class Silent extends Error {
  override readonly name = 'Silent'
  constructor() {
    super('nothing came since before a request that had no answer in time')
  }
}

/**
 * The responses that are not at their end, which of watches is for minutes, and an order of what was heard when.
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
  readonly #heard = new Map<Exchange, number>()

  /** The present, for {@link endSilent}. */
  now(): number {
    return (this.#now += 1)
  }

  /** Its head is there. */
  open(exchange: Exchange): void {
    if (!exchange.isOver) this.#heard.set(exchange, this.now())
  }

  heard(exchange: Exchange): void {
    if (this.#heard.has(exchange)) this.#heard.set(exchange, this.now())
  }

  closed(exchange: Exchange): void {
    this.#heard.delete(exchange)
  }

  endSilent(since: number): void {
    for (const [exchange, heard] of this.#heard) if (heard < since) exchange.abort(new Silent())
  }
}
