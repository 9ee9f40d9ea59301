import { deadline, type Clock } from '../clock.ts'
import type { Action } from '../election/decide.ts'
import type { Instant } from '../election/observation.ts'
import type { Event } from '../election/observe.ts'
import type { Versioned } from '../election/record.ts'
import { throwOnAbort } from './abort-of.ts'
import { asElectionError, ElectionError } from './errors.ts'
import type { Lock } from './lock.ts'
import type { ElectorSettings } from './options.ts'

/** client-go's rule: a request that took all of renewDeadline would leave no time for a second try. */
const SHORTEST_TIMEOUT_MILLIS = 1_000

/** Where the answers go. */
export interface Answers {
  readonly now: () => Instant
  readonly fold: (event: Event) => void
  readonly report: (error: ElectionError) => void
}

/** An elector's requests to its lock. Every answer becomes an event, every fault is reported as well. */
export class Requests {
  readonly #lock: Lock
  readonly #clock: Clock
  readonly #answers: Answers
  readonly #timeoutMillis: number
  #reading: AbortController | undefined

  constructor({ lock, clock, timing }: ElectorSettings, answers: Answers) {
    this.#lock = lock
    this.#clock = clock
    this.#answers = answers
    this.#timeoutMillis = Math.max(timing.renewDeadlineMillis / 2, SHORTEST_TIMEOUT_MILLIS)
  }

  async read(): Promise<void> {
    const { now, fold } = this.#answers
    const startedAt = now()
    this.#reading = new AbortController()
    const { signal } = this.#reading
    try {
      const found = await this.#limited('read', (limit) => this.#lock.read(limit), signal)
      if (found !== 'absent') this.#checkVersion(found)
      fold({ kind: 'read', at: now(), startedAt, found })
    } catch (error) {
      const failure = this.#electionError('read', error)
      fold(failed(failure, now(), startedAt))
      if (!signal.aborted) this.#answers.report(failure)
    } finally {
      this.#reading = undefined
    }
  }

  /** Nobody waits for the read under way any more. A write is never given up: it might happen all the same. */
  giveUpReading(): void {
    this.#reading?.abort()
  }

  async write({ purpose, record, version }: Extract<Action, { kind: 'write' }>): Promise<void> {
    const { now, fold } = this.#answers
    const startedAt = now()
    const attempt = { purpose, record, startedAt }
    // Before the request, for a watch may tell of the write before its own answer comes.
    fold({ kind: 'sent', at: startedAt, attempt })
    try {
      const found = await this.#limited(purpose, (limit) => this.#lock.write(record, version, limit))
      if (found === 'conflict') return fold({ kind: 'conflict', at: now(), attempt })
      this.#checkVersion(found)
      fold({ kind: 'wrote', at: now(), attempt, found })
    } catch (error) {
      const failure = this.#electionError(purpose, error)
      fold(failed(failure, now(), startedAt))
      this.#answers.report(failure)
    }
  }

  /** Opens the watch and returns; it goes on beside the requests until it ends or `signal` aborts. */
  watch(signal: AbortSignal): void {
    this.#answers.fold({ kind: 'watching', at: this.#answers.now(), open: true })
    void this.#follow(signal)
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { now, fold } = this.#answers
    try {
      for await (const found of this.#lock.watch?.(signal) ?? []) {
        if (signal.aborted) return
        if (found !== 'absent') this.#checkVersion(found)
        fold({ kind: 'watched', at: now(), found })
      }
    } catch (error) {
      if (!signal.aborted) this.#answers.report(this.#electionError('watch', error))
    }
    if (!signal.aborted) fold({ kind: 'watching', at: now(), open: false })
  }

  /** Rejects at the deadline even if the lock does not heed the signal: a request that hangs must not stop the rest. */
  async #limited<T>(what: string, call: (limit: AbortSignal) => Promise<T>, parent?: AbortSignal): Promise<T> {
    using limit = deadline(this.#clock, `${what} ${this.#lock.describe}`, this.#timeoutMillis, parent)
    const { signal } = limit
    return await Promise.race([call(signal), throwOnAbort(signal)])
  }

  #checkVersion({ version }: Versioned): void {
    if (/^\d+$/.test(version)) return
    throw new ElectionError(
      'invalid',
      `${this.#lock.describe}: version ${JSON.stringify(version)} is no decimal integer`,
    )
  }

  #electionError(what: string, error: unknown): ElectionError {
    return asElectionError(`${what} ${this.#lock.describe}`, error)
  }
}

function failed({ retryAfterMillis }: ElectionError, at: Instant, startedAt: Instant): Event {
  return { kind: 'failed', at, startedAt, ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }) }
}
