import { electingContainers, standstillOf, type ShownContainer } from '../../group/follow/containers.ts'
import { isMeantBy } from '../../group/follow/holder.ts'
import type { ObservedPod } from '../../group/observation.ts'
import { sightOf } from '../../group/follow/silence.ts'
import type { KnownLease, OperatorState, ServerLease, ServerPod, Step, World } from './world.ts'

/*
 * What an operator knows, and how it comes to know it: as `operator/store.ts` and `operator/sight.ts` have it, with
 * ticks, and with no other time than whether a record is overdue.
 */

/** In milliseconds; a record that names no duration is taken to hold for it. */
export const DURATION = 15_000

/** A process that has just listed everything. */
export function started(world: World): OperatorState {
  const { lease, group } = world
  return {
    pods: world.pods.map((pod) => pod && podAsSeen(pod, undefined, 1)),
    deadHolders: [],
    lease: lease && leaseAsSeen(lease, undefined, { tick: 1 }),
    leaseAbsentAt: undefined,
    overdue: false,
    group: { ...group, seenAt: 1, readAt: undefined },
    gone: [],
    podsListedAt: undefined,
    tick: 1,
    sent: undefined,
  }
}

/** Whether its caches show everything as it is. */
export function isUpToDate(world: World, operator: OperatorState): boolean {
  return (
    world.pods.every((pod, index) => operator.pods[index]?.resourceVersion === pod?.resourceVersion) &&
    operator.lease?.resourceVersion === world.lease?.resourceVersion &&
    operator.group.version === world.group.version
  )
}

/** A watch delivers the present state of one object. */
export function* refreshSteps(
  world: World,
  operator: OperatorState,
  name: string,
  put: (next: OperatorState) => World,
): Generator<Step> {
  for (const [index, pod] of world.pods.entries()) {
    if (operator.pods[index]?.resourceVersion !== pod?.resourceVersion) {
      yield [`${name} sees p${index}`, put(sawPod(operator, index, pod))]
    }
  }
  if (operator.lease?.resourceVersion !== world.lease?.resourceVersion) {
    yield [`${name} sees the Lease`, put(sawLease(operator, world.lease))]
  }
  if (operator.group.version !== world.group.version) {
    yield [`${name} sees the status`, put(sawGroup(operator, world))]
  }
}

/** All watches deliver, in any order that keeps what one object has gone through in order. */
export function sawAll(world: World, operator: OperatorState): OperatorState {
  const pods = world.pods.reduce((state, pod, index) => sawPod(state, index, pod), operator)
  return sawGroup(sawLease(pods, world.lease), world)
}

/** By a watch, which tells of deletions, or, in a reply, by a read of that one pod. */
export function sawPod(operator: OperatorState, index: number, pod: ServerPod | undefined): OperatorState {
  const before = operator.pods[index]
  if (before?.resourceVersion === pod?.resourceVersion) return operator
  return showsPod(before && before.uid !== pod?.uid ? lost(operator, index, before) : operator, index, pod)
}

/** By the reply to a write of its own that named the version of `base`. */
export function wrotePod(operator: OperatorState, index: number, pod: ServerPod, base: string): OperatorState {
  const before = operator.pods[index]
  const next = sawPod(operator, index, pod)
  if (before?.resourceVersion !== base || next === operator) return next
  const untouchedSince = before.untouchedSince ?? before.seenAt
  return { ...next, pods: next.pods.map((seen, at) => (seen && at === index ? { ...seen, untouchedSince } : seen)) }
}

/** By a list: whom it lacks is not proved gone. */
export function sawListed(operator: OperatorState, index: number, pod: ServerPod | undefined): OperatorState {
  const isKnown = operator.pods[index]?.resourceVersion === pod?.resourceVersion
  return isKnown || !pod ? operator : showsPod(operator, index, pod)
}

