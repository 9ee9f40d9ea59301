import { begunAfter } from '../begun-after.ts'
import type { UnresolvedPort } from './endpoints.ts'
import { podsIn, type ObservedSlice } from './endpoint-slice.ts'
import type { ObservedService } from './observed-service.ts'
import { followerSlices } from './follower-slices.ts'
import { leaderSlices, type Leader } from './leader-slices.ts'
import { foreignSlices, routesOf, type Route } from './route.ts'
import type { RoutingAction } from './routing-action.ts'
import type { RoutingInput } from './routing-input.ts'
import { isFormer, isMadeByUs, patchOf, serviceOf } from './service.ts'
import { routingOf } from './service-wish.ts'
import {
  servicesCondition,
  serviceProblems,
  type Obstacles,
  type ServiceProblem,
  type ServicesCondition,
} from './services-condition.ts'
import { deleteOf, isOwnSlice } from './slice.ts'
import { isLeaderSliceName } from './slice-name.ts'

export interface RoutingDecision {
  /** Steps between the gate and the label: the leader's slices are swapped before its pod is labelled. */
  readonly beforeLabel: readonly RoutingAction[]
  /**
   * The new leader leaves the followers' slices, once it is in its own. In this order, for kube-proxy applies the first
   * change that it hears of and lets all others wait for up to a second: it is better that a follower's client reaches
   * the new leader for so long than that a leader's client is refused by the old one.
   */
  readonly besideLabel: readonly RoutingAction[]
  readonly chores: readonly RoutingAction[]
  readonly conditions: readonly ServicesCondition[]
  /** What the conditions say, by Service. */
  readonly problems: readonly ServiceProblem[]
}

/**
 * What to do about a group's Services and their slices: pure, total and idempotent.
 *
 * Nothing remembers a step. Each decision looks at the whole and asks for what can be done now; what has to come later
 * (a pod enters the followers' slices once it has left the leader's) is asked for by the decision that sees the first
 * done. So the actions of one decision may run in any order, or at once.
 *
 * A Service that exists without this group's owner reference, and a slice without its labels, is never written: there
 * the condition says what is in the way. Slices are written for a Service that exists, since that one's UID and
 * families decide about them.
 */
export function decideRouting(input: RoutingInput): RoutingDecision {
  const routes = routesOf(input)
  const slices = decideSlices(routes, input)
  const services = decideServices(routes, input)
  const beforeLabel = withGateRead(slices.urgent, slices.urgentNeedsGateRead)
  const besideLabel = slices.leaving
  const chores = withGateRead([...services, ...slices.chores], slices.choresNeedGateRead && !slices.urgentNeedsGateRead)
  const obstacles: Obstacles = {
    notOurs: routes.flatMap(({ state }) => (state.kind === 'notOurs' ? [state.service] : [])),
    foreign: routes.flatMap(({ wish, state }) => {
      const foreign = state.kind === 'ours' ? foreignSlices(wish, input) : []
      return foreign.length > 0 ? [{ service: wish.name, slices: foreign }] : []
    }),
    unresolved: slices.unresolved,
    awaited: routes.filter(isAwaited).map(({ wish }) => wish.name),
    acting: beforeLabel.length + besideLabel.length + chores.length > 0,
  }
  return {
    beforeLabel,
    besideLabel,
    chores,
    conditions: [servicesCondition(obstacles, input)],
    problems: serviceProblems(obstacles),
  }
}

function decideServices(routes: readonly Route[], input: RoutingInput): readonly RoutingAction[] {
  const { namespace, group } = input
  const wished = new Set(routes.map(({ wish }) => wish.name))
  const unwished = input.services.filter((service) => !wished.has(service.name) && isMadeByUs(service, group))
  const replaced = routes.flatMap(({ state }) => (state.kind === 'replaced' ? [state.service] : []))
  // Of one name there is one group at a time: if this one lived after the Service was seen, its owner does not.
  const former = input.services.filter((service) => isFormer(service, group) && !service.terminating)
  const lived = ({ seenAt }: ObservedService): boolean => begunAfter(input.groupReadAt, seenAt)
  const reads = former.every(lived) ? [] : [{ kind: 'readGroup' } as const]
  const deletions = [...unwished, ...replaced, ...former.filter(lived)]
    .filter(({ terminating }) => !terminating)
    .map(({ name, uid, resourceVersion }) => ({ kind: 'deleteService', name, uid, resourceVersion }) as const)
  const writes = routes.flatMap(({ wish, state }): readonly RoutingAction[] => {
    if (state.kind === 'absent') return [{ kind: 'createService', service: serviceOf(wish, namespace, group) }]
    const patch = state.kind === 'ours' && !state.service.terminating && patchOf(wish, group, state.service)
    return patch ? [patch] : []
  })
  return [...reads, ...deletions, ...writes]
}

