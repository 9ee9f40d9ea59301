/** Worlds, and the steps that lead from one to the next. */
export interface Space<W> {
  readonly successors: (world: W) => Iterable<readonly [step: string, world: W]>
  /** Equal for worlds that differ in nothing that matters. */
  readonly canonical: (world: W) => string
  /** What is wrong with a world, the step that led to it included. */
  readonly judge: (world: W) => string | undefined
  /** How many leaders there have been, counted as the world counts them. */
  readonly term: (world: W) => number
}

export interface Exploration {
  readonly states: number
  /** Steps, each to a state that was known or not. */
  readonly steps: number
  /** Of the state that is the furthest from the first one. */
  readonly depth: number
  /** Everything within the budgets was visited. */
  readonly complete: boolean
  readonly highestTerm: number
  readonly violation: string | undefined
  /** The steps that lead to the violation. */
  readonly story: readonly string[]
}

export interface Limits {
  readonly states: number
  /** Nothing is followed beyond it. */
  readonly term?: number
}

/** Visits every world that the steps lead to, breadth first, so that the story of a violation is a shortest one. */
export function explore<W>(first: W, space: Space<W>, { states, term = Infinity }: Limits): Exploration {
  const { successors, canonical, judge } = space
  const known = new Set([canonical(first)])
  let frontier: (readonly [world: W, way: Way | undefined])[] = [[first, undefined]]
  let [highestTerm, steps, depth] = [0, 0, 0]
  const found = (rest: Partial<Exploration>): Exploration => {
    return { states: known.size, steps, depth, complete: false, highestTerm, violation: undefined, story: [], ...rest }
  }
  while (frontier.length > 0) {
    const next: typeof frontier = []
    for (const [world, way] of frontier) {
      const reached = space.term(world)
      highestTerm = Math.max(highestTerm, reached)
      if (reached > term) continue
      for (const [step, then] of successors(world)) {
        steps++
        const key = canonical(then)
        if (known.has(key)) continue
        known.add(key)
        const violation = judge(then)
        if (violation) return found({ violation, story: storyOf({ step, before: way }) })
        if (known.size >= states) return found({})
        next.push([then, { step, before: way }])
      }
    }
    if (next.length > 0) depth++
    frontier = next
  }
  return found({ complete: true })
}

/** How a world was reached. The worlds on the way are not kept: they are large, and most are never asked for. */
interface Way {
  readonly step: string
  readonly before: Way | undefined
}

function storyOf(last: Way): readonly string[] {
  const steps: string[] = []
  for (let at: Way | undefined = last; at; at = at.before) steps.unshift(at.step)
  return steps
}
