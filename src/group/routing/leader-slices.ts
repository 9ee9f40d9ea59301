import { begunAfter } from '../begun-after.ts'
import { groupKeys } from '../keys.ts'
import { same } from '../same.ts'
import { parseTerm } from '../gate/gate.ts'
import { ADDRESS_FAMILIES } from './address.ts'
import { endpointsFor, type EndpointSet, type UnresolvedPort } from './endpoints.ts'
import { podsIn, type ObservedSlice } from './endpoint-slice.ts'
import type { ObservedService } from './observed-service.ts'
import { familiesOf, type Route } from './route.ts'
import type { RoutedPod } from './routed-pod.ts'
import type { RoutingAction } from './routing-action.ts'
import type { RoutingInput } from './routing-input.ts'
import { formatSliceName } from './slice-name.ts'
import { deleteOf, writeOf, type SliceScope, type WantedSlice } from './slice.ts'

export interface LeaderSlices {
  /** Another leader, or another term, enters. */
  readonly entering: readonly RoutingAction[]
  /** There is no leader to route to. */
  readonly removing: readonly RoutingAction[]
  /** The same leader in the same term: its conditions changed, or somebody edited the slice. */
  readonly refreshing: readonly RoutingAction[]
  /** Some of what is due needs a later read of the gate. */
  readonly needsGateRead: boolean
  readonly unresolved: readonly UnresolvedPort[]
}

export interface Leader {
  readonly pod: RoutedPod
  readonly term: number
}

/**
 * The slices of a Service for the leader: per family one, with exactly one endpoint; none without a leader.
 *
 * A swap is decided on a read of the gate begun after both pod and slice were read, and carries the slice's version.
 * Without the former, an operator that lags behind could see its successor's slice, take it for a drift and swap it
 * back; without the latter it could do so after a pause. A refresh needs no such read: what it was decided on names the
 * same leader and term already, and it conflicts if that has changed since.
 */
export function leaderSlices(
  route: Route,
  service: ObservedService,
  leader: Leader | undefined,
  input: RoutingInput,
): LeaderSlices {
  const found = leader
    ? endpointsFor(route.wish, [leader.pod], input.namespace, familiesOf(service))
    : { sets: [], unresolved: [] }
  const scope = { namespace: input.namespace, group: input.group.name, wish: route.wish }
  const entering: RoutingAction[] = []
  const removing: RoutingAction[] = []
  const refreshing: RoutingAction[] = []
  let needsGateRead = false
  for (const family of ADDRESS_FAMILIES) {
    const name = formatSliceName(route.wish.name, { role: 'leader', family })
    if (route.blockedNames.has(name)) continue
    const observed = route.slices.find(({ slice }) => slice.name === name)?.slice
    const set = found.sets.find((each) => each.family === family)
    if (leader && set) {
      const stands = observed !== undefined && namesLeader(observed, leader, scope)
      const shown = stands ? untilItsEnd(leader, set, observed) : set
      const write = writeOf(wantedFor(leader, shown, name), observed, scope)
      if (!write) continue
      if (stands) refreshing.push(write)
      else if (readAfter(input, leader.pod) && readAfter(input, observed)) entering.push(write)
      else needsGateRead = true
    } else if (observed) {
      // A slice that came after the gate was read may name a leader that is not known here yet.
      if (readAfter(input, observed)) removing.push(deleteOf(observed))
      else needsGateRead = true
    }
  }
  return { entering, removing, refreshing, needsGateRead, unresolved: found.unresolved }
}

/** A read of the gate that began after this was read has shown the gate as it is decided on. */
export function readAfter(
  { gateReadAt }: Pick<RoutingInput, 'gateReadAt'>,
  read: { readonly seenAt: number } | undefined,
): boolean {
  return begunAfter(gateReadAt, read?.seenAt ?? -Infinity)
}

function wantedFor({ pod, term }: Leader, { family, ports, endpoints }: EndpointSet, name: string): WantedSlice {
  const owner = { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid }
  return { name, family, ports, endpoints, owner, term }
}

/**
 * That a leader which serves begins to terminate is not told: being the only endpoint it is where traffic goes all the
 * same, and kube-proxy would pause for a second after that change, into which the swap to its successor falls.
 */
function untilItsEnd({ pod }: Leader, set: EndpointSet, observed: ObservedSlice): EndpointSet {
  if (!pod.terminating || !pod.ready) return set
  const [shown] = observed.endpoints
  if (!same(shown?.conditions, SERVES)) return set
  return { ...set, endpoints: set.endpoints.map((endpoint) => ({ ...endpoint, conditions: SERVES })) }
}

const SERVES = { ready: true, serving: true, terminating: false }

function namesLeader(observed: ObservedSlice, { pod, term }: Leader, { group }: SliceScope): boolean {
  const uids = podsIn(observed)
  return uids.size === 1 && uids.has(pod.uid) && parseTerm(observed.annotations[groupKeys(group).term]) === term
}
