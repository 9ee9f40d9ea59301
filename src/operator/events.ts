import { deadline, type Clock } from '../clock.ts'
import { microTime } from '../election/micro-time.ts'
import type { GroupEvent } from '../group/events.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { Api } from '../kube/api.ts'
import { Events, eventKey, eventObject } from './event.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

export interface EventRecorderOptions {
  readonly api: Api
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** The pod or host that reports. */
  readonly instance: string
  /** Records nothing. */
  readonly dryRun: boolean
}

/** client-go's bound. Full means that the API server takes no events, or that very many groups change at once. */
const LONGEST_QUEUE = 1000
/** An event that happens again within this time is counted in the same object (client-go: 6 minutes). */
const SERIES_MILLIS = 360_000
/** The first repetition shows at once; after that the count is written at most so often. */
const COUNT_INTERVAL_MILLIS = 60_000
const FLUSH_MILLIS = 2_000

/**
 * So many are remembered, the latest (client-go: 4096); what happens again after that is a new event. Ten thousand groups
 * that are applied at once have one or two events each.
 */
const MOST_SERIES = 4096

/** An event with its repetitions: one object on the server. */
interface Series {
  readonly key: string
  readonly namespace: string
  readonly name: string
  /** What to create; absent once it is there. */
  object: ReturnType<typeof eventObject> | undefined
  count: number
  lastAt: number
  lastObservedTime: string
  /** The count that the server has; 0 before the object was created. */
  writtenCount: number
  writtenAt: number
  queued: boolean
  /** Given up; it may still be queued. */
  lost: boolean
  cancelTimer: (() => void) | undefined
}

/**
 * Writes Kubernetes events, best effort: one write after the other, each tried once. Nothing waits for it, and nothing
 * fails by it: what is lost is counted in a metric, and why is logged at debug.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions
  /** By key, in the order of the last occurrence. */
  readonly #series = new Map<string, Series>()
  readonly #queue: Series[] = []
  readonly #giveUp = new AbortController()
  #sequence = 0
  #draining = false
  #drained = Promise.resolve()
  #stopped = false

  constructor(options: EventRecorderOptions) {
    this.#options = options
  }

  record(group: LeaderGroup, event: GroupEvent): void {
    if (this.#options.dryRun || this.#stopped) return
    this.#forgetEnded()
    const key = eventKey(group, event)
    const series = this.#series.get(key) ?? this.#begin(key, group, event)
    series.count++
    series.lastAt = this.#options.clock.now()
    series.lastObservedTime = microTime(this.#options.clock.wallNow())
    this.#series.delete(key)
    this.#series.set(key, series)
    this.#schedule(series)
    this.#forgetOldest()
  }

  /** Records nothing more, and resolves when everything is written: after 2 s at most, then the rest is lost. */
  async stop(): Promise<void> {
    this.#stopped = true
    using limit = deadline(this.#options.clock, 'writing the last events', FLUSH_MILLIS)
    limit.signal.addEventListener('abort', () => this.#giveUp.abort(limit.signal.reason), { once: true })
    for (const series of this.#series.values()) {
      series.cancelTimer?.()
      if (series.writtenCount < series.count) this.#enqueue(series)
    }
    await this.#drained
  }

  #begin(key: string, group: LeaderGroup, event: GroupEvent): Series {
    const { clock, instance } = this.#options
    const reporter = { instance, wallMillis: clock.wallNow(), sequence: this.#sequence++ }
    const object = eventObject(group, event, reporter)
    return {
      key,
      namespace: object.metadata.namespace,
      name: object.metadata.name,
      object,
      count: 0,
      lastAt: clock.now(),
      lastObservedTime: '',
      writtenCount: 0,
      writtenAt: clock.now(),
      queued: false,
      lost: false,
      cancelTimer: undefined,
    }
  }

  #forgetEnded(): void {
    const ended = this.#options.clock.now() - SERIES_MILLIS
    for (const [key, series] of this.#series) {
      if (series.lastAt > ended) return
      this.#series.delete(key)
    }
  }

  /** Its last count is not waited for: it was written once at least, or waits in the queue. */
  #forgetOldest(): void {
    if (this.#series.size <= MOST_SERIES) return
    const [series] = this.#series.values()
    this.#series.delete(series!.key)
    series!.cancelTimer?.()
    if (series!.writtenCount < series!.count) this.#enqueue(series!)
  }

  #schedule(series: Series): void {
    if (series.cancelTimer || series.writtenCount === series.count) return
    if (series.writtenCount <= 1) return this.#enqueue(series)
    series.cancelTimer = this.#options.clock.timer(series.writtenAt + COUNT_INTERVAL_MILLIS, () => {
      series.cancelTimer = undefined
      this.#enqueue(series)
    })
  }

  #enqueue(series: Series): void {
    if (series.queued) return
    series.queued = true
    this.#queue.push(series)
    // The oldest goes: what has just happened tells more.
    if (this.#queue.length > LONGEST_QUEUE) this.#lose(this.#queue.shift()!, new Error('too many events wait'))
    if (!this.#draining) this.#drained = this.#drain()
  }

  async #drain(): Promise<void> {
    this.#draining = true
    for (let series = this.#queue.shift(); series; series = this.#queue.shift()) {
      series.queued = false
      try {
        await this.#write(series)
      } catch (error) {
        this.#lose(series, error)
      }
    }
    this.#draining = false
  }

  async #write(series: Series): Promise<void> {
    const { api, clock } = this.#options
    const { namespace, name, object, count, lastObservedTime, writtenCount } = series
    if (count === writtenCount || series.lost) return
    const repeated = count > 1 ? { series: { count, lastObservedTime } } : {}
    const call = { signal: this.#giveUp.signal }
    const outcome = object
      ? await api.create(Events, namespace, { ...object, ...repeated }, call)
      : await api.mergePatch(Events, { namespace, name }, repeated, call)
    if (outcome.kind !== 'ok') throw new Error(outcome.message)
    series.object = undefined
    series.writtenCount = count
    series.writtenAt = clock.now()
    // It may have happened again meanwhile.
    if (!this.#stopped) this.#schedule(series)
  }

  /** Forgets the series as well: what happens again is a new event then. */
  #lose(series: Series, error: unknown): void {
    series.cancelTimer?.()
    series.cancelTimer = undefined
    series.lost = true
    if (this.#series.get(series.key) === series) this.#series.delete(series.key)
    this.#options.metrics.eventDropped()
    this.#options.log.debug('a Kubernetes event was lost', { event: `${series.namespace}/${series.name}`, error })
  }
}