interface SliceWork {
  /** Followers' slices that the leader is still in. */
  readonly leaving: readonly RoutingAction[]
  readonly urgent: readonly RoutingAction[]
  readonly urgentNeedsGateRead: boolean
  readonly chores: readonly RoutingAction[]
  readonly choresNeedGateRead: boolean
  readonly unresolved: readonly UnresolvedPort[]
}

function decideSlices(routes: readonly Route[], input: RoutingInput): SliceWork {
  const leader = leaderIn(input)
  const own = input.slices.filter((slice) => isOwnSlice(slice, input.group.name))
  const led = new Set(own.filter(({ name }) => isLeaderSliceName(name)).flatMap((slice) => [...podsIn(slice)]))
  const works = routes.map((route) => routeWork(route, leader, led, input))
  const stale = staleSlices(routes, own)
  const inTheWay = (slice: ObservedSlice): boolean =>
    leader !== undefined && !isLeaderSliceName(slice.name) && podsIn(slice).has(leader.pod.uid)
  return {
    leaving: [...works.flatMap((work) => work.leaving), ...stale.filter(inTheWay).map(deleteOf)],
    urgent: works.flatMap((work) => work.urgent),
    urgentNeedsGateRead: works.some((work) => work.urgentNeedsGateRead),
    chores: [...works.flatMap((work) => work.chores), ...stale.filter((slice) => !inTheWay(slice)).map(deleteOf)],
    choresNeedGateRead: works.some((work) => work.choresNeedGateRead),
    unresolved: works.flatMap((work) => work.unresolved),
  }
}

const NO_WORK: SliceWork = {
  leaving: [],
  urgent: [],
  urgentNeedsGateRead: false,
  chores: [],
  choresNeedGateRead: false,
  unresolved: [],
}

function routeWork(route: Route, leader: Leader | undefined, led: ReadonlySet<string>, input: RoutingInput): SliceWork {
  const { wish, state } = route
  if (state.kind !== 'ours' || routingOf(wish) !== 'Direct') return NO_WORK
  if (wish.role === 'Leader') {
    const { entering, removing, refreshing, needsGateRead, unresolved } = leaderSlices(
      route,
      state.service,
      leader,
      input,
    )
    return {
      ...NO_WORK,
      urgent: [...removing, ...entering],
      chores: refreshing,
      urgentNeedsGateRead: needsGateRead,
      unresolved,
    }
  }
  const work = followerSlices(route, state.service, leader?.pod.uid, led, input)
  const { leaving, others, needsGateRead, unresolved } = work
  return { ...NO_WORK, leaving, chores: others, choresNeedGateRead: needsGateRead, unresolved }
}

/**
 * Slices of this group that nothing wants: of a Service that is not wished any more, is somebody else's, or is routed
 * otherwise now. While a wished Service is missing its slices stay: nobody reads them, and the Service may only be
 * missing from a watch that lags.
 */
function staleSlices(routes: readonly Route[], own: readonly ObservedSlice[]): readonly ObservedSlice[] {
  const kept = new Set(
    routes.flatMap(({ wish, state, slices }) => {
      const managed = state.kind === 'ours' && routingOf(wish) === 'Direct'
      const role = wish.role === 'Leader' ? 'leader' : 'follower'
      return slices
        .filter(({ name }) => (managed && name.role === role) || state.kind === 'absent')
        .map(({ slice }) => slice.name)
    }),
  )
  return own.filter(({ name }) => !kept.has(name))
}

function leaderIn({ leader, pods }: RoutingInput): Leader | undefined {
  const pod = leader && pods.find(({ uid }) => uid === leader.uid)
  return pod && { pod, term: leader.term }
}

function isAwaited({ state }: Route): boolean {
  return (
    state.kind === 'absent' ||
    state.kind === 'replaced' ||
    state.kind === 'former' ||
    (state.kind === 'ours' && state.service.terminating)
  )
}

/** One read is enough, whatever waits for it. */
function withGateRead(actions: readonly RoutingAction[], needed: boolean): readonly RoutingAction[] {
  return needed ? [...actions, { kind: 'readGate' }] : actions
}
