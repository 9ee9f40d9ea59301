import type { TransportRequest } from '../../kube/transport.ts'
import type { Dice } from './dice.ts'

/**
 * What the network does to a request, or what stands between it and the server.
 * - `lose`: it never arrives, and nobody says so; `refuse`: there is no connection.
 * - `mute`: it is carried out, and never answered; `reset`: it is carried out, then the connection breaks.
 * - `late`: it arrives after `millis`, whether or not anybody still waits; `slow`: its answer takes as long.
 * - `twice`: it arrives a second time, shortly after.
 * - `answer`: something on the way, or the server, answers `status` and does not carry it out; `applied`: it does.
 */
export type Effect =
  | { readonly kind: 'lose' | 'mute' | 'reset' | 'refuse' | 'twice' }
  | { readonly kind: 'late' | 'slow'; readonly millis: number }
  | { readonly kind: 'answer'; readonly status: number; readonly applied?: true }

export type Traffic = 'all' | 'writes' | 'reads' | 'watches' | 'events' | 'pods' | 'leases' | 'status' | 'slices'

/** A condition of the network that holds for a while. */
export interface Weather {
  /** Name of the process that it strikes. */
  readonly of: string
  readonly traffic: Traffic
  readonly probability: number
  readonly effect: Effect
}

const TRAFFIC: Readonly<Record<Traffic, (request: TransportRequest) => boolean>> = {
  all: () => true,
  writes: ({ method }) => method !== 'GET',
  reads: (request) => request.method === 'GET' && !isWatch(request),
  watches: (request) => isWatch(request),
  events: ({ path }) => path.includes('/events'),
  pods: ({ method, path }) => method !== 'GET' && path.includes('/pods'),
  leases: ({ method, path }) => method !== 'GET' && path.includes('/leases'),
  status: ({ method, path }) => method !== 'GET' && path.includes('/status'),
  slices: ({ method, path }) => method !== 'GET' && /\/(endpointslices|services)/.test(path),
}

export function isWatch({ method, path }: TransportRequest): boolean {
  return method === 'GET' && path.includes('watch=true')
}

/** The weather that is in force, and what it does to each request. */
export class Sky {
  readonly #conditions = new Set<{ readonly weather: Weather; readonly dice: Dice }>()

  /** Returns its end. Luck of its own, so that one condition does not change what another one strikes. */
  begin(weather: Weather, dice: Dice): () => void {
    const condition = { weather, dice }
    this.#conditions.add(condition)
    return () => this.#conditions.delete(condition)
  }

  clear(): void {
    this.#conditions.clear()
  }

  /** The first condition that strikes. */
  fateOf(process: string, request: TransportRequest): Effect | undefined {
    for (const { weather, dice } of this.#conditions) {
      if (weather.of !== process) continue
      if (TRAFFIC[weather.traffic](request) && dice.chance(weather.probability)) return weather.effect
    }
    return undefined
  }
}
