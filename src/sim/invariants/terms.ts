import type { Lease } from '../../kube/objects.ts'
import { isObserved, type Gate } from './gate.ts'
import type { Invariant, Report } from './rule.ts'
import { type Keys, keysOf, MARK_KEY, identityOf, readMark, readStamp, readTerm, transitionsFor } from './wire.ts'
import type { GateChange, Group, KeysChange, Step, World } from './world.ts'

/** Numbers that are so far above what gate and status know are forged, and operators pass over them. */
const FORGED_LEAP = 2 ** 31
/** Terms that status may still be about. */
const MOST_REMEMBERED = 256

interface Terms {
  /** The UID of the group whose they are. */
  readonly groupUID: string | undefined
  /** Pod UID by term, the last ones. */
  readonly named: Map<number, string>
  /** Terms of which an operator put the label on. */
  readonly labelled: Set<number>
  highest: number
  /** The highest number that operators took off a pod in the round of the present gate. */
  erased: number
  /** A stranger took from status what it said of terms, and no operator has written it again since. */
  isErased: boolean
}

/**
 * I4 and I8: terms, for as long as a group (by UID) lives.
 *
 * - Each gate write of an operator that names a holder has a higher term than any before it, also for the pod that led
 *   before, and over a gate that was deleted.
 * - So a term is one pod's (by UID), and a later one has a larger number: it fences. The `term` annotation repeats it (I2).
 * - In mode Assign leaseTransitions is the term, as far as 32 bits reach, and the holder is the mark's.
 *
 * Not promised: growth above a number that nothing shows any more. Where a stranger wipes or lowers the term in status, and in
 * mode Assign spoils the Lease as well, the next term need only be above the numbers that are left on pods, or were until
 * operators took them off in the round of the new gate; then the count begins there anew. A naming that a stranger forges in due form counts as one: its term is that pod's from then on.
 */
export class GrowingTerms implements Invariant {
  readonly #world: World
  readonly #report: Report
  readonly #terms = new Map<string, Terms>()

  constructor(world: World, report: Report) {
    this.#world = world
    this.#report = report
  }

  commit(step: Step): void {
    const { fact, author } = step
    if (author === 'operator') for (const change of step.keys) this.#followKeys(change)
    for (const change of step.gates) this.#followGate(change, author === 'operator')
    if (fact.resource === 'leases' && author === 'operator') this.#followLease(step)
    if (fact.resource === 'leadergroups') this.#followStatus(step)
  }

  /** What the gate has named so far, the pods' UIDs by term. */
  named(group: Group): ReadonlyMap<number, string> {
    return this.#of(group).named
  }

  /** Whether its holder has borne the label. */
  hasLed(group: Group, term: number): boolean {
    return this.#of(group).labelled.has(term)
  }

  highest(group: Group): number {
    return this.#of(group).highest
  }

  #of(group: Group): Terms {
    let terms = this.#terms.get(group.ref)
    if (!terms || (terms.groupUID !== group.uid && group.uid !== undefined)) {
      // A history may show the Lease before its group.
      const isSame = terms !== undefined && terms.groupUID === undefined
      terms = isSame && terms ? { ...terms, groupUID: group.uid } : fresh(group.uid)
      this.#terms.set(group.ref, terms)
    }
    return terms
  }

  #followKeys({ group, was, is, label }: KeysChange): void {
    const terms = this.#of(group)
    const term = readTerm(label?.term)
    if (term !== undefined) remember(terms.labelled, term)
    const known = group.gate.kind === 'open' ? group.gate.term : undefined
    if (known !== undefined && highestOf(was, known) > highestOf(is, known)) {
      terms.erased = Math.max(terms.erased, highestOf(was, known))
    }
  }

  #followGate({ group, was, is, isNaming }: GateChange, isOperators: boolean): void {
    if (!isNaming || is.kind !== 'named') return
    const terms = this.#of(group)
    if (isOperators && is.term <= terms.highest) this.#judgeReturn(group, terms, was, is.term)
    terms.named.set(is.term, is.holder.uid)
    if (terms.named.size > MOST_REMEMBERED) terms.named.delete(terms.named.keys().next().value!)
    terms.highest = Math.max(terms.highest, is.term)
    terms.erased = 0
    if (isOperators) terms.isErased = false
  }

  #judgeReturn(group: Group, terms: Terms, was: Gate, term: number): void {
    const isLost = terms.isErased && (was.kind !== 'named' || (group.object !== undefined && isObserved(group.object)))
    const shown = Math.max(terms.erased, this.#highestOnPods(group, was.kind === 'none' ? 0 : was.term))
    if (isLost && term > shown) {
      terms.named.clear()
      terms.highest = 0
      return
    }
    this.#report('I4', group.ref, `term ${term} comes after term ${isLost ? shown : terms.highest}`)
  }

  #highestOnPods({ namespace, name }: Group, known: number): number {
    let highest = known
    for (const pod of this.#world.podsIn(namespace).values()) {
      highest = Math.max(highest, highestOf(keysOf(pod, name), known))
    }
    return highest
  }

  #followLease({ fact: { after }, gates }: Step): void {
    const lease: Lease | undefined = after
    const mark = readMark(lease?.metadata.annotations?.[MARK_KEY])
    const [change] = gates
    if (!lease || !mark || !change) return
    const { holderIdentity, leaseTransitions } = lease.spec ?? {}
    const { ref } = change.group
    if (leaseTransitions !== transitionsFor(mark.term)) {
      this.#report('I4', ref, `leaseTransitions is ${leaseTransitions}, not that of term ${mark.term}`)
    }
    const holder = mark.holder ? identityOf(mark.holder) : ''
    if (holderIdentity !== holder) {
      this.#report('I4', ref, `the Lease names ${holderIdentity || 'nobody'}, its mark ${holder || 'nobody'}`)
    }
  }

  #followStatus({ fact, author }: Step): void {
    const { before, after } = fact as { before?: Statused; after?: Statused }
    if (!after || before?.metadata.uid !== after.metadata.uid) return
    const group = this.#world.group(after.metadata.namespace ?? '', after.metadata.name)
    const terms = this.#of(group)
    const term = after.status?.term ?? 0
    if (author === 'operator') terms.isErased &&= term < terms.highest
    else if (term < (before.status?.term ?? 0) || after.status?.gate !== before.status?.gate) terms.isErased = true
  }
}

/** The highest number that keys bear; 0: none that is not forged. */
function highestOf({ term, sealed }: Keys, known: number): number {
  const numbers = [readTerm(term), readStamp(sealed)?.term]
  return Math.max(0, ...numbers.filter((number) => number !== undefined && number < known + FORGED_LEAP).map(Number))
}

function remember(terms: Set<number>, term: number): void {
  terms.add(term)
  if (terms.size > MOST_REMEMBERED) terms.delete(terms.values().next().value!)
}

interface Statused {
  readonly metadata: { readonly uid: string; readonly name: string; readonly namespace?: string }
  readonly status?: { readonly term?: number; readonly gate?: string }
}

function fresh(groupUID: string | undefined): Terms {
  return { groupUID, named: new Map(), labelled: new Set(), highest: 0, erased: 0, isErased: false }
}
