/** An elector in this process, and when it led by its own word. */
import type { TermEndedError } from '../src/lock/errors.ts'
import type { ContendOptions } from '../src/lock/elector.ts'
import type { Term as Leading } from '../src/lock/term.ts'
import { monotonicMillis } from './candidates/line.ts'
import type { Term } from './candidates/terms.ts'
import { eventually } from './controlplane/eventually.ts'

/** What an elector and a coordinated one have in common. */
export interface Leader {
  lead<T>(work: (term: Leading) => T | Promise<T>, options: ContendOptions): Promise<T | undefined>
  isLeader(): boolean
}

const SOON_MILLIS = 40_000

export class Contender implements AsyncDisposable {
  readonly identity: string
  readonly terms: Term[] = []
  readonly tokens: bigint[] = []
  readonly numbers: number[] = []
  /** Why its terms ended. */
  readonly ends: string[] = []
  readonly #elector: Leader
  readonly #stop = new AbortController()
  readonly #ended: Promise<unknown>

  constructor(identity: string, elector: Leader) {
    this.identity = identity
    this.#elector = elector
    this.#ended = elector.lead((term) => this.#work(term), { signal: this.#stop.signal })
  }

  get isLeading(): boolean {
    return this.#elector.isLeader() && this.terms.at(-1)?.toMillis === Infinity
  }

  /** Resolves when it leads, for the `count`th time. */
  async leads(count = 1): Promise<void> {
    await eventually({ what: `${this.identity} leads`, millis: SOON_MILLIS, intervalMillis: 10 }, () =>
      Promise.resolve((this.terms.length >= count && this.isLeading) || undefined),
    )
  }

  /** Resolves when its `count`th term has ended, with the reason. */
  async ended(count = 1): Promise<string> {
    return eventually({ what: `${this.identity} has ended`, millis: SOON_MILLIS, intervalMillis: 10 }, () =>
      Promise.resolve(this.ends[count - 1]),
    )
  }

  /** Ends gracefully. */
  async leave(): Promise<void> {
    this.#stop.abort(new Error('it was asked to stop'))
    await this.#ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  async #work(term: Leading): Promise<void> {
    const index = this.terms.push({ identity: this.identity, fromMillis: monotonicMillis(), toMillis: Infinity }) - 1
    this.tokens.push(term.token)
    this.numbers.push(term.number)
    if (!term.signal.aborted) {
      await new Promise((resolve) => term.signal.addEventListener('abort', resolve, { once: true }))
    }
    this.terms[index] = { ...this.terms[index]!, toMillis: monotonicMillis() }
    this.ends.push((term.signal.reason as TermEndedError).reason)
  }
}
