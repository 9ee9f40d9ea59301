import type { Clock } from '../clock.ts'
import type { GroupAction } from '../group/decision.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { GroupObservation } from '../group/observation.ts'
import type { Api } from '../kube/api.ts'
import {
  EndpointSlices,
  Leases,
  Nodes,
  Pods,
  Services,
  type EndpointSlice,
  type Lease,
  type Node,
  type Pod,
  type Service,
} from '../kube/objects.ts'
import { abortOf } from '../lock/abort-of.ts'
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
import { trimEndpointSlice, trimGroup, trimLease, trimNode, trimPod, trimService } from './trim.ts'
import { Watches } from './watches.ts'

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
  /** Name of the Lease, for metrics. */
  readonly name: string
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
  readonly #groups: Watches<LeaderGroup>
  readonly #pods: Watches<Pod>
  readonly #leases: Watches<Lease>
  readonly #services: Watches<Service>
  readonly #slices: Watches<EndpointSlice>
  readonly #nodes: Watches<Node> | undefined
  #elector: Elector | undefined
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
    const brain = new GroupBrain({ cache: this.#cache, actor, clock, random, log, metrics, events, dryRun, authority })
    this.#loop = new Loop(brain, { clock, random })
    const { groups, pods, leases, services, slices, nodes } = this.#cache
    this.#groups = new Watches({ resource: LeaderGroups, trim: trimGroup }, groups, options)
    this.#pods = new Watches({ resource: Pods, trim: trimPod }, pods, options)
    this.#leases = new Watches({ resource: Leases, trim: trimLease, fieldSelector: NO_HEARTBEATS }, leases, options)
    this.#services = new Watches({ resource: Services, trim: trimService }, services, options)
    // All of them, as each kube-proxy watches them: what somebody else puts behind a Service of ours, or in the way of
    // its slices, can bear any label, and must be seen to be told.
    this.#slices = new Watches({ resource: EndpointSlices, trim: trimEndpointSlice }, slices, options)
    // Nodes are no namespace's, and whoever serves single ones may not read them.
    const everywhere = options.namespaces.length === 0
    this.#nodes = everywhere ? new Watches({ resource: Nodes, trim: trimNode }, nodes, options) : undefined
    metrics.onScrape(() => {
      const all = [...groups.all()]
      metrics.groups(all.length, all.filter(isReady).length)
      metrics.queueDepth(this.#loop.depth)
    })
  }

  /** What readiness asks: the lists complete, their watches fresh, and the replicas' Lease read. */
  get checks(): readonly Check[] {
    return [
      this.#groups.check,
      this.#pods.check,
      this.#leases.check,
      this.#services.check,
      this.#slices.check,
      { name: 'leader-election', check: () => this.#electionFault() },
    ]
  }

  #electionFault(): string | undefined {
    if (!this.#options.election || this.#elector?.observed()) return undefined
    return `${this.#options.election.lock.describe} has not been read yet`
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

  /**
   * Groups first: pods are filed under the groups that select them, which is cheap for pods and dear for groups. Nodes
   * only tell zones, which slices may lack: where reading them is forbidden, nothing waits for them.
   */
  async #follow(signal: AbortSignal): Promise<void> {
    const groups = this.#groups.follow(signal)
    await Promise.race([this.#groups.synced, groups])
    const needed = [this.#pods, this.#leases, this.#services, this.#slices]
    const others = Promise.all([...needed.map((each) => each.follow(signal)), this.#nodes?.follow(signal)])
    const synced = Promise.all([...needed.map((each) => each.synced), this.#nodes?.answered])
    await Promise.race([synced, groups, others])
    if (!signal.aborted) this.#begin()
    await Promise.all([groups, others])
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
    const { lock, name, ...timing } = election
    metrics.master(name, false)
    const elector = new Elector({
      ...timing,
      lock,
      clock,
      random,
      onNewLeader: (holder) => log.info(`the operator's Lease names ${holder ?? 'nobody'}`),
      onError: onceInAWhile(clock, (error) => log.warn("the election among the operator's replicas", { error })),
    })
    this.#elector = elector
    await elector.lead(
      async (term) => {
        metrics.master(name, true)
        // When the term ends, so does every request under way: the signal is theirs.
        await this.#act(term.signal)
        metrics.master(name, false)
        log.info('this replica stands by', { why: String(term.signal.reason) })
      },
      { signal },
    )
  }

  async #act(authority: AbortSignal): Promise<void> {
    this.#authority = authority
    this.#options.log.info('this replica acts')
    this.#wakeAll()
    await abortOf(authority)
    this.#authority = undefined
  }
}

/** An outage fails a request each second: the same message is said once a minute. */
function onceInAWhile(clock: Clock, say: (error: Error) => void): (error: Error) => void {
  let last = { message: '', at: -Infinity }
  return (error) => {
    const at = clock.now()
    if (error.message === last.message && at - last.at < 60_000) return
    last = { message: error.message, at }
    say(error)
  }
}

function isReady({ status }: LeaderGroup): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false
}
