import type { Clock } from '../clock.ts'
import type { GroupAction } from '../group/decision.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { GroupObservation } from '../group/observation.ts'
import type { Api } from '../kube/api.ts'
import { Leases, Pods } from '../kube/objects.ts'
import { Elector } from '../lock/elector.ts'
import type { Lock } from '../lock/lock.ts'
import { Loop } from '../loop.ts'
import { Actor } from './act.ts'
import { GroupBrain } from './brain.ts'
import { Cache } from './cache.ts'
import type { EventRecorder } from './events.ts'
import type { Check } from './health.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { LeaderGroups } from './resources.ts'
import { trimGroup, trimLease, trimPod } from './trim.ts'
import { Watches, type WatchesOptions } from './watches.ts'

export interface OperatorOptions {
  readonly api: Api
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Empty: all. */
  readonly namespaces: readonly string[]
  readonly log: Log
  readonly metrics: Metrics
  readonly events: EventRecorder
  /** Absent: this process acts without asking other replicas. Two that do are still safe, only wasteful. */
  readonly election: OperatorElection | undefined
  readonly dryRun: boolean
}

export interface OperatorElection {
  readonly lock: Lock
  readonly identity: string
  readonly leaseDurationSeconds: number
  readonly renewDeadlineSeconds: number
  readonly retryPeriodSeconds: number
}

/** Node heartbeats are Leases too, one every 10 s for each node, and no group can be among them. */
const NO_HEARTBEATS = 'metadata.namespace!=kube-node-lease'

/**
 * Every replica watches and decides, so that a takeover starts warm; only the elected one acts. Its own election saves
 * work; the safety of the groups does not rest on it (`group/held.ts`).
 */
export class GroupOperator {
  readonly #options: OperatorOptions
  readonly #cache: Cache
  readonly #loop: Loop<GroupObservation, GroupAction>
  readonly #checks: Check[] = []
  /** Aborts when this process may not act any more. */
  #authority: AbortSignal | undefined
  #synced = false

  constructor(options: OperatorOptions) {
    this.#options = options
    const { api, clock, random, log, metrics, events, dryRun } = options
    // Nothing is decided on half a picture: a pod that is not listed yet would look like one that is gone.
    this.#cache = new Cache(clock, (key) => this.#synced && this.#loop.wake(key))
    const actor = new Actor(api, this.#cache, clock)
    const authority = (): AbortSignal | undefined => this.#authority
    const brain = new GroupBrain({ cache: this.#cache, actor, clock, log, metrics, events, dryRun, authority })
    this.#loop = new Loop(brain, { clock, random })
    metrics.onScrape(() => {
      const groups = [...this.#cache.groups.all()]
      metrics.groups(groups.length, groups.filter(isReady).length)
      metrics.queueDepth(this.#loop.depth)
    })
  }

  /** What readiness asks: `leadergroups`, `pods` and `leases` listed and their watches fresh. */
  get checks(): readonly Check[] {
    return [
      { name: 'synced', check: () => (this.#synced ? undefined : 'the first lists are not complete') },
      ...this.#checks,
    ]
  }

  /**
   * Runs until `signal` aborts; then no write begins any more, those under way end, its Lease is released, and it
   * resolves. Rejects on a fault of the program.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { log, namespaces } = this.#options
    const end = new AbortController()
    const failed = Promise.withResolvers<never>()
    // Unhandled only if nothing ever awaits it: `race` below does.
    failed.promise.catch(() => undefined)
    const running = this.#follow(end.signal).catch(failed.reject)
    log.info('the operator starts', { namespaces: namespaces.length > 0 ? namespaces.join(',') : 'all' })
    try {
      await Promise.race([this.#contend(signal), failed.promise])
    } finally {
      await this.#loop.stop()
      end.abort()
      await running
      log.info('the operator has stopped')
    }
  }

  /** Groups first: pods are filed under the groups that select them, which is cheap for pods and dear for groups. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { api, clock, random, metrics, namespaces } = this.#options
    const options: WatchesOptions = { api, clock, random, metrics, namespaces, signal }
    const groups = new Watches(LeaderGroups, this.#cache.groups, trimGroup, options)
    this.#checks.push(groups.check)
    await Promise.race([groups.synced, groups.ended])
    const pods = new Watches(Pods, this.#cache.pods, trimPod, options)
    const leases = new Watches(Leases, this.#cache.leases, trimLease, { ...options, fieldSelector: NO_HEARTBEATS })
    this.#checks.push(pods.check, leases.check)
    const ended = Promise.all([groups.ended, pods.ended, leases.ended])
    await Promise.race([Promise.all([pods.synced, leases.synced]), ended])
    if (!signal.aborted) this.#begin()
    await ended
  }

  #begin(): void {
    this.#synced = true
    this.#options.log.info('all lists are complete', { groups: [...this.#cache.groups.all()].length })
    this.#wakeAll()
  }

  #wakeAll(): void {
    if (this.#synced) for (const key of this.#cache.keys()) this.#loop.wake(key)
  }

  async #contend(signal: AbortSignal): Promise<void> {
    const { election, clock, random, log, metrics } = this.#options
    if (!election) {
      await this.#act(signal)
      return
    }
    const { lock, ...timing } = election
    const elector = new Elector({
      ...timing,
      lock,
      clock,
      random,
      onNewLeader: (holder) =>
        log.info(holder ? `the operator's Lease names ${holder}` : "the operator's Lease names nobody"),
      onError: (error) => log.warn("the operator's own election", { error }),
    })
    await elector.lead(
      async (term) => {
        metrics.master(lock.describe, true)
        // When the term ends, so does every request under way: the signal is theirs.
        await this.#act(term.signal)
        metrics.master(lock.describe, false)
        log.info('this replica stands by', { why: String(term.signal.reason) })
      },
      { signal },
    )
  }

  async #act(authority: AbortSignal): Promise<void> {
    this.#authority = authority
    this.#options.log.info('this replica acts')
    this.#wakeAll()
    await new Promise<void>((resolve) => {
      if (authority.aborted) resolve()
      authority.addEventListener('abort', () => resolve(), { once: true })
    })
    this.#authority = undefined
  }
}

function isReady({ status }: LeaderGroup): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false
}
