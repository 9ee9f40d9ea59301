import type { AdvanceGate } from './decision.ts'
import type { Election, View } from './election.ts'
import type { HeldGate, OpenGate } from './gate-state.ts'
import { FORGED_LEAP, LAST_TERM, parseStamp, parseTerm } from './gate.ts'
import type { GroupObservation, ObservedPod } from './observation.ts'

/**
 * Names a new holder. The caller has seen every earlier holder sealed or gone.
 *
 * The gate advances only from a term that status shows. So at any time at most one term is known to the gate alone, and
 * a gate that is deleted and born again, which starts at 2 above the highest number in sight, never repeats a term.
 */
export function advance(view: View<OpenGate | HeldGate>, to: ObservedPod, why: string): Election {
  const { o, group, gate, now } = view
  if ((group.status?.term ?? 0) < gate.term) {
    return { urgent: [], chores: [], preparing: true, reason: `${why}: recording term ${gate.term} before the next` }
  }
  const term = nextTerm(o, group.status?.term ?? 0, gate)
  if (term > LAST_TERM) {
    return { urgent: [], chores: [], reason: `${why}, but no higher term exists: delete the group and create it again` }
  }
  const action: AdvanceGate = {
    kind: 'advanceGate',
    uid: gate.lease.uid,
    resourceVersion: gate.lease.resourceVersion,
    holder: { name: to.name, uid: to.uid },
    term,
    acquireTime: now.wall,
    takesBack: gate.kind === 'open' && gate.term > 0,
  }
  return { urgent: [action], chores: [], reason: `${why}: naming ${to.name} for term ${term}` }
}

/** 1 above the highest well-formed number in sight; 2 above it under a gate that has named nobody yet. */
function nextTerm(o: GroupObservation, statusTerm: number, gate: OpenGate | HeldGate): number {
  const known = Math.max(gate.term, statusTerm)
  const onPods = o.pods.flatMap((pod) => [parseStamp(pod.sealed)?.term ?? 0, parseTerm(pod.term) ?? 0])
  const highest = Math.max(known, ...onPods.filter((term) => term < known + FORGED_LEAP))
  return highest + (gate.term === 0 ? 2 : 1)
}
