const OPENING_BRACE = 0x7b
const OPENING_BRACKET = 0x5b
const CLOSING_BRACE = 0x7d
const CLOSING_BRACKET = 0x5d
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c

/** What stands before the items of a list as the API server writes it, JSON without blanks. */
const BEFORE_ITEMS = /[{,]"items":$/

/**
 * Cuts the items out of the text of a list, however its chunks were cut, and leaves the rest.
 *
 * Only brackets and strings are looked at: what is no JSON is left to whoever parses the pieces, and a list in which no
 * items are found is rest as a whole.
 */
export class ItemSplitter {
  #depth = 0
  #inString = false
  #isEscaped = false
  #where: 'before' | 'items' | 'after' = 'before'
  /** Bytes of the rest, and of the item that has begun, in pieces: a chunk may end within a character. */
  readonly #rest: Uint8Array[] = []
  #begun: Uint8Array[] = []
  #count = 0

  /** The text of each item that ends in this chunk. */
  split(chunk: Uint8Array): readonly string[] {
    const ended: string[] = []
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (byte === BACKSLASH) this.#isEscaped = true
        else if (byte === QUOTE) this.#inString = false
        continue
      }
      switch (byte) {
        case QUOTE:
          this.#inString = true
          break
        case OPENING_BRACE:
        case OPENING_BRACKET:
          this.#depth++
          if (byte === OPENING_BRACE || this.#depth !== 2 || this.#where !== 'before') break
          if (!BEFORE_ITEMS.test(decode([...this.#rest, chunk.subarray(0, at)]))) break
          this.#rest.push(chunk.subarray(0, at + 1))
          this.#where = 'items'
          start = at + 1
          break
        case CLOSING_BRACE:
        case CLOSING_BRACKET:
          this.#depth--
          if (this.#depth !== 1 || this.#where !== 'items') break
          this.#where = 'after'
          if (this.#count > 0 || this.#begun.length > 0 || at > start) ended.push(this.#end(chunk.subarray(start, at)))
          start = at
          break
        case COMMA:
          if (this.#depth !== 2 || this.#where !== 'items') break
          ended.push(this.#end(chunk.subarray(start, at)))
          start = at + 1
      }
    }
    if (start < chunk.length) (this.#where === 'items' ? this.#begun : this.#rest).push(chunk.subarray(start))
    return ended
  }

  /** The text of the list without its items, which are an empty array there. */
  get rest(): string {
    return decode(this.#rest)
  }

  #end(last: Uint8Array): string {
    const text = decode([...this.#begun, last])
    this.#begun = []
    this.#count++
    return text
  }
}

function decode(pieces: readonly Uint8Array[]): string {
  const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
