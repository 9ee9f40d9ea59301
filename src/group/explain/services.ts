import type { Gate } from '../gate/gate-state.ts'
import { FOLLOWER_ROLE, groupKeys, LEADER_ROLE } from '../keys.ts'
import type { LeaderGroup } from '../leadergroup.ts'
import type { GroupObservation } from '../observation.ts'
import { routeGroup } from '../route-group.ts'
import type { Routed } from '../routing/enacted.ts'
import type { ObservedEndpoint, ObservedSlice } from '../routing/endpoint-slice.ts'
import { roleOf, SERVICE_NAME_LABEL } from '../routing/routing-keys.ts'
import { routingOf, type Routing } from '../routing/service-wish.ts'

/** One Service that leads to the group's pods. */
export interface ExplainedService {
  readonly name: string
  /** The value of the role label; one of the spec has `leader` or `follower`. */
  readonly role: string
  /** `Own`: not of the spec. Somebody wrote it, with the group's label in its selector. */
  readonly routing: Routing | 'Own'
  readonly exists: boolean
  /** What its EndpointSlices hold at this moment, whoever wrote them. */
  readonly leadsTo: readonly ExplainedEndpoint[]
  readonly problems: readonly { readonly reason: string; readonly message: string }[]
}

export interface ExplainedEndpoint {
  /** Absent: it is no pod's, as far as the slice says. */
  readonly pod: string | undefined
  readonly addresses: readonly string[]
  readonly ready: boolean
}

/** The group's Services, and others that select its label. */
export function explainServices(
  o: GroupObservation,
  group: LeaderGroup,
  gate: Gate,
  around: Routed,
): readonly ExplainedService[] {
  const wishes = group.spec.services ?? []
  const { problems } = routeGroup(o, group, gate, {})
  const wished = wishes.map((wish) => ({
    name: wish.name,
    role: roleOf(wish),
    routing: routingOf(wish),
    exists: around.services.some(({ name }) => name === wish.name),
    leadsTo: endpointsBehind(wish.name, around.slices),
    problems: problems
      .filter(({ service }) => service === wish.name)
      .map(({ reason, message }) => ({ reason, message })),
  }))
  const names = new Set(wishes.map(({ name }) => name))
  return [...wished, ...ownServices(group, around).filter(({ name }) => !names.has(name))]
}

function ownServices(group: LeaderGroup, { services, slices }: Routed): readonly ExplainedService[] {
  const { role } = groupKeys(group.metadata.name)
  return services
    .filter(({ selector }) => Object.hasOwn(selector, role))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, selector }) => ({
      name,
      role: selector[role]!,
      routing: 'Own',
      exists: true,
      leadsTo: endpointsBehind(name, slices),
      problems: unborneRole(name, selector[role]!, group),
    }))
}

/** A selector that no pod meets, now or later. */
function unborneRole(service: string, role: string, { spec, metadata }: LeaderGroup): ExplainedService['problems'] {
  if (role === LEADER_ROLE || (role === FOLLOWER_ROLE && spec.labelFollowers === true)) return []
  const message =
    role === FOLLOWER_ROLE
      ? `Service ${service} selects the followers, and no pod bears their label: set spec.labelFollowers to true`
      : `Service ${service} selects the role ${role}, which no pod bears: ` +
        `${groupKeys(metadata.name).role} is ${LEADER_ROLE} or ${FOLLOWER_ROLE}`
  return [{ reason: 'RoleNotBorne', message }]
}

/** By pod: one with addresses of two families is in two slices. */
function endpointsBehind(service: string, slices: readonly ObservedSlice[]): readonly ExplainedEndpoint[] {
  const behind = slices.filter(({ labels }) => labels[SERVICE_NAME_LABEL] === service)
  const found = new Map<string, ExplainedEndpoint>()
  for (const endpoint of behind.flatMap(({ endpoints }) => endpoints)) {
    const { targetRef, addresses = [], conditions } = endpoint
    const key = targetRef?.uid ?? addresses.join()
    const before = found.get(key)
    found.set(key, {
      pod: podOf(endpoint),
      addresses: [...new Set([...(before?.addresses ?? []), ...addresses])],
      ready: (before?.ready ?? true) && conditions?.ready !== false,
    })
  }
  const named = ({ pod, addresses }: ExplainedEndpoint): string => pod ?? addresses.join()
  return [...found.values()].toSorted((a, b) => (named(a) < named(b) ? -1 : 1))
}

function podOf({ targetRef }: ObservedEndpoint): string | undefined {
  return targetRef?.kind === 'Pod' ? targetRef.name : undefined
}
