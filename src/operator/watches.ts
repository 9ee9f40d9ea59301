import type { Clock } from '../clock.ts'
import type { Api } from '../kube/api.ts'
import type { KubeObject, Resource } from '../kube/objects.ts'
import { watch, type Freshness } from '../kube/watch.ts'
import type { Check } from './health.ts'
import type { Metrics } from './metrics.ts'
import type { Store } from './store.ts'

export interface WatchesOptions {
  readonly api: Api
  readonly clock: Clock
  readonly random: () => number
  readonly metrics: Metrics
  /** Empty: all. */
  readonly namespaces: readonly string[]
  readonly signal: AbortSignal
}

/** A watch that has been silent for so long is not trusted: bookmarks come every minute, and silence is cut at 90 s. */
const STALE_MILLIS = 180_000

/** The watches of one resource, one for each namespace or one for all, that fill a store. */
export class Watches<T extends KubeObject> {
  /** Resolves when each has listed once. */
  readonly synced: Promise<void>
  /** Resolves when all have ended, which they do only with the signal. Rejects on a fault of the program. */
  readonly ended: Promise<void>
  readonly #resource: Resource<T>
  readonly #clock: Clock
  readonly #freshness: Freshness[]

  constructor(
    resource: Resource<T>,
    store: Store<T>,
    trim: (object: T) => T,
    options: WatchesOptions & { readonly fieldSelector?: string },
  ) {
    const { api, clock, random, metrics, namespaces, signal, fieldSelector } = options
    this.#resource = resource
    this.#clock = clock
    const scopes = namespaces.length > 0 ? namespaces : [undefined]
    this.#freshness = scopes.map(() => unheard())
    let unsynced = scopes.length
    const { promise: synced, resolve: allSynced } = Promise.withResolvers<void>()
    this.synced = synced
    const follow = async (namespace: string | undefined, freshness: Freshness): Promise<void> => {
      const source = {
        resource,
        trim,
        ...(namespace === undefined ? {} : { namespace }),
        ...(fieldSelector ? { fieldSelector } : {}),
      }
      let listed = false
      for await (const change of watch(api, source, { clock, random, signal, freshness })) {
        store.change(change, namespace)
        if (!listed && --unsynced === 0) allSynced()
        listed = true
      }
    }
    this.ended = Promise.all(scopes.map((scope, index) => follow(scope, this.#freshness[index]!))).then(() => undefined)
    for (const freshness of this.#freshness) metrics.watch(resource.plural, () => freshness)
  }

  get check(): Check {
    return { name: this.#resource.plural, check: () => this.#fault() }
  }

  #fault(): string | undefined {
    for (const { synced, lastHeardAt, lastError } of this.#freshness) {
      const why = lastError ? `: ${lastError.message}` : ''
      if (!synced) return `${this.#resource.plural} are not listed yet${why}`
      const silence = this.#clock.now() - (lastHeardAt ?? -Infinity)
      if (silence > STALE_MILLIS)
        return `nothing heard of ${this.#resource.plural} for ${Math.round(silence / 1000)} s${why}`
    }
    return undefined
  }
}

function unheard(): Freshness {
  return { synced: false, connected: false, lastHeardAt: undefined, lists: 0, lastError: undefined }
}
