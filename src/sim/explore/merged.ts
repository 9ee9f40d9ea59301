import type { Space } from './explore.ts'

/**
 * Looks for two worlds that count as one although different things may happen in them: that would leave worlds unvisited
 * for which something was claimed. Of each two, the worlds that one step leads to are compared.
 *
 * @returns undefined if there are none, otherwise what only one of them leads to
 */
export function mergedWrongly<W>(first: W, { successors, canonical, judge }: Space<W>): string | undefined {
  const nextOf = (world: W): readonly string[] =>
    [...successors(world)].map(([, then]) => `${canonical(then)} ${judge(then)}`).toSorted()
  const known = new Map([[canonical(first), new Set(nextOf(first))]])
  let frontier = [first]
  while (frontier.length > 0) {
    const next: W[] = []
    for (const [step, world] of frontier.flatMap((each) => [...successors(each)])) {
      const key = canonical(world)
      const after = new Set(nextOf(world))
      const before = known.get(key)
      if (!before) {
        known.set(key, after)
        next.push(world)
      } else {
        const either = new Set([...before, ...after])
        const differences = [...either].filter((each) => !before.has(each) || !after.has(each))
        if (differences.length > 0) return [step, key, ...differences].join('\n')
      }
    }
    frontier = next
  }
  return undefined
}
