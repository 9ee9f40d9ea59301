import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Freshness } from '../kube/watch.ts'

/** As controller-runtime counts them. `requeue`: somebody else was faster; `requeue_after`: a wake-up by time is set. */
export type ReconcileResult = 'success' | 'error' | 'requeue' | 'requeue_after'

export interface RequestReport {
  readonly method: string
  readonly host: string
  /** Absent: there was no response. */
  readonly status: number | undefined
  /** Until the headers of the response. */
  readonly seconds: number
}

/** What the operator is to those who know controller-runtime: a controller of this name, with a queue of this name. */
const CONTROLLER = 'leadergroup'

/** controller-runtime's, so that its dashboards show the same buckets. */
const RECONCILE_BUCKETS_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
]
/** client-go's. */
const REQUEST_BUCKETS_SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]
/** A failover takes one write after the other: a few milliseconds each, or as long as the API server is slow. */
const FAILOVER_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** What client-go writes where a request got no response. */
const NO_RESPONSE = '<error>'

/**
 * What Prometheus scrapes. Names of controller-runtime and client-go mean here exactly what they mean there, so that
 * their dashboards and alerts work; what has no equal there begins with `leadergroup_`.
 */
export class Metrics {
  /** For more metrics of the process than the operator's own. */
  readonly registry = new Registry()
  readonly #clock: Clock
  readonly #collectors: (() => void)[] = []
  readonly #watches = new Map<string, (() => Freshness)[]>()

