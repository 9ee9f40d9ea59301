/**
 * Strangers' writes. Each leaves its number on what it writes, so that the history tells them from everybody else's; a deletion is
 * announced. They go to the groups that are planned to be hostile, and to no other.
 */
import { GATE_ANNOTATION, LEADER_ROLE, groupKeys } from '../../src/group/keys.ts'
import { formatIdentity } from '../../src/group/gate/gate.ts'
import { microTime } from '../../src/election/micro-time.ts'
import { type KubeObject, Leases, type Pod, Pods, type Resource } from '../../src/kube/objects.ts'
import { LeaderGroups } from '../../src/operator/resources.ts'
import type { Fault, FaultKind } from './faults.ts'
import type { GroupPlan } from './group-plan.ts'
import { chosen, persist, rest, settled } from './persist.ts'
import type { Seen } from './witness.ts'
import type { World } from './world.ts'

/** On whatever a hand has written, also on what others wrote after it: another number is another write. */
const HAND_ANNOTATION = 'example.com/hand'

/** Between two writes of a conflict storm. */
const STORM_GAP_MILLIS = 8
const NOBODY = 'nobody_00000000-0000-0000-0000-000000000000'

type Patch = Readonly<Record<string, unknown>> & { readonly metadata?: Readonly<Record<string, unknown>> }

export class Hands {
  readonly world: World
  /** UIDs of what they deleted. */
  readonly deleted: Set<string>
  readonly all: readonly GroupPlan[]
  readonly hostile: readonly GroupPlan[]
  #writes = 0

  constructor(world: World, groups: readonly GroupPlan[], deleted: Set<string>) {
    this.world = world
    this.all = groups
    this.hostile = groups.filter(({ hostile }) => hostile)
    this.deleted = deleted
  }

  pods(group: GroupPlan): readonly Pod[] {
    return [...this.world.witness.pods.values()].filter(({ metadata }) => metadata.labels?.['app'] === group.name)
  }

  leader(group: GroupPlan): Pod | undefined {
    return this.pods(group).find((pod) => pod.metadata.labels?.[groupKeys(group.name).role] === LEADER_ROLE)
  }

