import type { Fact } from './facts.ts'
import { LabelImpliesGate } from './label-implies-gate.ts'
import type { Invariant } from './rule.ts'
import { StatusTruth } from './status-truth.ts'
import { GrowingTerms } from './terms.ts'
import { UniqueLabel } from './unique-label.ts'
import type { Rule, Violation } from './violation.ts'
import { World } from './world.ts'

export interface JudgeOptions {
  /** Called for each violation, at once. */
  readonly onViolation?: (violation: Violation) => void
}

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
  readonly #invariants: readonly Invariant[]
  readonly #onViolation: ((violation: Violation) => void) | undefined
  #version = 0
  #at = 0

  constructor({ onViolation }: JudgeOptions = {}) {
    this.#onViolation = onViolation
    const report = (rule: Rule, subject: string, text: string): void => this.#report(rule, subject, text)
    const world = this.#world
    const terms = new GrowingTerms(world, report)
    this.#invariants = [
      new UniqueLabel(report),
      new LabelImpliesGate(report),
      terms,
      new StatusTruth(world, terms, report),
    ]
  }

  /** Returns the first rule that this fact breaks. */
  follow(fact: Fact): Violation | undefined {
    const known = this.violations.length
    this.#at = fact.at
    if (fact.kind === 'committed') {
      this.#version = fact.version
      const step = this.#world.commit(fact)
      for (const invariant of this.#invariants) invariant.commit?.(step)
    } else {
      if (fact.kind === 'process') this.#world.followProcess(fact)
      for (const invariant of this.#invariants) invariant.hear?.(fact)
    }
    return this.violations[known]
  }

  #report(rule: Rule, subject: string, text: string): void {
    const violation = { rule, version: this.#version, at: this.#at, subject, text }
    this.violations.push(violation)
    this.#onViolation?.(violation)
  }
}
