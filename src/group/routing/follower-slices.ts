import { ADDRESS_FAMILIES, type AddressFamily } from './address.ts'
import { divide, type Chunk } from './chunks.ts'
import { endpointsFor, type EndpointSet, type UnresolvedPort } from './endpoints.ts'
import { podsIn, type Endpoint, type ObservedSlice } from './endpoint-slice.ts'
import { readAfter } from './leader-slices.ts'
import type { ObservedService } from './observed-service.ts'
import { familiesOf, type Route } from './route.ts'
import type { RoutingAction } from './routing-action.ts'
import type { RoutingInput } from './routing-input.ts'
import { formatSliceName, parseSliceName } from './slice-name.ts'
import { deleteOf, writeOf, type WantedSlice } from './slice.ts'

export interface FollowerSlices {
  /** Writes of the slices that the leader is still in. */
  readonly leaving: readonly RoutingAction[]
  readonly others: readonly RoutingAction[]
  /** Some of what is due needs a later read of the gate. */
  readonly needsGateRead: boolean
  readonly unresolved: readonly UnresolvedPort[]
}

type Work = Omit<FollowerSlices, 'unresolved'>

/**
 * The slices of a Service for the followers: all selected pods but the leader.
 *
 * `led` are the pods that leaders' slices hold: they do not enter before they have left those. And a pod enters only
 * upon a read of the gate begun after pod and slice were read: it may have become the leader. To leave, or to change
 * its conditions, it needs neither.
 */
export function followerSlices(
  route: Route,
  service: ObservedService,
  leaderUID: string | undefined,
  led: ReadonlySet<string>,
  input: RoutingInput,
): FollowerSlices {
  const followers = input.pods.filter(({ uid }) => uid !== leaderUID)
  const { sets, unresolved } = endpointsFor(route.wish, followers, input.namespace, familiesOf(service))
  const mayEnter = admission(led, input)
  const works = ADDRESS_FAMILIES.map((family) => {
    const ofFamily = sets.filter((set) => set.family === family)
    return familyWork(route, service, leaderUID, mayEnter, input, family, ofFamily)
  })
  return {
    leaving: works.flatMap((work) => work.leaving),
    others: works.flatMap((work) => work.others),
    needsGateRead: works.some((work) => work.needsGateRead),
    unresolved,
  }
}

type Admission = (endpoint: Endpoint, slice: ObservedSlice | undefined) => 'enters' | 'waits' | 'afterGateRead'

function admission(led: ReadonlySet<string>, input: RoutingInput): Admission {
  const pods = new Map(input.pods.map((pod) => [pod.uid, pod]))
  return ({ targetRef: { uid } }, slice) => {
    if (led.has(uid)) return 'waits'
    return readAfter(input, pods.get(uid)) && readAfter(input, slice) ? 'enters' : 'afterGateRead'
  }
}

function familyWork(
  route: Route,
  service: ObservedService,
  leaderUID: string | undefined,
  mayEnter: Admission,
  input: RoutingInput,
  family: AddressFamily,
  sets: readonly EndpointSet[],
): Work {
  const { wish } = route
  const observed = observedChunks(route, family)
  const chunks = divide(
    sets,
    [...observed].map(([index, { ports, endpoints }]) => ({ index, ports, endpoints })),
    blockedIndexes(route, family),
  )
  const present = new Set([...observed.values()].flatMap((slice) => [...podsIn(slice)]))
  const scope = { namespace: input.namespace, group: input.group.name, wish }
  const leaving: RoutingAction[] = []
  const others: RoutingAction[] = []
  const listFor = (slice: ObservedSlice | undefined): RoutingAction[] =>
    slice && leaderUID !== undefined && podsIn(slice).has(leaderUID) ? leaving : others
  let needsGateRead = false
  for (const chunk of chunks) {
    const before = observed.get(chunk.index)
    const endpoints = chunk.endpoints.filter((endpoint) => {
      if (present.has(endpoint.targetRef.uid)) return true
      const verdict = mayEnter(endpoint, before)
      if (verdict === 'afterGateRead') needsGateRead = true
      return verdict === 'enters'
    })
    if (endpoints.length === 0 && !before) continue
    const write = writeOf(wantedFor(service, wish.name, family, { ...chunk, endpoints }), before, scope)
    if (write) listFor(before).push(write)
  }
  // Made before broken: a pod that moves to another slice stays in the old one until the new one is there.
  const unsettled = needsGateRead || leaving.length + others.length > 0
  const wanted = new Set(sets.flatMap(({ endpoints }) => endpoints.map(({ targetRef }) => targetRef.uid)))
  const kept = new Set(chunks.map(({ index }) => index))
  for (const [index, slice] of observed) {
    const list = listFor(slice)
    const awaited = unsettled && list === others && [...podsIn(slice)].some((uid) => wanted.has(uid))
    if (!kept.has(index) && !awaited) list.push(deleteOf(slice))
  }
  return { leaving, others, needsGateRead }
}

function observedChunks(route: Route, family: AddressFamily): ReadonlyMap<number, ObservedSlice> {
  const chunks = new Map<number, ObservedSlice>()
  for (const { name, slice } of route.slices) {
    if (name.role === 'follower' && name.family === family) chunks.set(name.index, slice)
  }
  return chunks
}

function blockedIndexes(route: Route, family: AddressFamily): ReadonlySet<number> {
  const indexes = new Set<number>()
  for (const text of route.blockedNames) {
    const name = parseSliceName(route.wish.name, text)
    if (name?.role === 'follower' && name.family === family) indexes.add(name.index)
  }
  return indexes
}

function wantedFor(service: ObservedService, name: string, family: AddressFamily, chunk: Chunk): WantedSlice {
  const { index, ports, endpoints } = chunk
  return {
    name: formatSliceName(name, { role: 'follower', family, index }),
    family,
    ports,
    endpoints,
    owner: { apiVersion: 'v1', kind: 'Service', name: service.name, uid: service.uid },
  }
}
