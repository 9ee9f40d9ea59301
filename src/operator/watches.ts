import type { Clock } from '../clock.ts'
import type { Api } from '../kube/api.ts'
import type { KubeObject } from '../kube/objects.ts'
import { ApiError } from '../kube/outcome.ts'
import { watch, type Change, type Freshness, type WatchSource } from '../kube/watch.ts'
import type { Check } from './health.ts'
import type { Metrics } from './metrics.ts'

export interface WatchesOptions {
  readonly api: Api
  readonly clock: Clock
  readonly random: () => number
  readonly metrics: Metrics
  /** Empty: all. */
  readonly namespaces: readonly string[]
}

/** What a watch fills. */
export interface Filled<T> {
  change(change: Change<T>, namespace?: string): void
}

/** A watch that has been silent for so long is not trusted: bookmarks come every minute, and silence is cut at 90 s. */
const STALE_MILLIS = 180_000

/** The watches of one resource, one for each namespace or one for all, that fill a store. */
export class Watches<T extends KubeObject> {
  /** Resolves when each has listed once. */
  readonly synced: Promise<void>
  /** Resolves when each has listed once, or one of them is forbidden to. It goes on asking. */
  readonly answered: Promise<void>
  readonly #source: WatchSource<T>
  readonly #store: Filled<T>
  readonly #options: WatchesOptions
  readonly #scopes: readonly { readonly namespace?: string; readonly freshness: Freshness }[]
  readonly #allSynced: () => void
  readonly #forbidden: () => void

  constructor(source: WatchSource<T>, store: Filled<T>, options: WatchesOptions) {
    const { metrics, namespaces } = options
    this.#source = source
    this.#store = store
    this.#options = options
    this.#scopes =
      namespaces.length > 0
        ? namespaces.map((namespace) => ({ namespace, freshness: unheard() }))
        : [{ freshness: unheard() }]
    const { promise, resolve } = Promise.withResolvers<void>()
    this.synced = promise
    this.#allSynced = resolve
    const forbidden = Promise.withResolvers<void>()
    this.answered = Promise.race([promise, forbidden.promise])
    this.#forbidden = forbidden.resolve
    for (const { freshness } of this.#scopes) metrics.watch(source.resource.plural, () => freshness)
  }

  /** Follows until the signal aborts. Rejects on a fault of the program. */
  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#scopes.map((scope) => this.#follow(scope, signal)))
  }

  async #follow(scope: { namespace?: string; freshness: Freshness }, signal: AbortSignal): Promise<void> {
    const { api, clock, random } = this.#options
    const { namespace, freshness } = scope
    const source = { ...this.#source, ...(namespace === undefined ? {} : { namespace }) }
    const onError = (error: Error): void => {
      if (error instanceof ApiError && error.status === 403) this.#forbidden()
    }
    for await (const change of watch(api, source, { clock, random, signal, freshness, onError })) {
      this.#store.change(change, namespace)
      if (this.#scopes.every(({ freshness: each }) => each.synced)) this.#allSynced()
    }
  }

  get check(): Check {
    return { name: this.#source.resource.plural, check: () => this.#fault() }
  }

  #fault(): string | undefined {
    const { plural } = this.#source.resource
    for (const { freshness } of this.#scopes) {
      const { synced, lastHeardAt, lastError } = freshness
      const why = lastError ? `: ${lastError.message}` : ''
      if (!synced) return `${plural} are not listed yet${why}`
      const silence = this.#options.clock.now() - (lastHeardAt ?? -Infinity)
      if (silence > STALE_MILLIS) return `nothing heard of ${plural} for ${Math.round(silence / 1000)} s${why}`
    }
    return undefined
  }
}

function unheard(): Freshness {
  return { synced: false, connected: false, lastHeardAt: undefined, lists: 0, lastError: undefined }
}
