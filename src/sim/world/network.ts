import type { Clock } from '../../clock.ts'
import type { TransportRequest } from '../../kube/transport.ts'
import type { ApiServer, Replica } from '../apiserver.ts'
import type { ResourceType } from '../resource-types.ts'
import type { ExpiredWatch } from '../watches.ts'
import type { Dice } from './dice.ts'
import { Sky } from './weather.ts'
import { WatchCache } from './watch-cache.ts'

export interface NetworkOptions {
  readonly servers: number
  /** Longest usual way of a request, or of its answer. */
  readonly latencyMillis: number
  /** Longest usual lag of a watch cache. */
  readonly lagMillis: number
}

/** Whose watch cache stands still. */
export type FrozenType = 'pods' | 'leases' | 'leadergroups' | 'all'

/** One API server of several over one store. */
interface Server {
  readonly replica: Replica
  readonly caches: ReadonlyMap<ResourceType, WatchCache>
  isUp: boolean
}

/** The API servers, and the ways to them. */
export class Network {
  readonly api: ApiServer
  readonly clock: Clock
  readonly options: NetworkOptions
  readonly sky = new Sky()
  /** What a broken program would send instead: to see that the judge finds it. */
  tamper: (process: string, request: TransportRequest) => TransportRequest = (_process, request) => request
  /** Called when a server shows an event after a later one of another type. */
  onOvertaken: () => void = () => undefined
  readonly #servers: Server[]

  constructor(api: ApiServer, clock: Clock, dice: Dice, options: NetworkOptions) {
    this.api = api
    this.clock = clock
    this.options = options
    this.#servers = Array.from({ length: options.servers }, () => {
      const caches = new Map<ResourceType, WatchCache>()
      let latest = 0
      const replica = api.replica((store, type) => {
        const cache = new WatchCache(store, type, clock, () => dice.random() * options.lagMillis)
        caches.set(type, cache)
        cache.onCommit(({ revision }) => {
          if (revision < latest) this.onOvertaken()
          latest = Math.max(latest, revision)
        })
        return cache
      })
      return { replica, caches, isUp: true }
    })
  }

  /** The server at this place of the balancer's list, or the next that is up; undefined: none is. */
  server(wanted: number): { readonly index: number; readonly replica: Replica } | undefined {
    for (let step = 0; step < this.#servers.length; step++) {
      const index = (wanted + step) % this.#servers.length
      const server = this.#servers[index]!
      if (server.isUp) return { index, replica: server.replica }
    }
    return undefined
  }

  /** One watch cache of the server stands still, or all of them. */
  freeze(index: number, plural: FrozenType): void {
    for (const cache of this.#cachesOf(index, plural)) cache.freeze()
  }

  thaw(index: number, plural: FrozenType): void {
    for (const cache of this.#cachesOf(index, plural)) cache.thaw()
  }

  #cachesOf(index: number, plural: FrozenType): readonly WatchCache[] {
    const { caches } = this.#servers[index % this.#servers.length]!
    return [...caches].filter(([type]) => plural === 'all' || type.plural === plural).map(([, cache]) => cache)
  }

  /** Its watches end: cleanly, as a server does that is asked to stop. */
  stop(index: number): void {
    const server = this.#servers[index % this.#servers.length]!
    server.isUp = false
    for (const { watches } of server.replica.values()) watches.closeAll()
  }

  /** A server that starts reads the whole store first. */
  start(index: number): void {
    const server = this.#servers[index % this.#servers.length]!
    server.isUp = true
    this.thaw(index, 'all')
  }

  get indexes(): readonly number[] {
    return [...this.#servers.keys()]
  }

  expireWatchesAs(how: ExpiredWatch): void {
    for (const { replica } of this.#servers) for (const { watches } of replica.values()) watches.expiredAs = how
  }

  calm(): void {
    this.sky.clear()
    for (const index of this.#servers.keys()) this.start(index)
  }
}
