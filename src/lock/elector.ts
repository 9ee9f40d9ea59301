import { standBackMillis } from '../election/timing.ts'
import { Candidacy } from './candidacy.ts'
import { parseOptions, type ElectorOptions, type ElectorSettings } from './options.ts'
import { asElectionError, InvalidOptionsError } from './errors.ts'
import { NOWHERE, type Surroundings } from './surroundings.ts'
import type { Term } from './term.ts'

/** What an elector has last seen of its lock. */
export interface Observed {
  /** Absent: nobody holds it. */
  readonly holder?: string
  /** leaseTransitions. */
  readonly number: number
  /** As its holder's wall clock says. Nothing is decided by it. */
  readonly renewTime?: Date
  /** How long ago the record changed, by this process's clock. */
  readonly changedMillisAgo: number
}

/** How long to contend. */
export interface ContendOptions {
  /** Its abort ends the contending: for `lead` and `terms` a term too, whose work is told and waited for. */
  readonly signal?: AbortSignal
}

/**
 * Leader election on a lock. At most one of all electors of a lock leads at any instant, as long as their clocks' rates
 * differ by no more than `clockDrift` and identities are unique.
 *
 * One use at a time: `lead`, `terms` or `acquire`. Nothing is requested before, and nothing is left after.
 */
export class Elector implements AsyncDisposable {
  readonly #settings: ElectorSettings
  #candidacy: Candidacy | undefined
  #isContending = false
  /** Of the present candidacy, whoever asked for its end first: its contender, its signal, or the disposal. */
  #leaving: Promise<void> | undefined
  #isPaused = false
  #isDisposed = false

  /**
   * @param surroundings what the process provides where the options say nothing
   * @throws InvalidOptionsError with every violation
   */
  constructor(options: ElectorOptions, surroundings: Surroundings = NOWHERE) {
    this.#settings = parseOptions(options, surroundings)
  }

  /**
   * Contends, works, and contends again when the term was lost before the work returned. Resolves with the value of the
   * first work that returned in its term; with undefined once `signal` has aborted, the work has returned and all is
   * released. Rejects with the work's error, unless that only says that the term ended.
   */
  async lead<T>(work: (term: Term) => T | Promise<T>, { signal }: ContendOptions = {}): Promise<T | undefined> {
    for await (const term of this.terms(signal ? { signal } : {})) {
      try {
        const value = await work(term)
        if (!term.signal.aborted && term.isCurrent()) return value
      } catch (error) {
        if (!isEndOf(term, error)) throw error
      }
    }
    return undefined
  }

  /**
   * The terms of this elector, one after the other. `next()` says that the work of the last one is done: it is released
   * if it still stands. An abort ends the iteration; so does leaving the loop, which releases too.
   */
  async *terms({ signal }: ContendOptions = {}): AsyncGenerator<Term, void, void> {
    const candidacy = this.#enter()
    const stop = (): void => candidacy.withdraw()
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    try {
      for (let term = await candidacy.next(); term; term = await candidacy.next()) {
        try {
          yield term
        } finally {
          void candidacy.finish(term)
        }
      }
    } finally {
      signal?.removeEventListener('abort', stop)
      await this.#leave(candidacy)
    }
  }

  /**
   * Waits for one term, whose disposal ends it: `await using term = await elector.acquire()`. `signal` ends the waiting
   * and rejects with its reason; it does not end a term.
   */
  async acquire({ signal }: ContendOptions = {}): Promise<Term> {
    signal?.throwIfAborted()
    const candidacy = this.#enter()
    const stop = (): void => candidacy.withdraw()
    signal?.addEventListener('abort', stop, { once: true })
    const term = await candidacy.next()
    signal?.removeEventListener('abort', stop)
    if (term && !signal?.aborted) {
      // Whether disposed of or lost: this was the one term asked for.
      if (term.signal.aborted) void this.#leave(candidacy)
      else term.signal.addEventListener('abort', () => void this.#leave(candidacy), { once: true })
      return term
    }
    if (term) void candidacy.finish(term)
    await this.#leave(candidacy)
    signal?.throwIfAborted()
    throw new Error('the elector was disposed of before it could acquire')
  }

  /**
   * Ends the term, and acquires none for a while after its work has returned, so that others can. Resolves when the lock
   * is released, or at the term's deadline. Without a term it only stands back.
   *
   * @param options.standBackSeconds default 2.2 × retryPeriod, in which every client-go elector tries once
   * @throws InvalidOptionsError
   */
  async stepDown(options: { standBackSeconds?: number } = {}): Promise<void> {
    const { standBackSeconds } = options
    if (standBackSeconds === undefined) return this.#candidacy?.stepDown(standBackMillis(this.#settings.timing))
    if (!(Number.isFinite(standBackSeconds) && standBackSeconds >= 0)) {
      throw new InvalidOptionsError([`standBackSeconds must be 0 or more: it is ${standBackSeconds}`])
    }
    await this.#candidacy?.stepDown(standBackSeconds * 1000)
  }

  /** Ends the term as `stepDown` does, and looks on until `resume`. */
  async pause(): Promise<void> {
    this.#isPaused = true
    await this.#candidacy?.setPaused(true)
  }

  /** Contends again after `pause`. */
  resume(): void {
    this.#isPaused = false
    void this.#candidacy?.setPaused(false)
  }

  /** Compares the clock with the term's deadline. False as soon as the end of the term was asked for. */
  isLeader(): boolean {
    return this.#candidacy?.isLeader() ?? false
  }

  /** Undefined before the first look at the lock, and when there is no lock object. */
  observed(): Observed | undefined {
    const sight = this.#candidacy?.observation.sight
    if (sight?.kind !== 'record') return undefined
    const { holderIdentity, leaseTransitions, renewTime } = sight.record
    return {
      ...(holderIdentity === '' ? {} : { holder: holderIdentity }),
      number: leaseTransitions,
      ...(renewTime === undefined ? {} : { renewTime: new Date(renewTime) }),
      changedMillisAgo: this.#settings.clock.now() - sight.since,
    }
  }

  /** Ends the work, waits for it until the deadline, releases. Afterwards nothing is left, and the elector of no use. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    if (this.#isContending && this.#candidacy) await this.#leave(this.#candidacy)
  }

  #enter(): Candidacy {
    if (this.#isDisposed) throw new Error('the elector has been disposed of')
    if (this.#isContending) throw new Error('the elector is contending already: one lead, terms or acquire at a time')
    this.#isContending = true
    this.#leaving = undefined
    const candidacy = new Candidacy(this.#settings)
    this.#candidacy = candidacy
    if (this.#isPaused) void candidacy.setPaused(true)
    candidacy.start()
    return candidacy
  }

  #leave(candidacy: Candidacy): Promise<void> {
    candidacy.withdraw()
    this.#leaving ??= this.#end(candidacy)
    return this.#leaving
  }

  async #end(candidacy: Candidacy): Promise<void> {
    const { lock, hooks } = this.#settings
    await candidacy.closed
    await lock.close?.().catch((error: unknown) => hooks.error(asElectionError(`close ${lock.describe}`, error)))
    this.#isContending = false
  }
}

/** Work that was told to stop may say so by throwing: what it was told, or the usual AbortError. */
function isEndOf(term: Term, error: unknown): boolean {
  if (!term.signal.aborted) return false
  return error === term.signal.reason || (error instanceof Error && error.name === 'AbortError')
}
