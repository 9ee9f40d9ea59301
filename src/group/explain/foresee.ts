import { decide } from '../decide.ts'
import type { AdvanceGate, GroupAction, PatchPod } from '../decision.ts'
import { formatIdentity, formatMark, transitionsOf } from '../gate/gate.ts'
import { groupKeys } from '../keys.ts'
import type { GroupObservation, Instant, ObservedLease, ObservedPod } from '../observation.ts'
import { enacted } from '../routing/enacted.ts'
import { leaseNameOf, modeOf } from '../spec.ts'

/** More than any change of leader takes; each step may act on many pods. */
const LONGEST_CHAIN = 64

/** Stands for the UID of a Lease that does not exist yet. */
const UNBORN = 'unborn'

/** Where the decisions lead from an observation, if nothing else happens. */
export interface Foresight {
  /** All that would be done, in order, reads included. */
  readonly actions: readonly GroupAction[]
  /** The reason of the first decision that writes; without one, that of the last. */
  readonly begins: string
  /** The reason of the last decision: what holds when nothing more is to do. */
  readonly reason: string
  /** When the next decision is due by time, in monotonic milliseconds. */
  readonly wakeAt?: number
  readonly end: GroupObservation
}

/**
 * Plays on from an observation: asks the very `decide` that the operator runs, and assumes that each action succeeds at
 * once. So what is foretold is what would be done, and not a second opinion about it.
 */
export function foresee(from: GroupObservation, now: Instant): Foresight {
  const actions: GroupAction[] = []
  let begins: string | undefined
  let o = from
  for (let step = 0; ; step++) {
    const decision = decide(o, now)
    if (decision.actions.length === 0 || step === LONGEST_CHAIN) {
      const { reason, wakeAt } = decision
      return { actions, begins: begins ?? reason, reason, end: o, ...(wakeAt === undefined ? {} : { wakeAt }) }
    }
    if (decision.actions.some(isWrite)) begins ??= decision.reason
    actions.push(...decision.actions)
    const recovered: GroupObservation = { ...o, memory: { ...o.memory, fault: undefined, putOff: undefined } }
    o = decision.actions.reduce((at, action) => after(at, action, now), recovered)
  }
}

function isWrite({ kind }: GroupAction): boolean {
  return !['readGate', 'readLease', 'readPod', 'readGroup', 'listPods'].includes(kind)
}

/** The observation if the pod had just been deleted, as it is, and that was proved. */
export function without(o: GroupObservation, pod: ObservedPod): GroupObservation {
  const { uid } = pod
  const deletedPods = [...o.deletedPods, { ...pod, deleted: true }]
  return { ...o, pods: o.pods.filter((each) => each.uid !== uid), deletedPods, gone: new Set([...o.gone, uid]) }
}

/** The observation once the action has succeeded. */
function after(o: GroupObservation, action: GroupAction, now: Instant): GroupObservation {
  const tick = latestTick(o) + 1
  switch (action.kind) {
    case 'createGate':
      return { ...o, lease: bornGate(o, tick) }
    case 'deleteGate':
      return { ...o, lease: undefined }
    case 'readGate':
      return o.group && modeOf(o.group) === 'Observe' ? { ...o, groupReadAt: tick } : leaseRead(o, tick, now)
    case 'readLease':
      return leaseRead(o, tick, now)
    case 'releaseLease':
      return { ...o, lease: o.lease && released(o.lease, tick, now) }
    case 'advanceGate':
      return { ...o, lease: o.lease && advancedGate(o.lease, action, tick) }
    case 'readPod':
      // It would be among the pods, whose list is complete.
      return { ...o, gone: new Set([...o.gone, action.uid]) }
    case 'patchPod':
      return {
        ...o,
        pods: o.pods.map((pod) => (pod.uid === action.pod.uid ? patched(o.name, pod, action, tick) : pod)),
      }
    case 'listPods':
      return { ...o, podsListedAt: tick }
    case 'readGroup':
      return o.group ? { ...o, groupReadAt: tick } : { ...o, groupAbsentAt: tick }
    case 'writeStatus':
      return { ...o, group: o.group && { ...o.group, status: action.status }, groupSeenAt: tick, groupReadAt: tick }
    case 'createService':
    case 'patchService':
    case 'deleteService':
    case 'createSlice':
    case 'replaceSlice':
    case 'deleteSlice':
      return { ...o, ...enacted(o, action, tick) }
  }
}

function leaseRead(o: GroupObservation, tick: number, { monotonic }: Instant): GroupObservation {
  return o.lease ? { ...o, lease: { ...o.lease, readAt: tick, readMillis: monotonic } } : { ...o, leaseAbsentAt: tick }
}

function released(lease: ObservedLease, tick: number, { monotonic }: Instant): ObservedLease {
  const sight = { seenAt: tick, sinceMillis: monotonic, changed: true }
  return { ...lease, holderIdentity: '', seenAt: tick, readAt: tick, readMillis: monotonic, sight }
}

function bornGate({ name, group }: GroupObservation, tick: number): ObservedLease {
  return {
    name: group ? leaseNameOf(group) : name,
    uid: UNBORN,
    resourceVersion: '',
    seenAt: tick,
    readAt: tick,
    ownerUID: group?.metadata.uid,
    ownerName: `LeaderGroup ${name}`,
    mode: 'Assign',
    mark: formatMark({ holder: undefined, gateUID: undefined, term: 0 }),
    holderIdentity: '',
    transitions: 0,
    acquireTime: undefined,
    sight: { seenAt: tick, sinceMillis: 0, changed: true },
    readMillis: undefined,
  }
}

function advancedGate(lease: ObservedLease, { holder, term, acquireTime }: AdvanceGate, tick: number): ObservedLease {
  return {
    ...lease,
    seenAt: tick,
    readAt: tick,
    mark: formatMark({ holder, gateUID: lease.uid, term }),
    holderIdentity: formatIdentity(holder),
    transitions: transitionsOf(term),
    acquireTime,
  }
}

function patched(group: string, pod: ObservedPod, { labels, annotations }: PatchPod, tick: number): ObservedPod {
  const keys = groupKeys(group)
  const merged = (patch: Readonly<Record<string, string | null>>, key: string, before: string | undefined) =>
    key in patch ? (patch[key] ?? undefined) : before
  return {
    ...pod,
    seenAt: tick,
    role: merged(labels, keys.role, pod.role),
    term: merged(annotations, keys.term, pod.term),
    sealed: merged(annotations, keys.sealed, pod.sealed),
  }
}

function latestTick(o: GroupObservation): number {
  const { pods, slices, lease, leaseAbsentAt, podsListedAt, groupSeenAt, groupReadAt, groupAbsentAt } = o
  const ticks = [lease?.seenAt, lease?.readAt, leaseAbsentAt, podsListedAt, groupSeenAt, groupReadAt, groupAbsentAt]
  // One by one: a group may have more pods than a call has arguments.
  let latest = 0
  for (const { seenAt } of [...pods, ...slices]) latest = Math.max(latest, seenAt)
  for (const tick of ticks) latest = Math.max(latest, tick ?? 0)
  return latest
}
