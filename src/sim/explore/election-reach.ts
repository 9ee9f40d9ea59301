import { canonical } from './election-canonical.ts'
import type { ElectionRules } from './election-rules.ts'
import { electionSteps } from './election-steps.ts'
import { leads, NO_FAULTS, type Election } from './election-world.ts'

/**
 * Whether somebody comes to lead once nothing disturbs any more: every request is answered, every process does what it has
 * to do, and only then time passes.
 */
export class Reach {
  readonly #rules: ElectionRules
  /** Worlds from which somebody was seen to come to lead. */
  readonly #good = new Set<string>()

  constructor(rules: ElectionRules) {
    this.#rules = rules
  }

  /** What is wrong with what comes of this world; undefined: nothing. */
  judge(world: Election): string | undefined {
    const way: string[] = []
    let at: Election = { ...world, budget: NO_FAULTS }
    while (!at.candidates.some((each) => leads(each))) {
      const key = canonical(at)
      if (this.#good.has(key)) break
      if (way.length >= STEPS_TO_LEAD) return `nobody leads after ${way.length} undisturbed steps`
      way.push(key)
      const [next] = electionSteps(at, this.#rules)
      if (!next) return 'nothing can happen any more, and nobody leads'
      at = next[1]
    }
    for (const key of way) this.#good.add(key)
    return undefined
  }
}

/** Some ticks, each with a few requests of every candidate. */
const STEPS_TO_LEAD = 100
