import { systemClock, type Clock } from '../clock.ts'
import { standBackMillis } from '../election/timing.ts'
import { Elector } from '../lock/elector.ts'
import { ElectionError, InvalidOptionsError, TermEndedError } from '../lock/errors.ts'
import { GuardedHooks } from '../lock/hooks.ts'
import { NOWHERE, type Surroundings } from '../lock/surroundings.ts'
import type { Term } from '../lock/term.ts'
import { abortOf } from '../lock/abort-of.ts'
import type { LeaderElectionConfig } from './config.ts'
import { followTask, type Task } from './follow-task.ts'
import { leaderMetrics, type LeaderMetric, type LeaderMetrics } from './metrics.ts'
import { violationOf } from './violation.ts'

/** How long one `run` lasts. */
export interface RunOptions {
  /** Its abort ends the candidacy, and a term: its work is told, waited for, and the lock released. */
  readonly signal?: AbortSignal
  /**
   * Ends the candidacy too: `true` at any time (another may have done the task), `false` in a term; so does a rejection,
   * with which `run` then rejects. One task for one run.
   */
  readonly task?: Task
}

/** What the callbacks of a term are about. */
interface Work {
  readonly term: Term
  /** Monotonic time of the last renewal, once the term has ended. */
  renewedAt: number | undefined
}

/** One call of `run`. */
interface Run {
  readonly end: AbortController
  failure: { readonly error: unknown } | undefined
}

/**
 * A candidate with client-go's callbacks: an adapter over an Elector, which does all the timing and all the requests.
 */
export class LeaderElector {
  readonly #config: LeaderElectionConfig
  readonly #elector: Elector
  readonly #errors: GuardedHooks
  readonly #metric: LeaderMetric
  readonly #clock: Clock
  readonly #name: string
  #work: Work | undefined
  /** As onNewLeader was told. */
  #reported = ''
  /** Monotonic time at which the last term had lasted as long as it might, until the next run. */
  #limitedAt: number | undefined

