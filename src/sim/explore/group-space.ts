import { canonical } from './canonical.ts'
import type { Space } from './explore.ts'
import type { Rest } from './rest.ts'
import { successors, type Rules } from './steps.ts'
import type { World } from './world.ts'

/** @param rest judges also what each operator alone would come to */
export function groupSpace(rules: Rules, rest?: Rest): Space<World> {
  return {
    successors: (world) => successors(world, rules),
    canonical,
    judge: (world) => world.violation ?? rest?.judge(world),
    term: ({ past }) => past.highestTerm,
  }
}