  readonly #reconciles = this.#counter(
    'controller_runtime_reconcile_total',
    'Decisions about a group that were carried out or tried, by result.',
    ['controller', 'result'],
  )
  readonly #reconcileErrors = this.#counter(
    'controller_runtime_reconcile_errors_total',
    'Decisions about a group that could not be carried out.',
    ['controller'],
  )
  readonly #reconcileSeconds = this.#histogram(
    'controller_runtime_reconcile_time_seconds',
    'Time to carry out one decision about a group.',
    ['controller'],
    RECONCILE_BUCKETS_SECONDS,
  )
  readonly #queueDepth = this.#gauge('workqueue_depth', 'Groups that wait for their turn.', ['name', 'controller'])
  readonly #queueRetries = this.#counter(
    'workqueue_retries_total',
    'Groups that were put off after a failure, to be tried again.',
    ['name', 'controller'],
  )
  readonly #master = this.#gauge(
    'leader_election_master_status',
    'Whether this process holds the Lease of this name: 1 if it acts, 0 if it stands by.',
    ['name'],
  )
  readonly #requests = this.#counter(
    'rest_client_requests_total',
    'Requests to the API server, by HTTP status, method and host.',
    ['code', 'method', 'host'],
  )
  readonly #requestSeconds = this.#histogram(
    'rest_client_request_duration_seconds',
    'Time from the start of a request to the API server to the headers of its response, by verb and host.',
    ['verb', 'host'],
    REQUEST_BUCKETS_SECONDS,
  )
  readonly #groups = this.#gauge('leadergroup_groups', 'LeaderGroups that are served.')
  readonly #groupsReady = this.#gauge('leadergroup_groups_ready', 'LeaderGroups whose condition Ready is True.')
  readonly #transitions = this.#counter(
    'leadergroup_transitions_total',
    'Terms that this process began, by naming a leader in the Lease.',
  )
  readonly #conflicts = this.#counter(
    'leadergroup_conflicts_total',
    'Decisions that were made anew because somebody else had written first.',
  )
  readonly #failoverSeconds = this.#histogram(
    'leadergroup_failover_seconds',
    'Time from the decision to replace a leader to the label on the next.',
    [],
    FAILOVER_BUCKETS_SECONDS,
  )
  readonly #eventsDropped = this.#counter(
    'leadergroup_events_dropped_total',
    'Kubernetes events that were lost: too many were waiting, or the API server did not take them.',
  )

  constructor(clock: Clock) {
    this.#clock = clock
    this.#watchConnected()
    this.#watchLastHeard()
    this.#watchLists()
  }

  reconciled(result: ReconcileResult, seconds: number): void {
    this.#reconciles.inc({ controller: CONTROLLER, result })
    this.#reconcileSeconds.observe({ controller: CONTROLLER }, seconds)
    if (result === 'error') this.#reconcileErrors.inc({ controller: CONTROLLER })
  }

  /** A group is put off, to be tried again later. */
  retried(): void {
    this.#queueRetries.inc({ name: CONTROLLER, controller: CONTROLLER })
  }

  queueDepth(groups: number): void {
    this.#queueDepth.set({ name: CONTROLLER, controller: CONTROLLER }, groups)
  }

  conflict(): void {
    this.#conflicts.inc()
  }

  transition(): void {
    this.#transitions.inc()
  }

  failover(seconds: number): void {
    this.#failoverSeconds.observe(seconds)
  }

  groups(total: number, ready: number): void {
    this.#groups.set(total)
    this.#groupsReady.set(ready)
  }

  master(name: string, leading: boolean): void {
    this.#master.set({ name }, leading ? 1 : 0)
  }

  request({ method, host, status, seconds }: RequestReport): void {
    this.#requests.inc({ code: status === undefined ? NO_RESPONSE : String(status), method, host })
    this.#requestSeconds.observe({ verb: method, host }, seconds)
  }

  eventDropped(): void {
    this.#eventsDropped.inc()
  }

  /** Several watches of one resource (one per namespace) are reported as one, which is as well as the worst of them. */
  watch(resource: string, freshness: () => Freshness): void {
    this.#watches.set(resource, [...(this.#watches.get(resource) ?? []), freshness])
  }

  /** Calls `collect` before each scrape: for numbers that are at hand at any time and need no counting. */
  onScrape(collect: () => void): void {
    this.#collectors.push(collect)
  }

  /** In Prometheus' text format. */
  async text(): Promise<string> {
    for (const collect of this.#collectors) collect()
    return this.registry.metrics()
  }

  get contentType(): string {
    return this.registry.contentType
  }

  /** These are asked for at each scrape: the age of silence grows without any event. */
  #watchConnected(): void {
    const help = 'Whether the watch of a resource is open; with several namespaces, whether all are.'
    const gauge = this.#gauge('leadergroup_watch_connected', help, ['resource'], () => {
      for (const { resource, all } of this.#freshness()) {
        gauge.set({ resource }, all.every(({ connected }) => connected) ? 1 : 0)
      }
    })
  }

  #watchLastHeard(): void {
    const help = 'Time since the watch of a resource last heard from the API server: bookmarks come about every minute.'
    const gauge = this.#gauge('leadergroup_watch_last_heard_seconds', help, ['resource'], () => {
      for (const { resource, all } of this.#freshness()) {
        // One that has never heard anything has no age: `leadergroup_watch_connected` tells of it.
        const heardAt = all.map(({ lastHeardAt }) => lastHeardAt).filter((at) => at !== undefined)
        if (heardAt.length === all.length) gauge.set({ resource }, (this.#clock.now() - Math.min(...heardAt)) / 1000)
      }
    })
  }

  #watchLists(): void {
    const help =
      'Complete lists of a resource: the first, one every half an hour, and one for each watch that could not be resumed.'
    const counter = this.#counter('leadergroup_watch_lists_total', help, ['resource'], () => {
      counter.reset()
      for (const { resource, all } of this.#freshness()) {
        for (const { lists } of all) counter.inc({ resource }, lists)
      }
    })
  }

  #freshness(): { resource: string; all: Freshness[] }[] {
    return [...this.#watches].map(([resource, watches]) => ({ resource, all: watches.map((ask) => ask()) }))
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[] = [], collect = NOTHING): Counter<L> {
    return new Counter({ name, help, labelNames, collect, registers: [this.registry] })
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[] = [], collect = NOTHING): Gauge<L> {
    return new Gauge({ name, help, labelNames, collect, registers: [this.registry] })
  }

  #histogram<L extends string>(name: string, help: string, labelNames: L[], buckets: number[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] })
  }
}

const NOTHING = (): void => {}
