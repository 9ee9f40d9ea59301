import { createHash, type Hash } from 'node:crypto'

/** One line of a story. */
export interface Line {
  /** True time, in milliseconds since the start. */
  readonly at: number
  readonly who: string
  readonly what: string
}

const HASHED_AT_ONCE = 16_384

/** What happened in a run, in order. All of it goes into a hash; the lines are kept only where somebody will read them. */
export class Trace {
  readonly lines: Line[] = []
  /** Whether lines are kept. */
  readonly isTold: boolean
  readonly #hash: Hash = createHash('sha256')
  /** Facts that are not in the hash yet: each update is a call out of the program. */
  #facts = ''

  constructor(isTold: boolean) {
    this.isTold = isTold
  }

  /** A fact by which two runs are compared. */
  fact(text: string): void {
    this.#facts += `${text}\n`
    if (this.#facts.length >= HASHED_AT_ONCE) this.#flush()
  }

  /** For the reader: what is costly to make is made only if it is told. */
  tell(at: number, who: string, what: () => string): void {
    if (this.isTold) this.lines.push({ at, who, what: what() })
  }

  digest(): string {
    this.#flush()
    return this.#hash.digest('hex').slice(0, 16)
  }

  #flush(): void {
    this.#hash.update(this.#facts)
    this.#facts = ''
  }
}
