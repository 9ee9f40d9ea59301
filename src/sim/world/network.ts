import type { Clock } from '../../clock.ts'
import type { TransportRequest } from '../../kube/transport.ts'
import type { ApiServer, Replica } from '../apiserver.ts'
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

/** One API server of several over one store. */
interface Server extends Replica {
  readonly cache: WatchCache
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
  readonly #servers: Server[]

  constructor(api: ApiServer, clock: Clock, dice: Dice, options: NetworkOptions) {
    this.api = api
    this.clock = clock
    this.options = options
    this.#servers = Array.from({ length: options.servers }, () => {
      let cache!: WatchCache
      const replica = api.replica((store) => {
        cache = new WatchCache(store, clock, () => dice.random() * options.lagMillis)
        return cache
      })
      return { ...replica, cache, isUp: true }
    })
  }

  /** The server at this place of the balancer's list, or the next that is up; undefined: none is. */
  server(wanted: number): { readonly index: number; readonly replica: Replica } | undefined {
    for (let step = 0; step < this.#servers.length; step++) {
      const index = (wanted + step) % this.#servers.length
      const server = this.#servers[index]!
      if (server.isUp) return { index, replica: server }
    }
    return undefined
  }

  freeze(index: number): void {
    this.#servers[index % this.#servers.length]!.cache.freeze()
  }

  thaw(index: number): void {
    this.#servers[index % this.#servers.length]!.cache.thaw()
  }

  /** Its watches end: cleanly, as a server does that is asked to stop. */
  stop(index: number): void {
    const server = this.#servers[index % this.#servers.length]!
    server.isUp = false
    server.watches.closeAll()
  }

  /** A server that starts reads the whole store first. */
  start(index: number): void {
    const server = this.#servers[index % this.#servers.length]!
    server.isUp = true
    server.cache.thaw()
  }

  get indexes(): readonly number[] {
    return [...this.#servers.keys()]
  }

  expireWatchesAs(how: ExpiredWatch): void {
    for (const { watches } of this.#servers) watches.expiredAs = how
  }

  calm(): void {
    this.sky.clear()
    for (const index of this.#servers.keys()) this.start(index)
  }
}
