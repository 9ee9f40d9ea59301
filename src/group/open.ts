import { advance } from './advance.ts'
import { begunAfter } from './begun-after.ts'
import { ineligibility, ranked } from './candidates.ts'
import type { Election, View } from './election.ts'
import type { OpenGate } from './gate/gate-state.ts'
import type { ObservedPod } from './observation.ts'
import { listing, round } from './round.ts'
import { resting } from './steps.ts'
import { takesBackAt } from './take-back.ts'

/**
 * Mode Assign, and the gate names nobody that we named: the round, and then a holder.
 *
 * Under a gate that was just born, status tells how far the terms have come; the pods need not, for whoever led may be gone. So
 * the group too is read after the gate: a cache that lags would let a term come again.
 */
export function decideOpen(view: View<OpenGate>): Election {
  const { o, gate } = view
  const what = whatHappened(view)
  const recorded = gate.term > 0 || begunAfter(o.groupReadAt, gate.object.seenAt)
  const patience = gate.term === 0 ? -Infinity : takesBackAt(o, view.now)
  const waits = patience > view.now.monotonic
  // While it waits, each renewal by the other elector is a new version of the gate: no reason to list anew each time.
  const reads = [...(waits ? [] : listing(view)), ...(recorded ? [] : [{ kind: 'readGroup' } as const])]
  const stamping = round(view, reads, what)
  if (stamping) return stamping
  const choice = chosen(view)
  if (!choice) {
    const why = view.group.spec.paused ? 'no leader is chosen while paused' : 'no pod can lead'
    return resting(`${what}, and ${why}`)
  }
  if (waits) return { ...resting(`${what} again: waiting before it is taken back`), wakeAt: patience }
  return advance(view, choice, what)
}

/** The pod that led before the gate was lost, if it still can: nothing but ineligibility moves a leader. */
function chosen({ o, group }: View<OpenGate>): ObservedPod | undefined {
  const before = o.pods.find((pod) => pod.uid === group.status?.holderUID)
  if (before && ineligibility(before) === undefined) return before
  return group.spec.paused ? undefined : ranked(o.pods)[0]
}

function whatHappened({ o, gate }: View<OpenGate>): string {
  if (gate.term === 0) return 'the Lease is new'
  const holder = o.lease?.holderIdentity
  return holder ? `${holder} took the Lease` : 'the Lease was emptied by somebody else'
}
