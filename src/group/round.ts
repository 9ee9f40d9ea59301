import { highestTerm } from './advance.ts'
import type { GroupAction } from './decision.ts'
import { whenRead, type Election, type View } from './election.ts'
import type { OpenGate } from './gate/gate-state.ts'
import { bearsKeys, bearsLead, mayStamp, sealPatch, stampedTerm } from './seal.ts'

/**
 * The gate names nobody that we named: it was just born, or somebody else wrote it. Who led before is unknown, so *every*
 * pod that is selected or bears the group's keys is stamped with the mark's term, and only then is a holder named, with
 * the version of the gate that was read before. The list of those pods is a quorum list begun after that read: a pod
 * that the caches do not show yet may bear a label.
 *
 * A pod that bears a higher number, of whatever gate, keeps it in its stamp: where the old gate and status are both gone, pods
 * alone tell how far the terms have come.
 *
 * @param reads what else has to be read first; none when it has been
 * @returns undefined: the round is complete
 */
export function round(
  { o, group, gate }: View<OpenGate>,
  reads: readonly GroupAction[],
  why: string,
): Election | undefined {
  // A pod that is here only because the Lease names it is left alone: without a stamp nobody can label it.
  const own = o.pods.filter((pod) => pod.selected || bearsKeys(pod))
  const unsealed = own.filter((pod) => bearsLead(pod) || (stampedTerm(pod, gate) ?? -1) < gate.term)
  if (unsealed.length === 0 && reads.length === 0) return undefined
  const stamps = whenRead(
    unsealed,
    (pod) => mayStamp(pod, gate),
    (pod) => sealPatch(group, pod, gate, highestTerm([pod], gate.term), gate.term === 0 ? 'enrol' : 'seal'),
  )
  return {
    urgent: [...reads, ...stamps],
    chores: [],
    reason: `${why}: stamping every pod before a leader is named`,
  }
}

/** Due: a list of the pods that began after the gate was seen. */
export function listing({ o, gate }: View<OpenGate>): readonly GroupAction[] {
  return o.podsListedAt !== undefined && o.podsListedAt > gate.object.seenAt ? [] : [{ kind: 'listPods' }]
}