  /** Whether it took effect. */
  async patch<T extends KubeObject>(
    resource: Resource<T>,
    name: string,
    { metadata = {}, ...patch }: Patch,
  ): Promise<boolean> {
    const annotations = {
      [HAND_ANNOTATION]: String((this.#writes += 1)),
      ...(metadata['annotations'] as object | undefined),
    }
    const { api, namespace } = this.world
    const merged = { ...patch, metadata: { ...metadata, annotations } }
    return (await api.mergePatch(resource, { namespace, name }, merged)).kind === 'ok'
  }
}

type HandFault = (hands: Hands, fault: Fault, signal: AbortSignal) => Promise<boolean>

/** By a group's keys on one of its pods. */
function onPod(
  whose: (hands: Hands, group: GroupPlan, how: number) => Pod | undefined,
  what: (group: GroupPlan, pod: Pod, how: number) => object,
): HandFault {
  return async (hands, { whom, how }) => {
    const group = chosen(hands.hostile, whom)
    const pod = group && whose(hands, group, how)
    return pod
      ? hands.patch(Pods, pod.metadata.name, { metadata: { uid: pod.metadata.uid, ...what(group, pod, how) } })
      : false
  }
}

function onLease(what: (hands: Hands, group: GroupPlan, how: number) => Patch): HandFault {
  return async (hands, { whom, how }) => {
    const group = chosen(hands.hostile, whom)
    if (!group) return false
    return hands.patch(Leases, group.leaseName, what(hands, group, how))
  }
}

const anyPod = (hands: Hands, group: GroupPlan, how: number): Pod | undefined => chosen(hands.pods(group), how)
const leader = (hands: Hands, group: GroupPlan): Pod | undefined => hands.leader(group)

export const HAND_FAULTS = {
  'label by a hand': onPod(
    (hands, group, how) => {
      const others = hands.pods(group).filter((pod) => pod.metadata.uid !== hands.leader(group)?.metadata.uid)
      return chosen(others, how)
    },
    ({ name }) => ({ labels: { [groupKeys(name).role]: LEADER_ROLE } }),
  ),
  'label taken off': onPod(leader, ({ name }) => ({ labels: { [groupKeys(name).role]: null } })),
  'term edited': onPod(leader, ({ name }, _pod, how) => ({
    annotations: { [groupKeys(name).term]: how < 0.5 ? null : '7' },
  })),
  'stamp edited': onPod(anyPod, ({ name }, pod, how) => ({
    annotations: { [groupKeys(name).sealed]: forged(pod.metadata.annotations?.[groupKeys(name).sealed], how * 97) },
  })),
  'Lease overwritten': onLease(overwritten),
  'transitions lowered': onLease(() => ({ spec: { leaseTransitions: 0 } })),
  'Lease deleted': async (hands, { whom }) => {
    const group = chosen(hands.hostile, whom)
    const lease = group && hands.world.witness.leases.get(group.leaseName)
    if (!lease) return false
    hands.deleted.add(lease.metadata.uid)
    const { api, namespace } = hands.world
    return (await api.delete(Leases, { namespace, name: group.leaseName })).kind === 'ok'
  },
  'conflict storm': conflictStorm,
  'group deleted': deleteGroup,
} satisfies Readonly<Partial<Record<FaultKind, HandFault>>>

export function isHandFault(kind: FaultKind): kind is keyof typeof HAND_FAULTS {
  return kind in HAND_FAULTS
}

/** Removed, malformed, of another gate, lower or higher. */
function forged(stamp: string | undefined, variant: number): string | null {
  const [gate = '-', term = '1'] = (stamp ?? '-/1').split('/')
  const forms = [
    null,
    'garbage',
    `00000000-0000-0000-0000-000000000000/${term}`,
    `${gate}/0`,
    `${gate}/${Number(term) + 3}`,
  ]
  return forms[Math.floor(variant) % forms.length]!
}

function overwritten(hands: Hands, group: GroupPlan, how: number): Patch {
  const now = microTime(Date.now())
  const held = { leaseDurationSeconds: 2, renewTime: now, acquireTime: now }
  const [first] = hands.pods(group)
  const variants: readonly Patch[] = [
    { spec: { holderIdentity: NOBODY, ...held } },
    { spec: { holderIdentity: '' } },
    { spec: { holderIdentity: first ? formatIdentity(first.metadata) : NOBODY, ...held } },
    { spec: { holderIdentity: '💥'.repeat(60), leaseDurationSeconds: 1, renewTime: '0001-01-01T00:00:00.000000Z' } },
    // Of mode Assign the mark; the application's Lease bears none.
    group.mode === 'Assign'
      ? { metadata: { annotations: { [GATE_ANNOTATION]: 'garbage' } } }
      : { spec: { holderIdentity: null, leaseTransitions: 1_000_000 } },
  ]
  return chosen(variants, how)!
}

async function conflictStorm(hands: Hands, { whom, millis }: Fault, signal: AbortSignal): Promise<boolean> {
  const group = chosen(hands.hostile, whom)
  if (!group) return false
  const end = performance.now() + millis
  let hits = 0
  while (performance.now() < end && !signal.aborted) {
    const pod = hands.leader(group)
    if (pod && (await hands.patch(Pods, pod.metadata.name, {}))) hits += 1
    if (await hands.patch(Leases, group.leaseName, {})) hits += 1
    if (await hands.patch(LeaderGroups, group.name, {})) hits += 1
    await rest(STORM_GAP_MILLIS, signal)
  }
  return hits > 0
}

/** Any group: this is no stranger's write to what is the operator's. */
async function deleteGroup(hands: Hands, { whom, millis }: Fault, signal: AbortSignal): Promise<boolean> {
  const { world } = hands
  const group = chosen(hands.all, whom)
  if (!group) return false
  const { api, namespace } = world
  const key = { namespace, name: group.name }
  const found = await api.get(LeaderGroups, key)
  if (found.kind !== 'ok') return false
  await persist(world.signal, () => settled(api.delete(LeaderGroups, key)))
  await rest(millis, signal)
  await world.createGroup(group)
  return true
}

/** Whoever wrote after a hand left its number as it was. */
export function isByHand({ change, before }: Seen): boolean {
  const now = change.object.metadata.annotations?.[HAND_ANNOTATION]
  return !change.gone && now !== undefined && now !== before?.metadata.annotations?.[HAND_ANNOTATION]
}
