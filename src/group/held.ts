import { advance } from './advance.ts'
import { ineligibility, patience, ranked } from './candidates.ts'
import { whenRead, type Election, type View } from './election.ts'
import type { HeldGate } from './gate-state.ts'
import type { ObservedPod } from './observation.ts'
import {
  bearsKeys,
  bearsLead,
  followPatch,
  gateReadAfter,
  isSealed,
  labelPatch,
  leads,
  mayStamp,
  roleBesideLeader,
  sealPatch,
  stampedTerm,
  stripPatch,
} from './seal.ts'

type Held = View<HeldGate>

/**
 * The gate names a holder: seal before advance.
 *
 * Kubernetes has no transaction over a pod and a Lease, so an operator that was paused could label a pod after its
 * successor had moved on. A change of leader from A in term t to B is therefore three writes in this order, each
 * refused by the server when what it was decided on has changed:
 *   1. seal A: one patch takes its label off and stamps it `<gate UID>/t`;
 *   2. advance the gate: a PUT of the Lease with the version read before, naming B in a higher term;
 *   3. label B, with the version of B as it was read before a read (or our own write) of the gate that names it.
 * A late labeller of term t then carries an old version of A (409), or it sees the stamp.
 *
 * Nothing remembers which step it is at: each decision looks at the whole and asks for the first thing that is missing.
 */
export function decideHeld(view: Held): Election {
  const { o, gate } = view
  const strays = o.pods.filter((pod) => pod.uid !== gate.holder.uid && bearsLead(pod))
  if (strays.length > 0) {
    const names = strays.map((pod) => pod.name).join(', ')
    return {
      // Not on a gate that may be stale: the "stray" could be the leader that another operator has just named.
      urgent: whenRead(
        strays,
        (pod) => gateReadAfter(pod, gate),
        (pod) => seal(view, pod),
      ),
      chores: [],
      reason: `taking the leader's keys off ${names}: the Lease names ${gate.holder.name}`,
    }
  }
  const holder = o.pods.find((pod) => pod.uid === gate.holder.uid)
  const election = holder ? decidePresent(view, holder) : decideAbsent(view)
  return { ...election, chores: choresOf(view) }
}

function decideAbsent(view: Held): Election {
  const { o, gate } = view
  const { name, uid } = gate.holder
  if (!o.gone.has(uid)) {
    return { urgent: [{ kind: 'readPod', name, uid }], chores: [], reason: `asking whether the holder ${name} is gone` }
  }
  const successor = successorOf(view)
  return successor ? advance(view, successor, `${name} is gone`) : rest(`${name} is gone, and ${nobody(view)}`)
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
  const stays = holder.selected && (leads(holder, gate) || !bearsLead(holder))
  if (stays || isSealed(holder, gate)) return rest(`${holder.name} ${why}, and ${nobody(view)}`)
  return sealing(view, holder, `sealing ${holder.name}, which ${why}`)
}

/** The holder may go on: label it, or name it anew when it was sealed, for a term is never resumed. */
function keep(view: Held, holder: ObservedPod): Election {
  const { o, gate } = view
  if (leads(holder, gate)) return rest(`${holder.name} leads in term ${gate.term}`)
  if (isSealed(holder, gate)) return advance(view, holder, `${holder.name} lost term ${gate.term}`)
  if ((stampedTerm(holder, gate) ?? Infinity) >= gate.term) {
    return sealing(view, holder, `sealing ${holder.name}: its keys do not fit term ${gate.term}`)
  }
  if (hasLed(view, holder) && holder.role === undefined) {
    return sealing(view, holder, `sealing ${holder.name}: somebody took its label off in term ${gate.term}`)
  }
  return {
    urgent: whenRead(
      [holder],
      (pod) => gateReadAfter(pod, gate),
      (pod) => labelPatch(o.name, pod, gate.term),
    ),
    chores: [],
    reason: `labelling ${holder.name}, the holder of term ${gate.term}`,
  }
}

/** Status names a holder only after it has borne the label of its term. */
function hasLed({ group: { status }, gate }: Held, holder: ObservedPod): boolean {
  return status?.term === gate.term && status.holderUID === holder.uid
}

function successorOf({ o, group, gate }: Held): ObservedPod | undefined {
  if (group.spec.paused) return undefined
  return ranked(o.pods).find((pod) => pod.uid !== gate.holder.uid && stampedTerm(pod, gate) !== undefined)
}

/**
 * Enrolment: a pod may be named only if it bears a stamp of this gate, so each new one is stamped when it is first seen,
 * off the path of a failover. Its role beside the leader goes with it, or is put right later. Pods that are no longer
 * selected lose what is left on them.
 */
function choresOf(view: Held): Election['chores'] {
  const { o, group, gate } = view
  const others = o.pods.filter((pod) => pod.uid !== gate.holder.uid)
  const unenrolled = others.filter((pod) => isCandidate(pod) && stampedTerm(pod, gate) === undefined)
  const miscast = o.pods.filter((pod) => {
    if (!pod.selected || unenrolled.includes(pod)) return false
    const role = roleBesideLeader(pod, group)
    const follows = pod.uid === gate.holder.uid ? isSealed(pod, gate) : role === undefined || isCandidate(pod)
    return follows && pod.role !== role
  })
  const released = others.filter((pod) => !pod.selected && bearsKeys(pod))
  return [
    ...whenRead(
      unenrolled,
      (pod) => mayStamp(pod, gate),
      (pod) => sealPatch(group, pod, gate, 0, 'enrol'),
    ),
    ...miscast.map((pod) => followPatch(group, pod)),
    ...released.map((pod) => stripPatch(o.name, pod)),
  ]
}

function isCandidate(pod: ObservedPod): boolean {
  return pod.selected && !pod.terminating && pod.phase !== 'Succeeded' && pod.phase !== 'Failed'
}

function sealing(view: Held, pod: ObservedPod, reason: string): Election {
  return {
    urgent: whenRead(
      [pod],
      (each) => mayStamp(each, view.gate),
      (each) => seal(view, each),
    ),
    chores: [],
    reason,
  }
}

function seal({ group, gate }: Held, pod: ObservedPod): ReturnType<typeof sealPatch> {
  return sealPatch(group, pod, gate, gate.term, 'seal')
}

function nobody({ group }: Held): string {
  return group.spec.paused ? 'no new leader is chosen while paused' : 'no other pod can lead'
}

function rest(reason: string): Election {
  return { urgent: [], chores: [], reason }
}
