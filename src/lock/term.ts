import type { EndReason } from '../election/observation.ts'
import { TermEndedError } from './errors.ts'

/** One uninterrupted leadership. Disposing it says that its work is done: the lock is released. */
export interface Term extends AsyncDisposable {
  /** leaseTransitions: what every client shows. */
  readonly number: number
  /**
   * The fencing token: the version of the write that acquired. It grows from term to term, even if the lock object is
   * deleted in between.
   */
  readonly token: bigint
  /** Who leads: that of the elector. */
  readonly identity: string
  /**
   * Aborts, with a {@link TermEndedError}, when the work should stop: the term is over, or its end was asked for.
   * It lags when the event loop stalls; before an act that must not be done twice, ask {@link isCurrent}.
   */
  readonly signal: AbortSignal
  /**
   * Whether nobody else can lead now, by comparing clocks. After a wish to end (`stepDown`, `aborted`) this stays true,
   * within the deadline, until the work has returned: nothing is released before.
   */
  isCurrent(): boolean
  /** @throws TermEndedError unless {@link isCurrent} */
  assertCurrent(): void
  /** Until the deadline, as far as it is known now; 0 once the term is over. */
  remainingMillis(): number
}

/** What a term asks of the candidacy that holds it. */
export interface Tenant {
  /** Milliseconds until the deadline, 0 once the term is over: then {@link ElectedTerm.end} has been called. */
  remainingMillis(): number
  /** The work is done; resolves when the lock is released, or is not ours any more. */
  finish(): Promise<void>
}

export class ElectedTerm implements Term {
  readonly number: number
  readonly token: bigint
  readonly identity: string
  readonly #tenant: Tenant
  readonly #controller = new AbortController()

  constructor(facts: { number: number; token: string; identity: string }, tenant: Tenant) {
    this.number = facts.number
    this.token = BigInt(facts.token)
    this.identity = facts.identity
    this.#tenant = tenant
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  isCurrent(): boolean {
    return this.#tenant.remainingMillis() > 0
  }

  assertCurrent(): void {
    if (!this.isCurrent()) throw this.signal.reason
  }

  remainingMillis(): number {
    return this.#tenant.remainingMillis()
  }

  /** The first reason stays. */
  end(reason: EndReason): void {
    this.#controller.abort(new TermEndedError(reason, this.number))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#tenant.finish()
  }
}
