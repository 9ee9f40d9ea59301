import { written } from './observe.ts'
import { started } from './operators.ts'
import { successors } from './steps.ts'
import { NOTHING, newPod, type Budget, type World } from './world.ts'

export interface Beginning {
  readonly mode: World['mode']
  readonly identity?: World['identity']
  readonly pods: number
  readonly operators: number
  readonly budget: Budget
  /** The operators have just been started; otherwise they saw how it came so. */
  readonly justStarted?: boolean
  /** Mode Observe: so many changes of leader have the others seen nothing of, nor of what the first operator did. */
  readonly unseen?: number
}

/** The world that one operator, alone and undisturbed, comes to rest in. Mode Observe: p0 holds the Lease at first. */
export function settledWorld(beginning: Beginning): World {
  const { mode, identity = 'name', pods, operators, budget, justStarted, unseen = 0 } = beginning
  const empty: World = {
    mode,
    identity,
    pods: Array.from({ length: pods }, (_, index) => newPod(index, 'u', 1)),
    lease: undefined,
    group: { version: 1, status: mode === 'Assign' ? { term: 0 } : {} },
    operators: [],
    budget: NOTHING,
    serial: 2,
    past: { named: undefined, highestTerm: 0, followed: undefined },
  }
  const settled = mode === 'Assign' ? settle(empty) : acquired(settle(empty), 0)
  const behind = settled.operators[0]!
  const changed = Array.from({ length: unseen }).reduce<World>(
    (at, _, index) => acquired(at, (index + 1) % pods),
    settled,
  )
  const first = changed.operators[0]!
  const all = Array.from({ length: operators }, (_, index) => (index === 0 ? first : behind))
  return { ...changed, budget, operators: justStarted ? all.map(() => started(changed)) : all }
}

/** A pod acquires the Lease, and the operator does what is due. */
function acquired(world: World, index: number): World {
  return run({ ...world, serial: world.serial + 1, lease: written(world, world.pods[index]!) })
}

/** Lets one operator that has just been started see and do all that is due, and nothing else happen. */
export function settle(world: World): World {
  return run({ ...world, operators: [started(world)] })
}

/** Lets the first operator go on alone, until it has nothing more to do. */
export function run(world: World, visit: (world: World) => boolean = () => true): World {
  let at: World = { ...world, budget: NOTHING, operators: world.operators.slice(0, 1) }
  for (let steps = 0; steps < STEPS_TO_REST; steps++) {
    if (!visit(at)) return at
    const [next] = successors(at, { lag: 'caches' }).filter(([step]) => step.startsWith('op0'))
    if (!next) return at
    at = next[1]
  }
  throw new Error('the operator does not come to rest')
}

/** Each action is two of them. */
const STEPS_TO_REST = 200
