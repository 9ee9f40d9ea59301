/**
 * Whether a group is as it should be in a world that has stood still for long enough: read from the store's objects, apart
 * from the product's own decisions.
 */
import type { LeaderGroup } from '../../group/leadergroup.ts'
import type { Lease, Pod } from '../../kube/objects.ts'
import { describeGate, isObserved, leaseNameOf, belongsTo } from './gate.ts'
import { couldLead, isMatched } from './matched.ts'
import { routedWrongly } from './routed.ts'
import { isAssigned, keysOf, ownerOf } from './wire.ts'
import type { Group, World } from './world.ts'

/** What is known of a followed Lease beside the object. */
export interface Renewal {
  /** Milliseconds since its record changed. */
  readonly silentMillis: number
  /** After so long every operator has seen it expire. */
  readonly expiresMillis: number
  /** The holder is a process that runs. */
  readonly isAlive: boolean
}

/** What is wrong with the group; undefined: nothing. */
export function unsettled(world: World, group: Group, renewal: Renewal | undefined): string | undefined {
  const { object } = group
  if (group.namespace === 'kube-node-lease') return undefined
  if (!object || object.metadata.deletionTimestamp !== undefined) return leftovers(world, group)
  const pods = [...world.podsIn(group.namespace).values()]
  const selected = pods.filter((pod) => isMatched(object.spec.selector, pod.metadata.labels))
  const wrong = isObserved(object)
    ? wronglyFollowed(world, group, object, selected, renewal)
    : wronglyAssigned(world, group, object, selected)
  return wrong ?? wronglyMarked(group, object, pods, selected) ?? routedWrongly(world, group, object)
}

/** No pod bears a key of a group that is not. */
function leftovers(world: World, group: Group): string | undefined {
  for (const pod of world.podsIn(group.namespace).values()) {
    const { role, term, sealed } = keysOf(pod, group.name)
    if (role === undefined && term === undefined && sealed === undefined) continue
    // What is on its way out by force is not written to any more.
    if (pod.metadata.deletionTimestamp === undefined) return `${pod.metadata.name} bears keys of a group that is gone`
  }
  return undefined
}

function wronglyAssigned(
  world: World,
  group: Group,
  object: LeaderGroup,
  selected: readonly Pod[],
): string | undefined {
  const lease = world.leases.get(`${group.namespace}/${leaseNameOf(object)}`)
  if (lease && !belongsTo(lease, group)) return labelledBeside(group, 'the Lease is somebody else’s')
  const able = selected.filter(couldLead)
  if (able.length === 0 || object.spec.paused) return atMostTheHolder(group, object)
  const wrong = oneLeader(group, `${able.length} pods could lead`)
  if (wrong !== undefined) return wrong
  const [uid] = group.labels.keys()
  if (!able.some(({ metadata }) => metadata.uid === uid)) return `${leaderOf(group)} leads, and could not`
  return agrees(group, object)
}

function wronglyFollowed(
  world: World,
  group: Group,
  object: LeaderGroup,
  selected: readonly Pod[],
  renewal: Renewal | undefined,
): string | undefined {
  const lease = world.leases.get(`${group.namespace}/${leaseNameOf(object)}`)
  const holder = lease?.spec?.holderIdentity
  if (!lease || !holder) return labelledBeside(group, 'nobody holds the Lease')
  if (isAssigned(lease) || ownerOf(lease)) return labelledBeside(group, 'the Lease is another group’s')
  if (renewal && !renewal.isAlive && renewal.silentMillis > renewal.expiresMillis) {
    return labelledBeside(group, `nobody renewed the Lease for ${Math.round(renewal.silentMillis)} ms`)
  }
  const meant = selected.filter((pod) => isMeant(pod, holder))
  if (meant.length !== 1) return labelledBeside(group, `${meant.length} pods are meant by ${holder}`)
  if (renewal?.isAlive && renewal.silentMillis <= durationMillis(lease)) {
    const wrong = oneLeader(group, `${holder} holds the Lease`)
    if (wrong !== undefined) return wrong
    if (!group.labels.has(meant[0]!.metadata.uid)) return `${leaderOf(group)} leads, and ${holder} holds the Lease`
    return agrees(group, object)
  }
  // It may be expired, or its holder proved dead, or not yet.
  return atMostTheHolder(group, object)
}

export function durationMillis({ spec }: Lease): number {
  return (spec?.leaseDurationSeconds ?? 0) * 1000
}

function isMeant({ metadata: { name, uid }, status, spec }: Pod, holder: string): boolean {
  if (holder === uid || holder === name || holder.startsWith(`${name}_`)) return true
  if (spec?.hostNetwork || status?.phase === 'Succeeded' || status?.phase === 'Failed') return false
  return [status?.podIP, ...(status?.podIPs ?? []).map(({ ip }) => ip)].includes(holder)
}

/** Nobody leads, and so say gate and status. */
function labelledBeside(group: Group, why: string): string | undefined {
  if (group.labels.size > 0) return `${leaderOf(group)} bears the label: ${why}`
  const holder = group.object?.status?.holder
  return holder === undefined ? undefined : `status names ${holder}: ${why}`
}

function oneLeader(group: Group, why: string): string | undefined {
  return group.labels.size === 1 ? undefined : `${group.labels.size} pods bear the label: ${why}`
}

/** Nobody else can: whoever the gate names keeps its label. */
function atMostTheHolder(group: Group, object: LeaderGroup): string | undefined {
  if (group.labels.size === 0) return undefined
  return oneLeader(group, 'no other could lead') ?? agrees(group, object)
}

/** Label, gate and status say the same. */
function agrees({ labels, gate }: Group, { status = {} }: LeaderGroup): string | undefined {
  const [label] = labels.values()
  const { pod, term } = label!
  if (gate.kind !== 'named' || gate.holder.uid !== pod.uid || String(gate.term) !== term) {
    return `${pod.name} bears the label of term ${term}, the gate says ${describeGate(gate)}`
  }
  if (status.holderUID !== pod.uid || status.term !== gate.term) {
    return `${pod.name} leads in term ${term}, status says ${status.holder ?? 'nobody'} in term ${status.term}`
  }
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' || ready?.reason === 'NoEligiblePod' || ready?.reason === 'NoPods'
    ? undefined
    : `${pod.name} leads, and Ready is ${ready?.status}: ${ready?.reason}`
}

/** Followers bear their role where that is wanted, and nobody else bears anything. */
function wronglyMarked(
  { name, labels }: Group,
  { spec }: LeaderGroup,
  pods: readonly Pod[],
  selected: readonly Pod[],
): string | undefined {
  for (const pod of pods) {
    const { metadata, status } = pod
    if (metadata.deletionTimestamp !== undefined || labels.has(metadata.uid)) continue
    const { role } = keysOf(pod, name)
    const isSelected = selected.includes(pod)
    const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed'
    if (isSelected && isOver) continue
    const wanted = isSelected && spec.labelFollowers ? 'follower' : undefined
    if (role !== wanted) return `${metadata.name} bears the role ${role ?? 'none'}, not ${wanted ?? 'none'}`
  }
  return undefined
}

function leaderOf({ labels }: Group): string {
  return [...labels.values()].map(({ pod }) => pod.name).join(' and ')
}
