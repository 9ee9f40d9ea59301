import { begunAfter } from './begun-after.ts'
import type { PatchPod } from './decision.ts'
import type { GateObject, HeldGate, LiveGate } from './gate/gate-state.ts'
import { FORGED_LEAP, formatStamp, parseStamp, parseTerm } from './gate/gate.ts'
import { FOLLOWER_ROLE, LEADER_ROLE, groupKeys } from './keys.ts'
import type { LeaderGroup } from './leadergroup.ts'
import type { ObservedPod } from './observation.ts'

/** The term of the pod's stamp under this gate; undefined when it bears none, another gate's, or a malformed one. */
export function stampedTerm(pod: ObservedPod, gate: LiveGate): number | undefined {
  const stamp = parseStamp(pod.sealed)
  return stamp?.gateUID === gate.object.uid && stamp.term < gate.term + FORGED_LEAP ? stamp.term : undefined
}

/** No label, and it may not lead in the gate's present term or an earlier one. */
export function isSealed(pod: ObservedPod, gate: LiveGate): boolean {
  return !bearsLead(pod) && (stampedTerm(pod, gate) ?? -1) >= gate.term
}

/** The pod bears any of what only a leader bears. A role that is no follower's counts: nobody else has a reason for one. */
export function bearsLead(pod: ObservedPod): boolean {
  return (pod.role !== undefined && pod.role !== FOLLOWER_ROLE) || pod.term !== undefined
}

export function bearsKeys(pod: ObservedPod): boolean {
  return pod.role !== undefined || pod.term !== undefined || pod.sealed !== undefined
}

/** The role of a pod that does not lead; undefined: it bears none. */
export function roleBesideLeader(pod: ObservedPod, group: LeaderGroup): string | undefined {
  return group.spec.labelFollowers && pod.selected ? FOLLOWER_ROLE : undefined
}

/** The pod bears the label of the gate's present term, as its holder should. */
export function leads(pod: ObservedPod, gate: HeldGate): boolean {
  return (
    pod.uid === gate.holder.uid &&
    pod.role === LEADER_ROLE &&
    pod.term === String(gate.term) &&
    (stampedTerm(pod, gate) ?? -1) < gate.term
  )
}

/**
 * A read of the gate that began after this pod was read has shown the gate as it is here.
 *
 * What counts is that nobody can have sealed the pod before that read without its being seen here. A write of ours, which
 * names the version that it follows, leaves no room for that: the read before it still counts.
 */
export function gateReadAfter(pod: ObservedPod, { object }: { readonly object: GateObject }): boolean {
  return begunAfter(object.readAt, pod.untouchedSince ?? pod.seenAt)
}

/**
 * A stamp of another gate may be the newer one, when it is this gate that no longer exists: it is replaced only once a
 * gate read begun after the pod's has shown this gate's UID.
 */
export function mayStamp(pod: ObservedPod, gate: LiveGate): boolean {
  return pod.sealed === undefined || stampedTerm(pod, gate) !== undefined || gateReadAfter(pod, gate)
}

/**
 * Takes what only a leader bears off the pod, and bars it from `term` and every earlier one; also from the term of the
 * label that it bears. An operator whose view of the gate is old may take a later term's label off, and what was lost must
 * not come back under the same number.
 */
export function sealPatch(
  group: LeaderGroup,
  pod: ObservedPod,
  gate: LiveGate,
  term: number,
  step: 'seal' | 'enrol',
): PatchPod {
  const keys = groupKeys(group.metadata.name)
  const stamp = { gateUID: gate.object.uid, term: Math.max(term, stampedTerm(pod, gate) ?? 0, borneTerm(pod, gate)) }
  return {
    kind: 'patchPod',
    step,
    pod: versionOf(pod),
    labels: { [keys.role]: roleBesideLeader(pod, group) ?? null },
    annotations: { [keys.term]: null, [keys.sealed]: formatStamp(stamp) },
  }
}

/** 0: it bears no label that it got under this gate. Whoever did had its stamp: another gate's terms are not this one's. */
function borneTerm(pod: ObservedPod, gate: LiveGate): number {
  const isOfGate = pod.role === LEADER_ROLE && stampedTerm(pod, gate) !== undefined
  const term = isOfGate ? parseTerm(pod.term) : undefined
  return term !== undefined && term < gate.term + FORGED_LEAP ? term : 0
}

/** Gives a pod that does not lead its role, or takes it off. */
export function followPatch(group: LeaderGroup, pod: ObservedPod): PatchPod {
  const { role } = groupKeys(group.metadata.name)
  const labels = { [role]: roleBesideLeader(pod, group) ?? null }
  return { kind: 'patchPod', step: 'follow', pod: versionOf(pod), labels, annotations: {} }
}

export function labelPatch(group: string, pod: ObservedPod, term: number): PatchPod {
  const keys = groupKeys(group)
  return {
    kind: 'patchPod',
    step: 'label',
    pod: versionOf(pod),
    labels: { [keys.role]: LEADER_ROLE },
    annotations: { [keys.term]: String(term) },
  }
}

/** Takes every key of the group off; with `keepStamp` only what a leader bears. */
export function stripPatch(group: string, pod: ObservedPod, keepStamp = false): PatchPod {
  const keys = groupKeys(group)
  return {
    kind: 'patchPod',
    step: 'strip',
    pod: versionOf(pod),
    labels: { [keys.role]: null },
    annotations: keepStamp ? { [keys.term]: null } : { [keys.term]: null, [keys.sealed]: null },
  }
}

function versionOf({ name, uid, resourceVersion }: ObservedPod): PatchPod['pod'] {
  return { name, uid, resourceVersion }
}
