import type { AdvanceGate } from './decision.ts'
import type { Election, View, WriteGate } from './election.ts'
import type { LiveGate } from './gate/gate-state.ts'
import { FORGED_LEAP, LAST_TERM, parseStamp, parseTerm } from './gate/gate.ts'
import type { GroupObservation, ObservedPod } from './observation.ts'
import { modeOf } from './spec.ts'

/**
 * Names a new holder. The caller has seen every earlier holder sealed or gone.
 *
 * The gate advances only from a term that status shows. So at any time at most one term is known to the gate alone, and
 * a gate that is deleted and born again, which starts at 2 above the highest number in sight, never repeats a term. Where
 * status is the gate, it shows the term by itself.
 */
export function advance(view: View, to: ObservedPod, why: string): Election {
  const { o, group, gate } = view
  const isStatus = modeOf(group) === 'Observe'
  const recorded = isStatus ? gate.term : (group.status?.term ?? 0)
  if (recorded < gate.term) {
    return { urgent: [], chores: [], preparing: true, reason: `${why}: recording term ${gate.term} before the next` }
  }
  const term = nextTerm(o, recorded, gate)
  if (term > LAST_TERM) return usedUp(why)
  const step = isStatus ? nameInStatus(view, to, term) : nameInLease(view, to, term)
  return { urgent: [step], chores: [], reason: `${why}: naming ${to.name} for term ${term}` }
}

/** All numbers are taken: a higher one could not be read again. */
export function usedUp(why: string): Election {
  return { urgent: [], chores: [], reason: `${why}, but no higher term exists: delete the group and create it again` }
}

function nameInStatus({ gate }: View, { name, uid }: ObservedPod, term: number): WriteGate {
  return { kind: 'writeGate', write: { holder: { name, uid }, gateUID: gate.object.uid, term } }
}

function nameInLease({ gate, now }: View, { name, uid }: ObservedPod, term: number): AdvanceGate {
  return {
    kind: 'advanceGate',
    uid: gate.object.uid,
    resourceVersion: gate.object.resourceVersion,
    holder: { name, uid },
    term,
    acquireTime: now.wall,
    takesBack: gate.kind === 'open' && gate.term > 0,
  }
}

/** 1 above the highest well-formed number in sight; 2 above it under a gate that has named nobody yet. */
function nextTerm(o: GroupObservation, recorded: number, gate: LiveGate): number {
  return highestTerm(o.pods, Math.max(gate.term, recorded)) + (gate.term === 0 ? 2 : 1)
}

/** The highest number on the pods, or `known` if that is higher. */
export function highestTerm(pods: readonly ObservedPod[], known: number): number {
  const onPods = pods.flatMap((pod) => [parseStamp(pod.sealed)?.term ?? 0, parseTerm(pod.term) ?? 0])
  return Math.max(known, ...onPods.filter((term) => term < known + FORGED_LEAP))
}
