import { deadline, type Clock } from '../clock.ts'
import type { Instant } from '../election/observation.ts'
import { timerUnlessAborted } from '../etcd/timer-unless-aborted.ts'
import { throwOnAbort } from '../lock/abort-of.ts'
import { asElectionError } from '../lock/errors.ts'
import type { GuardedHooks } from '../lock/hooks.ts'
import type { Lock } from '../lock/lock.ts'
import { Loop } from '../loop.ts'
import {
  decideAbsence,
  exclusiveMillis,
  provenMillis,
  type AbsenceAction,
  type AbsenceObservation,
} from './decide-absence.ts'

/** Reads in a ttl; twice as many as in OpenShift, so that one may fail. */
const READS_PER_TTL = 4
const RETRY_MILLIS = 1_000
/** So that a read that hangs leaves time for another one. */
const TIMEOUTS_PER_TTL = 8

export interface AbsenceOptions {
  readonly lock: Lock
  readonly ttlMillis: number
  readonly clockDrift: number
  readonly hooks: GuardedHooks
  readonly clock: Clock
  readonly random: () => number
}

/** Looks after a lock that is not to exist yet: the shell around `decideAbsence`. Call `start` first, `stop` last. */
export class Absence {
  readonly #options: AbsenceOptions
  readonly #clock: Clock
  readonly #loop: Loop<AbsenceObservation, AbsenceAction>
  readonly #over = new AbortController()
  #waiting: (() => void)[] = []
  #o: AbsenceObservation

  constructor(options: AbsenceOptions) {
    const { lock, ttlMillis, clockDrift, clock, random } = options
    this.#options = options
    this.#clock = clock
    this.#o = {
      ttlMillis,
      clockDrift,
      absentAt: undefined,
      exists: false,
      readAt: -Infinity,
      watch: lock.watch ? 'closed' : 'none',
      watchAt: -Infinity,
    }
    this.#loop = new Loop<AbsenceObservation, AbsenceAction>(
      {
        observe: () => this.#o,
        decide: decideAbsence,
        act: async (_key, { actions }) => {
          for (const action of actions) await (action === 'read' ? this.#read() : this.#watch())
          return { kind: 'done' }
        },
        mayAct: () => true,
        failed: (_key, error) => this.#report(error),
      },
      { clock, random },
    )
  }

  start(): void {
    this.#loop.wake(this.#options.lock.describe)
  }

  async stop(): Promise<void> {
    this.#over.abort()
    await this.#loop.stop()
  }

  /** By the clock. */
  isProven(): boolean {
    return provenMillis(this.#o, this.#now()) > 0
  }

  get exists(): boolean {
    return this.#o.exists
  }

  /** Resolves as soon as the absence is proven (`proven` true) or not proven any more (false), or `signal` aborts. */
  async until(proven: boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.isProven() !== proven) {
      const over = new AbortController()
      const stop = (): void => over.abort()
      signal.addEventListener('abort', stop, { once: true })
      this.#waiting.push(stop)
      const left = provenMillis(this.#o, this.#now())
      await timerUnlessAborted(this.#clock, left > 0 ? this.#clock.now() + Math.ceil(left) : Infinity, over.signal)
      signal.removeEventListener('abort', stop)
    }
  }

  /** As a leaser's. */
  async expiry(signal: AbortSignal): Promise<void> {
    do {
      const left = exclusiveMillis(this.#o, this.#now())
      await timerUnlessAborted(this.#clock, this.#clock.now() + Math.max(Math.ceil(left), 0), signal)
    } while (!signal.aborted && exclusiveMillis(this.#o, this.#now()) > 0)
  }

  #now(): Instant {
    return { monotonic: this.#clock.now(), wall: this.#clock.wallNow() }
  }

  #fold(change: Partial<AbsenceObservation>): void {
    this.#o = { ...this.#o, ...change }
    for (const wake of this.#waiting.splice(0)) wake()
    this.#loop.wake(this.#options.lock.describe)
  }

  async #read(): Promise<void> {
    const { lock } = this.#options
    const startedAt = this.#now()
    const readAt = startedAt.monotonic + this.#o.ttlMillis / READS_PER_TTL
    const timeoutMillis = this.#o.ttlMillis / TIMEOUTS_PER_TTL
    using limit = deadline(this.#clock, `read ${lock.describe}`, timeoutMillis, this.#over.signal)
    const { signal } = limit
    try {
      // Even if the lock does not heed the signal.
      const found = await Promise.race([lock.read(signal), throwOnAbort(signal)])
      this.#fold(found === 'absent' ? { exists: false, absentAt: startedAt, readAt } : { exists: true, readAt })
    } catch (error) {
      if (this.#over.signal.aborted) return this.#fold({ readAt: Infinity })
      // What an older read has proven stays proven until its time is over.
      this.#fold({ readAt: this.#clock.now() + RETRY_MILLIS })
      this.#report(error)
    }
  }

  /** Opens the watch and returns; it goes on beside the reads. */
  #watch(): void {
    this.#fold({ watch: 'open' })
    void this.#follow()
  }

  async #follow(): Promise<void> {
    const { signal } = this.#over
    try {
      for await (const found of this.#options.lock.watch?.(signal) ?? []) {
        if (signal.aborted) return
        // That it is gone is for a read to prove, whose start is known.
        this.#fold(found === 'absent' ? { readAt: -Infinity } : { exists: true })
      }
    } catch (error) {
      if (!signal.aborted) this.#report(error)
    }
    if (!signal.aborted) this.#fold({ watch: 'closed', watchAt: this.#clock.now() + RETRY_MILLIS })
  }

  #report(error: unknown): void {
    this.#options.hooks.error(asElectionError(this.#options.lock.describe, error))
  }
}
