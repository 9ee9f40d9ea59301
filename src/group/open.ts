import { advance } from './advance.ts'
import { ineligibility, ranked } from './candidates.ts'
import { whenRead, type Election, type View } from './election.ts'
import type { OpenGate } from './gate-state.ts'
import type { ObservedPod } from './observation.ts'
import { bearsLead, mayStamp, sealPatch, stampedTerm } from './seal.ts'
import { takesBackAt } from './take-back.ts'

/**
 * The gate names nobody that we named: it was just born, or somebody else wrote it. Who led before is unknown, so *every*
 * pod that is selected or bears the group's keys is stamped with the mark's term, and only then is a holder named, with
 * the version of the gate that was read before. The list of those pods is a quorum list begun after that read: a pod
 * that the caches do not show yet may bear a label.
 *
 * Under a gate that was just born, status alone tells how far the terms have come, for the round erases the numbers on
 * the pods. So the group too is read after the gate: a cache that lags would let a term come again.
 */
export function decideOpen(view: View<OpenGate>): Election {
  const { o, group, gate } = view
  const listed = o.podsListedAt !== undefined && o.podsListedAt > gate.lease.seenAt
  const recorded = gate.term > 0 || (o.groupReadAt !== undefined && o.groupReadAt > gate.lease.seenAt)
  const patience = gate.term === 0 ? -Infinity : takesBackAt(o, view.now)
  const waits = patience > view.now.monotonic
  const unsealed = o.pods.filter((pod) => bearsLead(pod) || (stampedTerm(pod, gate) ?? -1) < gate.term)
  // While it waits, each renewal by the other elector is a new version of the gate: no reason to list anew each time.
  if (unsealed.length > 0 || (!waits && (!listed || !recorded))) {
    const stamps = whenRead(
      unsealed,
      (pod) => mayStamp(pod, gate),
      (pod) => sealPatch(group, pod, gate, gate.term, gate.term === 0 ? 'enrol' : 'seal'),
    )
    return {
      urgent: [
        ...(listed || waits ? [] : [{ kind: 'listPods' } as const]),
        ...(recorded ? [] : [{ kind: 'readGroup' } as const]),
        ...stamps,
      ],
      chores: [],
      reason: `${whatHappened(gate)}: stamping every pod before a leader is named`,
    }
  }
  const choice = chosen(view)
  if (!choice) {
    const why = view.group.spec.paused ? 'no leader is chosen while paused' : 'no pod can lead'
    return { urgent: [], chores: [], reason: `${whatHappened(gate)}, and ${why}` }
  }
  if (waits) {
    return {
      urgent: [],
      chores: [],
      wakeAt: patience,
      reason: `${whatHappened(gate)} again: waiting before it is taken back`,
    }
  }
  return advance(view, choice, whatHappened(gate))
}

/** The pod that led before the gate was lost, if it still can: nothing but ineligibility moves a leader. */
function chosen({ o, group }: View<OpenGate>): ObservedPod | undefined {
  const before = o.pods.find((pod) => pod.uid === group.status?.holderUID)
  if (before && ineligibility(before) === undefined) return before
  return group.spec.paused ? undefined : ranked(o.pods)[0]
}

function whatHappened({ term, lease }: OpenGate): string {
  if (term === 0) return 'the Lease is new'
  return lease.holderIdentity ? `${lease.holderIdentity} took the Lease` : 'the Lease was emptied by somebody else'
}
