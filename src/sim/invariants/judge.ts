import { BlastRadius } from './blast-radius.ts'
import { Clocks } from './clocks.ts'
import { EligibleLeader } from './eligible-leader.ts'
import type { Fact } from './facts.ts'
import { Knowledge } from './knowledge.ts'
import { LabelImpliesGate } from './label-implies-gate.ts'
import { type Bounds, Liveness } from './liveness.ts'
import { Locks } from './locks.ts'
import { MonotoneKnowledge } from './monotone-knowledge.ts'
import { NoResurrection } from './no-resurrection.ts'
import { Renewals } from './renewals.ts'
import type { Invariant, Missing } from './rule.ts'
import { Retries } from './retries.ts'
import { SelfFence } from './self-fence.ts'
import { StatusTruth } from './status-truth.ts'
import { Takeover } from './takeover.ts'
import { GrowingTerms } from './terms.ts'
import { UniqueLabel } from './unique-label.ts'
import type { Rule, Violation } from './violation.ts'
import { World } from './world.ts'

export interface JudgeOptions {
  /** By how much clocks may differ in rate for two leaders at once to be a fault. @default 0.2 */
  readonly drift?: number
  /** What must come about in time, and how soon; absent: that is not judged. The run must tell its faults then. */
  readonly bounds?: Bounds
  /** Called for each violation, at once. */
  readonly onViolation?: (violation: Violation) => void
}

export interface Tally {
  /** Times that operators labelled a pod. */
  readonly labelled: number
  /** Times that the gate named a leader. */
  readonly terms: number
}

type Needed<K extends keyof Invariant> = Required<Pick<Invariant, K>>

/**
 * Judges a run: it follows the facts one by one and says at once which rule one of them breaks. It asks no process and no
 * cache what it thinks of the world; the store's history decides, and what each process was shown, believed and did.
 *
 * It costs what a fact touches, however long the run is and however many objects there are.
 */
export class Judge {
  /** All so far, in their order. */
  readonly violations: Violation[] = []
  readonly #world = new World()
  readonly #clocks = new Clocks()
  /** Each in the order of all, and only where it has something to say. */
  readonly #reached: readonly Needed<'reach'>[]
  readonly #committing: readonly Needed<'commit'>[]
  readonly #hearing: readonly Needed<'hear'>[]
  readonly #demanding: readonly Needed<'missing'>[]
  readonly #onViolation: ((violation: Violation) => void) | undefined
  #version = 0
  #at = 0

  constructor({ onViolation, drift = 0.2, bounds }: JudgeOptions = {}) {
    this.#onViolation = onViolation
    const report = (rule: Rule, subject: string, text: string): void => this.#report(rule, subject, text)
    const world = this.#world
    const knowledge = new Knowledge()
    const locks = new Locks(world, this.#clocks)
    const terms = new GrowingTerms(world, report)
    const invariants: readonly Invariant[] = [
      locks,
      new UniqueLabel(world, knowledge, report),
      new LabelImpliesGate(report),
      terms,
      new StatusTruth(world, terms, report),
      new NoResurrection(world, knowledge, report),
      new SelfFence(world, locks, drift, report),
      new Takeover(locks, report),
      new BlastRadius(world, report),
      new EligibleLeader(world, knowledge, report),
      new MonotoneKnowledge(world, knowledge, report),
      new Retries(report),
      ...(bounds ? [new Liveness(world, locks, bounds, report), new Renewals(world, locks, bounds, report)] : []),
      // The last: what it learns of a fact, others may know only after it.
      knowledge,
    ]
    this.#reached = invariants.filter((each) => each.reach !== undefined) as Needed<'reach'>[]
    this.#committing = invariants.filter((each) => each.commit !== undefined) as Needed<'commit'>[]
    this.#hearing = invariants.filter((each) => each.hear !== undefined) as Needed<'hear'>[]
    this.#demanding = invariants.filter((each) => each.missing !== undefined) as Needed<'missing'>[]
  }

  /** Returns the first rule that this fact breaks. */
  follow(fact: Fact): Violation | undefined {
    const known = this.violations.length
    for (const invariant of this.#reached) invariant.reach(fact.at)
    this.#at = fact.at
    if (fact.kind === 'committed') {
      this.#version = fact.version
      const step = this.#world.commit(fact)
      for (const invariant of this.#committing) invariant.commit(step)
    } else {
      if (fact.kind === 'rate') this.#clocks.follow(fact)
      if (fact.kind === 'process') this.#world.followProcess(fact)
      for (const invariant of this.#hearing) invariant.hear(fact)
    }
    return this.violations[known]
  }

  /**
   * What L1 and L2 demand and is not so by now. A run that has stopped its faults waits for it, for as long as its bounds
   * allow, and asks once more in the end.
   */
  missing(at: number): readonly Missing[] {
    return this.#demanding.flatMap((invariant) => invariant.missing(at))
  }

  /** How much of a group was judged: so that a test can ask for enough of it. */
  tally(group: string): Tally {
    const { labelled = 0, named = 0 } = this.#world.groups.get(group) ?? {}
    return { labelled, terms: named }
  }

  #report(rule: Rule, subject: string, text: string): void {
    const violation = { rule, version: this.#version, at: this.#at, subject, text }
    this.violations.push(violation)
    this.#onViolation?.(violation)
  }
}
