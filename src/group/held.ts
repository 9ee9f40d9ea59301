import { advance } from './advance.ts'
import { ineligibility, patience, ranked } from './candidates.ts'
import type { Election, View } from './election.ts'
import type { HeldGate } from './gate/gate-state.ts'
import type { ObservedPod } from './observation.ts'
import { bearsLead, isSealed, leads, stampedTerm } from './seal.ts'
import { asking, choresOf, hasLost, keeping, lossOf, resting, sealing, takingOff } from './steps.ts'

type Held = View<HeldGate>

/** Mode Assign, and the gate names a holder: it stays for as long as it can lead; then the best of the others follows. */
export function decideHeld(view: Held): Election {
  const { o, gate } = view
  const strays = takingOff(view)
  if (strays) return strays
  const holder = o.pods.find((pod) => pod.uid === gate.holder.uid)
  const election = holder ? decidePresent(view, holder) : decideAbsent(view)
  return { ...election, chores: choresOf(view) }
}

function decideAbsent(view: Held): Election {
  const { o, gate } = view
  const { name, uid } = gate.holder
  if (!o.gone.has(uid)) return asking(gate.holder)
  const successor = successorOf(view)
  return successor ? advance(view, successor, `${name} is gone`) : resting(`${name} is gone, and ${nobody(view)}`)
}

function decidePresent(view: Held, holder: ObservedPod): Election {
  const { group, gate, now } = view
  const why = ineligibility(holder)
  if (why === undefined) return keep(view, holder)
  const keepsUntil = patience(holder, group.spec.failover?.notReadySeconds)
  if (keepsUntil !== undefined && keepsUntil > now.monotonic) return { ...keep(view, holder), wakeAt: keepsUntil }

  const successor = successorOf(view)
  if (successor) {
    return isSealed(holder, gate)
      ? advance(view, successor, `${holder.name} ${why}`)
      : sealing(view, holder, `${holder.name} ${why}: sealing it before ${successor.name} is named`)
  }
  // Without a successor the holder keeps its label, if it bears the right one: no unready pod gets traffic by it anyway.
  // One that somebody took off is barred while status still tells that it was there.
  if (hasLost(holder, gate, hasLed(view, holder))) return sealing(view, holder, lossOf(holder, gate))
  const stays = holder.selected && (leads(holder, gate) || !bearsLead(holder))
  if (stays || isSealed(holder, gate)) return resting(`${holder.name} ${why}, and ${nobody(view)}`)
  return sealing(view, holder, `sealing ${holder.name}, which ${why}`)
}

function keep(view: Held, holder: ObservedPod): Election {
  return keeping(view, holder, hasLed(view, holder))
}

/** Status names a holder only after it has borne the label of its term. */
function hasLed({ group: { status }, gate }: Held, { uid }: ObservedPod): boolean {
  return status?.term === gate.term && status.holderUID === uid
}

function successorOf({ o, group, gate }: Held): ObservedPod | undefined {
  if (group.spec.paused) return undefined
  return ranked(o.pods).find((pod) => pod.uid !== gate.holder.uid && stampedTerm(pod, gate) !== undefined)
}

function nobody({ group }: Held): string {
  return group.spec.paused ? 'no new leader is chosen while paused' : 'no other pod can lead'
}