function showsPod(operator: OperatorState, index: number, pod: ServerPod | undefined): OperatorState {
  const tick = operator.tick + 1
  const seen = pod && podAsSeen(pod, operator.pods[index] ?? 'absent', tick)
  return { ...operator, tick, pods: operator.pods.map((other, at) => (at === index ? seen : other)) }
}

function lost(operator: OperatorState, index: number, last: ObservedPod): OperatorState {
  const identity = operator.lease?.holderIdentity
  const held = identity !== undefined && isMeantBy(last, identity)
  return {
    ...operator,
    gone: [...operator.gone, last.uid],
    deadHolders: held ? [...operator.deadHolders, { ...last, deleted: true }].slice(-4) : operator.deadHolders,
    pods: operator.pods.map((other, at) => (at === index ? undefined : other)),
  }
}

/** @param read of a quorum read or a write: when it began, and whether the record was overdue then */
export function sawLease(
  operator: OperatorState,
  lease: ServerLease | undefined,
  read?: { readonly begunAt: number; readonly overdue: boolean },
): OperatorState {
  const before = operator.lease
  const isGone = before && before.uid !== lease?.uid && (!read || !lease)
  const gone = isGone ? [...operator.gone, before.uid] : operator.gone
  const isKnown = before?.resourceVersion === lease?.resourceVersion
  const tick = isKnown ? operator.tick : operator.tick + 1
  if (!lease) {
    const leaseAbsentAt = read?.begunAt ?? operator.leaseAbsentAt
    return { ...operator, tick, gone, lease: undefined, leaseAbsentAt, overdue: false }
  }
  const seen = leaseAsSeen(lease, isGone ? 'absent' : (before ?? 'absent'), { tick, ...read })
  const overdue = operator.overdue && seen.sight === before?.sight
  return { ...operator, tick, gone, lease: seen, leaseAbsentAt: undefined, overdue }
}

export function sawGroup(operator: OperatorState, { group }: World, begunAt?: number): OperatorState {
  const known = operator.group.version === group.version ? operator.group : undefined
  const tick = known ? operator.tick : operator.tick + 1
  const seen = { ...group, seenAt: known?.seenAt ?? tick, readAt: begunAt ?? known?.readAt }
  return { ...operator, tick, group: seen }
}

function podAsSeen(pod: ServerPod, before: ObservedPod | 'absent' | undefined, tick: number): ObservedPod {
  const known = typeof before === 'object' && before.uid === pod.uid ? before : undefined
  const electing = electingContainers(known?.electing, [shown(pod)], tick)
  return {
    ...pod,
    seenAt: tick,
    notReadySince: undefined,
    deleted: false,
    podIPsSeenAt: known?.podIPsSeenAt ?? tick,
    firstSeenAt: known?.firstSeenAt ?? tick,
    appeared: known?.appeared ?? before === 'absent',
    electing,
    standstill: standstillOf(known, electing, tick),
    outOfService: undefined,
  }
}

/** Of `timeAt`: one serial is one second. */
const NOON = Date.parse('2026-01-01T12:00:00Z') / 1000

function shown({ process: { running, endedAt } }: ServerPod): ShownContainer {
  const finishedAt = endedAt === undefined ? undefined : NOON + endedAt
  return { name: 'app', state: running ? 'running' : 'ended', finishedAt }
}

function leaseAsSeen(
  lease: ServerLease,
  before: KnownLease | 'absent' | undefined,
  { tick, begunAt, overdue }: { readonly tick: number; readonly begunAt?: number; readonly overdue?: boolean },
): KnownLease {
  const past = typeof before === 'object' ? before : undefined
  const known = past?.resourceVersion === lease.resourceVersion ? past : undefined
  const sight = sightOf(before, lease, { tick, millis: 0 })
  const readMillis = overdue && sight === past?.sight ? DURATION : undefined
  return {
    ...lease,
    seenAt: known?.seenAt ?? tick,
    readAt: begunAt ?? known?.readAt,
    sight,
    readMillis: readMillis ?? (sight === past?.sight ? past.readMillis : undefined),
  }
}
