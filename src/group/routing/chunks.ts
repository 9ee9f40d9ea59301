import { podsIn, type Endpoint, type ObservedEndpoint, type SlicePort } from './endpoint-slice.ts'
import { portsKey, type EndpointSet } from './endpoints.ts'

/** The API server admits 1,000 endpoints in a slice. */
export const LARGEST_SLICE = 1000

/** One slice: its number, and what it holds. */
export interface Chunk {
  readonly index: number
  readonly ports: readonly SlicePort[]
  readonly endpoints: readonly Endpoint[]
}

export interface ObservedChunk {
  readonly index: number
  readonly ports: readonly object[]
  readonly endpoints: readonly ObservedEndpoint[]
}

/**
 * Divides the endpoint sets of one family into slices, so that a change of one pod is a change of one slice: a pod stays
 * in the slice that it is in, and a new one goes where there is room, lowest number first. Slices that have grown thin
 * are not merged: an endpoint that moves is out of service between two writes, and new pods fill the gaps.
 *
 * A slice that no set fills any more is used for the next new one, so that new numbers behind a port are one PUT.
 * `blocked` numbers are not given away: their names are taken.
 */
export function divide(
  sets: readonly EndpointSet[],
  observed: readonly ObservedChunk[],
  blocked: ReadonlySet<number> = new Set(),
): readonly Chunk[] {
  const slices = observed.toSorted((a, b) => a.index - b.index)
  const placed = sets.map((set) => settle(set, slices))
  const taken = new Set([...blocked, ...placed.flatMap(({ chunks }) => chunks.map(({ index }) => index))])
  let next = 0
  const nextFree = (): number => {
    while (taken.has(next)) next += 1
    return next++
  }
  return placed.flatMap(({ set, chunks, homeless }) => [
    ...chunks,
    ...pieces(homeless, LARGEST_SLICE).map((endpoints) => ({ index: nextFree(), ports: set.ports, endpoints })),
  ])
}

/** Leaves the endpoints of a set where they are, and fills its slices; what finds no room there is homeless. */
function settle(
  set: EndpointSet,
  slices: readonly ObservedChunk[],
): { readonly set: EndpointSet; readonly chunks: readonly Chunk[]; readonly homeless: readonly Endpoint[] } {
  const key = portsKey(set.ports)
  const homes = slices
    .filter(({ ports }) => portsKey(ports) === key)
    .map(({ index, endpoints }) => ({ index, uids: podsIn({ endpoints }), members: new Array<Endpoint>() }))
  const homeOf = new Map<string, (typeof homes)[number]>()
  // Backwards, so that of two slices that hold a pod the first keeps it.
  for (const home of homes.toReversed()) for (const uid of home.uids) homeOf.set(uid, home)
  const movers: Endpoint[] = []
  for (const endpoint of set.endpoints) {
    const home = homeOf.get(endpoint.targetRef.uid)
    if (home) home.members.push(endpoint)
    else movers.push(endpoint)
  }
  let waiting = 0
  for (const { members } of homes) {
    while (members.length < LARGEST_SLICE && waiting < movers.length) members.push(movers[waiting++]!)
  }
  const chunks = homes
    .filter(({ members }) => members.length > 0)
    .map(({ index, members }) => ({ index, ports: set.ports, endpoints: members.toSorted(byPod) }))
  return { set, chunks, homeless: movers.slice(waiting) }
}

function pieces<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size))
}

function byPod({ targetRef: a }: Endpoint, { targetRef: b }: Endpoint): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : a.uid < b.uid ? -1 : 1
}
