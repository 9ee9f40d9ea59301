import { canonical } from './canonical.ts'
import type { Step, World } from './world.ts'

export interface Exploration {
  readonly states: number
  /** Everything within the budgets was visited. */
  readonly complete: boolean
  readonly highestTerm: number
  readonly violation: string | undefined
  /** The steps that lead to the violation. */
  readonly story: readonly string[]
}

export interface Limits {
  readonly states: number
  readonly term: number
}

/**
 * Visits every world that the steps lead to, breadth first, so that the story of a violation is a shortest one.
 *
 * @param judge says what is wrong with a world by itself, apart from the step that led to it
 */
export function explore(
  first: World,
  successors: (world: World) => Iterable<Step>,
  limits: Limits,
  judge: (world: World) => string | undefined = () => undefined,
): Exploration {
  const start = canonical(first)
  const parents = new Map<string, readonly [string, string] | undefined>([[start, undefined]])
  let frontier: readonly (readonly [string, World])[] = [[start, first]]
  let highestTerm = 0
  const found = (rest: Partial<Exploration>): Exploration => {
    return { states: parents.size, complete: false, highestTerm, violation: undefined, story: [], ...rest }
  }
  while (frontier.length > 0) {
    const next: (readonly [string, World])[] = []
    for (const [at, world] of frontier) {
      const term = world.past.highestTerm
      highestTerm = Math.max(highestTerm, term)
      if (term > limits.term) continue
      for (const [step, then] of successors(world)) {
        const key = canonical(then)
        if (parents.has(key)) continue
        parents.set(key, [at, step])
        const violation = then.violation ?? judge(then)
        if (violation) return found({ violation, story: storyOf(parents, key) })
        if (parents.size >= limits.states) return found({})
        next.push([key, then])
      }
    }
    frontier = next
  }
  return found({ complete: true })
}

function storyOf(parents: ReadonlyMap<string, readonly [string, string] | undefined>, last: string): readonly string[] {
  const steps: string[] = []
  for (let at = parents.get(last); at; at = parents.get(at[0])) steps.unshift(at[1])
  return steps
}
