import type { GroupAction, PatchPod } from '../../group/decision.ts'
import { gateOf } from '../../group/gate/gate-of.ts'
import { parseMark } from '../../group/gate/gate.ts'
import type { ObservedLease, ObservedPod } from '../../group/observation.ts'
import { wholeSeconds } from '../../group/follow/whole-seconds.ts'
import { groupOf } from './decided.ts'
import { bare, followed, mark, namesIn, record, stamp, statusKey, type Names } from './names.ts'
import { KEYS, timeAt, type OperatorState, type Sent, type ServerLease, type ServerPod, type World } from './world.ts'

/**
 * Worlds that differ only in names are one: a UID is named by its first appearance, a version counts as the present one
 * or not, of ticks and times only the comparisons that `decide` makes are kept, and the operators are interchangeable.
 */
export function canonical(world: World): string {
  const names = namesIn(world)
  const { pods, lease, group, past, budget } = world
  const server = [
    pods.map((pod) => pod && [...bare(pod, names), pod.byHand, processOf(pod)]),
    lease && [...record(lease, names), lease.writer && [names.id(lease.writer.uid), lease.writer.process]],
    pods.map((pod) => timing(lease, pod)),
    statusKey(group.status, names),
    mark(past.named, names),
    past.highestTerm,
    followed(past.followed, names),
    Object.values(budget),
  ]
  const operators = world.operators.map((operator) => JSON.stringify(operatorKey(world, operator, names)))
  return JSON.stringify([server, operators.toSorted()])
}

/** What the stamps of a Lease and of a pod say of each other, whoever has read them and when. */
function timing(lease: ServerLease | ObservedLease | undefined, pod: ServerPod | undefined): unknown {
  if (!lease || !pod) return false
  const { endedAt } = pod.process
  return [isAcquiredLater(lease, pod), endedAt !== undefined && timeAt(endedAt) > (lease.renewTime ?? '')]
}

function processOf({ process: { number, running, endedAt } }: ServerPod): unknown {
  return [number, running, endedAt !== undefined]
}

function operatorKey(world: World, operator: OperatorState, names: Names): unknown {
  const { lease, group, sent } = operator
  const isObserve = world.mode === 'Observe'
  const gate = isObserve ? group : lease
  const begun = readsBegun(world.mode, sent)
  return [
    operator.pods.map(
      (pod, index) =>
        pod && [
          ...bare(pod, names),
          pod.resourceVersion === world.pods[index]?.resourceVersion,
          isLater(gate?.readAt, pod.untouchedSince ?? pod.seenAt),
          isLater(begun.gate, pod.untouchedSince ?? pod.seenAt),
          isObserve && [seen(pod, lease), world.lease && isAcquiredLater(world.lease, pod)],
        ],
    ),
    lease && [...record(lease, names), lease.resourceVersion === world.lease?.resourceVersion],
    [group.version === world.group.version, statusKey(group.status, names)],
    !isSettled(world.mode, operator) && [operator.podsListedAt, begun.list].map((tick) => isLater(tick, gate?.seenAt)),
    isObserve ? followedKey(world, operator, names, begun) : assignedKey(operator, begun),
    relevantDeaths(world, operator).map((uid) => names.id(uid)),
    sent && sentKey(sent, world, names),
  ]
}

/** When reads began whose replies are still under way, by what they tell of; a write that returns the object is one. */
interface Begun {
  readonly gate?: number
  readonly list?: number
  readonly lease?: number
  readonly group?: number
}

function readsBegun(mode: World['mode'], sent: Sent | undefined): Begun {
  if (!sent) return {}
  const { action, begunAt } = sent
  const what = TOLD[action.kind]
  return what ? { [what === 'group' && mode === 'Observe' ? 'gate' : what]: begunAt } : {}
}

const TOLD: Readonly<Partial<Record<GroupAction['kind'], keyof Begun>>> = {
  readGate: 'gate',
  createGate: 'gate',
  deleteGate: 'gate',
  advanceGate: 'gate',
  readGroup: 'group',
  writeStatus: 'group',
  readLease: 'lease',
  releaseLease: 'lease',
  listPods: 'list',
}

function isLater(tick = 0, than = 0): boolean {
  return tick > than
}

/** A gate that an operator wrote as it is needs no list of the pods. */
function isSettled(mode: World['mode'], operator: OperatorState): boolean {
  const { kind } = gateOf(operator, groupOf(mode, operator))
  return kind === 'held' || kind === 'vacant'
}

