import type { Lease, Pod } from '../../kube/objects.ts'
import type { Asked, Fact } from './facts.ts'
import type { Knowledge } from './knowledge.ts'
import type { Gate } from './gate.ts'
import { couldLead, couldLeadIfReady, isMatched } from './matched.ts'
import type { Invariant, Report } from './rule.ts'
import { MARK_KEY, ownerOf, readMark, type PodName } from './wire.ts'
import type { Group, Step, World } from './world.ts'

/** So many versions of a pod, or of a gate, are kept: who knows only older ones is not judged. */
const MOST_VERSIONS = 64

/**
 * I10: who is newly elected could lead.
 *
 * When an operator asks to name a pod in the gate of a group in mode Assign, in a term that the gate does not show yet, then
 * that pod, by UID, in the version that this operator had been shown, was selected, Ready, running, not on its way
 * out and not excluded. With `notReadySeconds` the present holder need not be Ready: it keeps its place for a while, and if
 * it was sealed meanwhile, it does so in a new term. Present is whom the gate names in the version that the request carries:
 * if another operator has moved it on since, the request is refused. It may be different by then: what is promised is about what the operator could know. Judged for
 * processes of which it is told what they are shown.
 *
 * That without such a pod the present holder keeps its label or loses it, and no other gets it, is judged with L1. In mode
 * Observe the candidates elect, and who they elect is led to, ready or not.
 */
export class EligibleLeader implements Invariant {
  readonly #world: World
  readonly #knowledge: Knowledge
  readonly #report: Report
  /** By pod's UID: its last versions, the oldest first. */
  readonly #versions = new Map<string, { readonly version: number; readonly pod: Pod }[]>()

  /** By group: what its Lease said as the gate, by version. */
  readonly #gates = new Map<string, Map<number, Gate>>()

  constructor(world: World, knowledge: Knowledge, report: Report) {
    this.#world = world
    this.#knowledge = knowledge
    this.#report = report
  }

  commit({ fact, gates }: Step): void {
    if (fact.resource === 'leases') for (const { group, is } of gates) this.#keep(group, fact.version, is)
    if (fact.resource !== 'pods') return
    const { uid } = (fact.after ?? fact.before)!.metadata
    if (!fact.after) {
      this.#versions.delete(uid)
      return
    }
    const versions = this.#versions.get(uid)
    const entry = { version: fact.version, pod: fact.after }
    if (!versions) this.#versions.set(uid, [entry])
    else if (versions.push(entry) > MOST_VERSIONS) versions.shift()
  }

  #keep({ ref }: Group, version: number, gate: Gate): void {
    let gates = this.#gates.get(ref)
    if (!gates) this.#gates.set(ref, (gates = new Map()))
    gates.set(version, gate)
    if (gates.size > MOST_VERSIONS) gates.delete(gates.keys().next().value!)
  }

  hear(fact: Fact): void {
    if (fact.kind !== 'asked' || fact.resource !== 'leases' || fact.verb !== 'update') return
    if (this.#world.processes.get(fact.process)?.role !== 'operator') return
    const lease = fact.body as Lease | undefined
    const owner = lease?.metadata && ownerOf(lease)
    const mark = readMark(lease?.metadata?.annotations?.[MARK_KEY])
    if (!owner || !mark?.holder) return
    const group = this.#world.group(fact.namespace ?? '', owner.name)
    // Only what is written anew is an election.
    if (group.gate.kind === 'named' && group.gate.term >= mark.term) return
    this.#judge(group, mark.holder, fact)
  }

  #judge(group: Group, holder: PodName, { process, at, version = 0 }: Asked): void {
    const key = `pods ${group.namespace}/${holder.name}`
    const known = this.#knowledge.find(process, key)
    const versions = this.#versions.get(holder.uid)
    if (!known || known.uid !== holder.uid || !versions) return
    const from = this.#knowledge.versionBefore(process, key, at)
    const oldest = versions.findLastIndex(({ version }) => version <= from)
    if (oldest < 0) return
    const seen = versions.slice(oldest).filter(({ version }) => version <= known.version)
    const { object } = group
    const gate = this.#gates.get(group.ref)?.get(version)
    const keepsPlace =
      gate?.kind === 'named' && gate.holder.uid === holder.uid && object?.spec.failover?.notReadySeconds
    const could = seen.some(({ pod }) => {
      return (
        (keepsPlace ? couldLeadIfReady(pod) : couldLead(pod)) &&
        group.specs.some(({ selector }) => isMatched(selector, pod.metadata.labels))
      )
    })
    if (could) return
    this.#report(
      'I10',
      group.ref,
      `${process} names ${holder.name} (${holder.uid}), which could not lead as it was shown`,
    )
  }
}
