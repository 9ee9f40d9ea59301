import { deadline, type Clock } from '../clock.ts'
import type { Instant } from '../election/observation.ts'
import { timerUnlessAborted } from '../etcd/timer-unless-aborted.ts'
import { wallGainMillis } from '../etcd/wall-gain.ts'
import { asElectionError } from '../lock/errors.ts'
import type { GuardedHooks } from '../lock/hooks.ts'
import type { Lock } from '../lock/lock.ts'
import { Loop, type Decision } from '../loop.ts'

/**
 * Theory of operation.
 *
 * Whoever elects in the new way begins to work a whole ttl after the lock came to be. So a read that finds no lock
 * permits to work in the old way for less than a ttl from its *start*, by whatever other clock. A share of that is for
 * further reads, the rest for the work to stop in: a lock that cannot be read must be taken for one that is there.
 */
export interface AbsenceObservation {
  readonly ttlMillis: number
  readonly clockDrift: number
  /** Start of the last read that found no lock. */
  readonly absentAt: Instant | undefined
  /** The last word was that there is a lock. */
  readonly exists: boolean
  readonly readAt: number
  readonly watch: 'none' | 'closed' | 'open'
  readonly watchAt: number
}

export type AbsenceAction = 'read' | 'watch'

/** Reads in a ttl; twice as many as in OpenShift, so that one may fail. */
const READS_PER_TTL = 4
/** The share of a ttl after which an older read proves nothing, and the work is told to stop. */
const PROOF_FRACTION = 1 / 2
const RETRY_MILLIS = 1_000
/** So that a read that hangs leaves time for another one. */
const TIMEOUTS_PER_TTL = 8

/** Milliseconds for which the absence is still proven; 0 or less: not any more. */
export function provenMillis({ ttlMillis, absentAt, exists }: AbsenceObservation, now: Instant): number {
  return !absentAt || exists ? 0 : leftOf(ttlMillis * PROOF_FRACTION, absentAt, now)
}

/** Milliseconds until those who elect in the new way may work. */
export function exclusiveMillis({ ttlMillis, clockDrift, absentAt }: AbsenceObservation, now: Instant): number {
  return absentAt ? leftOf(ttlMillis / (1 + clockDrift), absentAt, now) : 0
}

function leftOf(millis: number, from: Instant, now: Instant): number {
  return from.monotonic + millis - now.monotonic - wallGainMillis(from, now)
}

/** Pure. A watch only hastens what reads find out. */
export function decideAbsence(o: AbsenceObservation, now: number): Decision<AbsenceAction> {
  const reason = o.exists ? 'the lock exists' : 'the lock is not known to exist'
  const watch: AbsenceAction[] = o.watch === 'closed' && now >= o.watchAt ? ['watch'] : []
  const read: AbsenceAction[] = now >= o.readAt ? ['read'] : []
  const watchAt = o.watch === 'closed' ? o.watchAt : Infinity
  return { actions: [...watch, ...read], wakeAt: Math.min(o.readAt, watchAt), reason }
}

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
    // Even if the lock does not heed the signal.
    const late = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
    try {
      const found = await Promise.race([lock.read(signal), late])
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
