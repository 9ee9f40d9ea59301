import type { Mutant } from './mutant.ts'
import { ELECTION } from './tables/election.ts'
import { FOLLOW } from './tables/follow.ts'
import { GATE } from './tables/gate.ts'
import { GROUP } from './tables/group.ts'
import { KUBE } from './tables/kube.ts'
import { LOCK } from './tables/lock.ts'
import { LOOP } from './tables/loop.ts'
import { OPERATOR } from './tables/operator.ts'
import { ROUTING } from './tables/routing.ts'

/** Every mistake of the tables. */
export const MUTANTS: readonly Mutant[] = [
  ...ELECTION,
  ...GROUP,
  ...GATE,
  ...FOLLOW,
  ...ROUTING,
  ...OPERATOR,
  ...LOCK,
  ...KUBE,
  ...LOOP,
]
