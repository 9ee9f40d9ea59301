import { createHash, type Hash } from 'node:crypto'

/** One line of a story. */
export interface Line {
  /** True time, in milliseconds since the start. */
  readonly at: number
  readonly who: string
  readonly what: string
}

/** What happened in a run, in order. All of it goes into a hash; the lines are kept only where somebody will read them. */
export class Trace {
  readonly lines: Line[] = []
  /** Whether lines are kept. */
  readonly isTold: boolean
  readonly #hash: Hash = createHash('sha256')

  constructor(isTold: boolean) {
    this.isTold = isTold
  }

  /** A fact by which two runs are compared. */
  fact(text: string): void {
    this.#hash.update(text).update('\n')
  }

  /** For the reader: what is costly to make is made only if it is told. */
  tell(at: number, who: string, what: () => string): void {
    if (this.isTold) this.lines.push({ at, who, what: what() })
  }

  digest(): string {
    return this.#hash.digest('hex').slice(0, 16)
  }
}
