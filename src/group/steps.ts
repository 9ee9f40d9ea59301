import { advance } from './advance.ts'
import { whenRead, type Election, type View } from './election.ts'
import type { HeldGate, VacantGate } from './gate/gate-state.ts'
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
import { modeOf } from './spec.ts'

/** A gate that we wrote as it is: at most its holder may bear the label. */
export type Settled = View<HeldGate | VacantGate>

/**
 * Seal before advance.
 *
 * Kubernetes has no transaction over a pod and a Lease, so an operator that was paused could label a pod after its
 * successor had moved on. A change of leader from A in term t to B is therefore three writes in this order, each
 * refused by the server when what it was decided on has changed:
 *   1. seal A: one patch takes its label off and stamps it `<gate UID>/t`;
 *   2. advance the gate: a PUT with the version read before, naming B in a higher term;
 *   3. label B, with the version of B as it was read before a read (or our own write) of the gate that names it.
 * A late labeller of term t then carries an old version of A (409), or it sees the stamp.
 *
 * Nothing remembers which step it is at: each decision looks at the whole and asks for the first thing that is missing.
 */
export function sealing(view: Settled, pod: ObservedPod, reason: string): Election {
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

/** The leader's keys come off whoever bears them and is not the holder; undefined: nobody is. */
export function takingOff(view: Settled): Election | undefined {
  const { o, group, gate } = view
  const holder = gate.kind === 'held' ? gate.holder : undefined
  const named = `${modeOf(group) === 'Observe' ? 'status' : 'the Lease'} names ${holder?.name ?? 'nobody'}`
  const strays = o.pods.filter((pod) => pod.uid !== holder?.uid && bearsLead(pod))
  if (strays.length === 0) return undefined
  return {
    // Not on a gate that may be stale: the "stray" could be the leader that another operator has just named.
    urgent: whenRead(
      strays,
      (pod) => gateReadAfter(pod, gate),
      (pod) => seal(view, pod),
    ),
    chores: [],
    reason: `taking the leader's keys off ${strays.map(({ name }) => name).join(', ')}: ${named}`,
  }
}

/**
 * The holder may go on: label it, or name it anew when it was sealed, for a term is never resumed.
 *
 * @param hasLed the holder has borne the label of this term before
 */
export function keeping(view: View<HeldGate>, holder: ObservedPod, hasLed: boolean): Election {
  const { o, gate } = view
  if (leads(holder, gate)) return resting(`${holder.name} leads in term ${gate.term}`)
  if (isSealed(holder, gate)) return advance(view, holder, `${holder.name} lost term ${gate.term}`)
  if ((stampedTerm(holder, gate) ?? Infinity) >= gate.term) {
    return sealing(view, holder, `sealing ${holder.name}: its keys do not fit term ${gate.term}`)
  }
  if (hasLost(holder, gate, hasLed)) return sealing(view, holder, lossOf(holder, gate))
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

/**
 * Somebody took off, or changed, what the holder bore as the leader of this term: that must not come back under the same
 * number. Its own annotation tells that it has led where the label alone is gone, whatever status says by now.
 */
export function hasLost(holder: ObservedPod, gate: HeldGate, hasLed: boolean): boolean {
  return (hasLed || holder.term === String(gate.term)) && !leads(holder, gate) && !isSealed(holder, gate)
}

export function lossOf({ name }: ObservedPod, { term }: HeldGate): string {
  return `sealing ${name}: somebody took its label off, or changed it, in term ${term}`
}

/** Whether the holder's pod is there is not known here. */
export function asking({ name, uid }: { readonly name: string; readonly uid: string }): Election {
  return { urgent: [{ kind: 'readPod', name, uid }], chores: [], reason: `asking whether the holder ${name} is gone` }
}

/**
 * Enrolment: a pod may be named only if it bears a stamp of this gate, so each new one is stamped when it is first seen,
 * off the path of a failover. Its role beside the leader goes with it, or is put right later. Pods that are no longer
 * selected lose what is left on them.
 */
export function choresOf(view: Settled): Election['chores'] {
  const { o, group, gate } = view
  const holderUID = gate.kind === 'held' ? gate.holder.uid : undefined
  const others = o.pods.filter((pod) => pod.uid !== holderUID)
  const unenrolled = others.filter((pod) => isCandidate(pod) && stampedTerm(pod, gate) === undefined)
  const miscast = o.pods.filter((pod) => {
    if (!pod.selected || unenrolled.includes(pod)) return false
    const role = roleBesideLeader(pod, group)
    const follows = pod.uid === holderUID ? isSealed(pod, gate) : role === undefined || isCandidate(pod)
    return follows && pod.role !== role
  })
  const released = others.filter((pod) => !pod.selected && bearsKeys(pod))
  return [
    ...enrolments(view, unenrolled),
    ...miscast.map((pod) => followPatch(group, pod)),
    ...released.map((pod) => stripPatch(o.name, pod)),
  ]
}

/** Stamps pods that bear no stamp of this gate, so that they may be named. */
export function enrolments({ group, gate }: Settled, pods: readonly ObservedPod[]): Election['chores'] {
  return whenRead(
    pods,
    (pod) => mayStamp(pod, gate),
    (pod) => sealPatch(group, pod, gate, 0, 'enrol'),
  )
}

function isCandidate(pod: ObservedPod): boolean {
  return pod.selected && !pod.terminating && pod.phase !== 'Succeeded' && pod.phase !== 'Failed'
}

function seal({ group, gate }: Settled, pod: ObservedPod): ReturnType<typeof sealPatch> {
  return sealPatch(group, pod, gate, gate.term, 'seal')
}

export function resting(reason: string): Election {
  return { urgent: [], chores: [], reason }
}