function assignedKey({ lease, group }: OperatorState, begun: Begun): unknown {
  const term = parseMark(lease?.mark)?.term ?? 0
  // Of a gate that was just born, whether the group was read after it; of one behind status, whether it was read since.
  const recorded = term === 0 && [group.readAt, begun.group].map((tick) => isLater(tick, lease?.seenAt))
  const outdated = term < (group.status.term ?? 0) && [lease?.readAt, begun.gate].map((at) => isLater(at, group.seenAt))
  return [recorded, outdated]
}

function followedKey(world: World, operator: OperatorState, names: Names, begun: Begun): unknown {
  const { lease, leaseAbsentAt, overdue, group, deadHolders } = operator
  return [
    world.pods.map((pod) => timing(lease, pod)),
    deadHolders.map((pod) => [...bare(pod, names), seen(pod, lease)]),
    lease && [lease.sight.changed, lease.sight.changed || lease.readAt !== undefined, lease.readMillis !== undefined],
    overdue,
    [lease?.readAt, leaseAbsentAt, begun.lease].map((tick) => isLater(tick, group.seenAt)),
  ]
}

function isAcquiredLater(lease: ServerLease | ObservedLease, pod: ServerPod | ObservedPod): boolean {
  return (lease.acquireTime ?? '') > (pod.startTime ?? '')
}

/** What this process saw of the pod's past, as far as it matters for a record; see `mapHolder` and `deathProofs`. */
function seen(pod: ObservedPod, lease: ObservedLease | undefined): unknown {
  const { sight: { seenAt = 0 } = {}, seenAt: versionSeenAt = 0, renewTime } = lease ?? {}
  const ends = [...pod.electing.map(({ end }) => end), pod.standstill]
  const renewed = ends.some((end) => end) ? (wholeSeconds(renewTime) ?? 0) : 0
  return [
    seenAt > pod.firstSeenAt,
    pod.appeared,
    lease && isAcquiredLater(lease, pod),
    pod.electing.map(({ state }) => state),
    ends.map(
      (end) => end && [end.witnessed, end.finishedAt > renewed, seenAt > end.seenAt, versionSeenAt < end.seenAt],
    ),
  ]
}

/** Those of which anything may yet be asked. */
function relevantDeaths({ group, lease }: World, operator: OperatorState): readonly string[] {
  const statuses = [group.status, operator.group.status]
  const asked = [
    ...[operator.lease?.mark, lease?.mark].map((text) => parseMark(text)?.holder?.uid),
    ...statuses.map((status) => parseMark(status?.gate)?.holder?.uid),
    ...statuses.map((status) => status?.leaseVersion?.split('/')[0]),
  ]
  return operator.gone.filter((uid) => asked.includes(uid))
}

function sentKey({ action, overdue }: Sent, world: World, names: Names): unknown {
  switch (action.kind) {
    case 'patchPod':
      return patchKey(action, world, names)
    case 'advanceGate':
      return [
        action.kind,
        names.id(action.holder.uid),
        action.term,
        action.resourceVersion === world.lease?.resourceVersion,
      ]
    case 'deleteGate':
      return [action.kind, action.resourceVersion === world.lease?.resourceVersion]
    case 'writeStatus': {
      const fresh = Number(action.resourceVersion) === world.group.version
      return [action.kind, statusKey(action.status, names), action.gate?.gateUID !== undefined, action.gate && 1, fresh]
    }
    case 'releaseLease':
      return [action.kind, action.uid === world.lease?.uid, action.resourceVersion === world.lease?.resourceVersion]
    case 'readLease':
      return [action.kind, overdue]
    case 'readPod':
      return [action.kind, action.name, names.id(action.uid)]
    case 'createGate':
    case 'readGate':
    case 'readGroup':
    case 'listPods':
      return action.kind
    case 'createService':
    case 'patchService':
    case 'deleteService':
    case 'createSlice':
    case 'replaceSlice':
    case 'deleteSlice':
      throw new Error(`${action.kind}: the group of this world has no Services`)
  }
}

function patchKey(
  { step, pod: { name, uid, resourceVersion }, annotations }: PatchPod,
  { pods }: World,
  names: Names,
): unknown {
  const pod = pods[Number(name.slice(1))]
  const isSame = pod?.uid === uid
  return [
    step,
    name,
    isSame,
    isSame && pod.resourceVersion === resourceVersion,
    annotations[KEYS.term],
    stamp(annotations[KEYS.sealed] ?? undefined, names),
  ]
}