  /**
   * @param surroundings what the process provides where the configuration says nothing
   * @throws InvalidOptionsError with the one violation that client-go would name first, else with all others
   */
  constructor(
    config: LeaderElectionConfig,
    surroundings: Surroundings = NOWHERE,
    metrics: LeaderMetrics = leaderMetrics,
  ) {
    const violation = violationOf(config)
    if (violation !== undefined) throw new InvalidOptionsError([violation])
    const { lock, callbacks: _callbacks, watchDog: _watchDog, name = lock.describe(), ...options } = config
    this.#config = config
    this.#name = name
    this.#clock = config.clock ?? systemClock
    this.#errors = new GuardedHooks(options)
    this.#elector = new Elector(
      {
        ...options,
        lock: lock.lock,
        identity: lock.identity,
        ...(lock.kube ? { kube: lock.kube } : {}),
        onNewLeader: (holder = '') => this.#report(holder),
      },
      surroundings,
    )
    this.#metric = metrics.newLeaderMetric()
    this.#tell('the metric', () => this.#metric.off(name))
  }

  /**
   * Contends, leads one term, and resolves when the callbacks have returned and the lock is released. Whoever wants to
   * lead again calls it again, one at a time; after a term limit it lets others come first.
   *
   * @throws what a callback threw, unless it only says that the term has ended; what the task rejected with
   */
  async run({ signal, task }: RunOptions = {}): Promise<void> {
    const run: Run = { end: new AbortController(), failure: undefined }
    const led = this.#elector.lead((term) => this.#lead(term, run), {
      signal: AbortSignal.any([run.end.signal, ...(signal ? [signal] : [])]),
    })
    // In effect before the first request, which never leaves within the turn that asks for it.
    this.#letOthersComeFirst()
    if (task) void this.#follow(task, run)
    try {
      await led
    } finally {
      run.end.abort()
    }
    if (run.failure) throw run.failure.error
  }

  /** Compares the clock with the term's deadline. False as soon as the end of the term was asked for. */
  isLeader(): boolean {
    return this.#elector.isLeader()
  }

  /** Who held the lock when it was last seen; empty: nobody, or it was never seen. */
  getLeader(): string {
    return this.#elector.observed()?.holder ?? ''
  }

  /**
   * Whether work outlives its term: callbacks that have not returned when the last renewal is further back than the lease
   * duration and `maxTolerableExpiredLeaseSeconds`. Undefined: nothing is wrong.
   */
  check(maxTolerableExpiredLeaseSeconds: number): Error | undefined {
    const work = this.#work
    if (!work || work.term.isCurrent()) return undefined
    const tolerated = (this.#config.leaseDurationSeconds + maxTolerableExpiredLeaseSeconds) * 1000
    if (this.#clock.now() - this.#renewedAt(work) <= tolerated) return undefined
    return new Error(`failed election to renew leadership on lease ${this.#name}`)
  }

  async #lead(term: Term, run: Run): Promise<void> {
    // A hook may have ended it before its work was called: then nothing was led.
    if (term.signal.aborted) return
    const { callbacks, lock } = this.#config
    const work: Work = { term, renewedAt: undefined }
    this.#work = work
    this.#tell('the metric', () => this.#metric.on(this.#name))
    this.#tell('recordEvent', () => lock.recordEvent?.('became leader'))
    const started = promised(() => callbacks.onStartedLeading(term.signal, term))
    started.catch((error: unknown) => {
      if (!term.signal.aborted) fail(run, error)
    })
    // Listens after the work has had the chance to: what it does upon the abort comes before onStoppedLeading.
    await abortOf(term.signal)
    this.#renewedAt(work)
    this.#tell('the metric', () => this.#metric.off(this.#name))
    this.#tell('recordEvent', () => lock.recordEvent?.('stopped leading'))
    const stopped = promised(() => callbacks.onStoppedLeading())
    const results = await Promise.allSettled([started, stopped])
    this.#work = undefined
    const { reason } = term.signal
    if (reason instanceof TermEndedError && reason.reason === 'limit') this.#limitedAt = this.#clock.now()
    // One term is all that a run is for.
    run.end.abort()
    const [first, second] = results.flatMap((result) => (result.status === 'rejected' ? [result] : []))
    if (first && second) throw new AggregateError([first.reason, second.reason], 'both callbacks have thrown')
    if (first && !run.failure) throw first.reason
  }

  /** Exactly, if the term was still current when it ended; else no later than it was: others may lead by now. */
  #renewedAt(work: Work): number {
    const { renewDeadlineSeconds } = this.#config
    return (work.renewedAt ??= this.#clock.now() + work.term.remainingMillis() - renewDeadlineSeconds * 1000)
  }

  /** The fork of client-go that had term limits left this to its callers. */
  #letOthersComeFirst(): void {
    if (this.#limitedAt === undefined) return
    const millis = standBackMillis({ retryPeriodMillis: this.#config.retryPeriodSeconds * 1000 })
    const left = this.#limitedAt + millis - this.#clock.now()
    this.#limitedAt = undefined
    void this.#elector.stepDown({ standBackSeconds: Math.max(left, 0) / 1000 })
  }

  async #follow(task: Task, run: Run): Promise<void> {
    try {
      if (await followTask(task, () => this.#work !== undefined && !run.end.signal.aborted)) run.end.abort()
    } catch (error) {
      if (run.end.signal.aborted) this.#complain('the task', error)
      else fail(run, error)
    }
  }

  /** A new run looks at the lock anew; whom it finds there may have been told of already. */
  #report(holder: string): unknown {
    if (holder === this.#reported) return undefined
    this.#reported = holder
    return this.#config.callbacks.onNewLeader?.(holder)
  }

  #tell(what: string, call: () => unknown): void {
    promised(call).catch((cause: unknown) => this.#complain(what, cause))
  }

  #complain(what: string, cause: unknown): void {
    this.#errors.error(new ElectionError('hook', `${what} has thrown: ${String(cause)}`, { cause }))
  }
}

/** Its candidacy is over because of this error. */
function fail(run: Run, error: unknown): void {
  run.failure ??= { error }
  run.end.abort()
}

/** Called at once; what it throws is a rejection. */
async function promised(call: () => unknown): Promise<unknown> {
  return await call()
}
