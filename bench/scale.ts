/** The figures that depend on the number of groups, on one control plane whose population grows. */
import { type Figure } from './figure.ts'
import { measureHealing } from './heal.ts'
import type { Name } from './name.ts'
import { type RunningOperator, startOperator } from './operator.ts'
import { Population } from './population.ts'
import { measureQuiet, measureResources, measureRestart } from './resources.ts'
import type { Stage } from './stage.ts'

const HEALED = 1_000
/** Long enough for a bookmark of each watch and for many renewals. */
const RESOURCES_SECONDS = 20

export interface ScaleOptions {
  readonly names: ReadonlySet<Name>
  /** Numbers of groups, ascending. */
  readonly sizes: readonly number[]
  readonly quietSeconds: number
  /** Of the operator's Node. */
  readonly nodeArgs: readonly string[]
}

export async function* measureScale(
  stage: Stage,
  { names, sizes, quietSeconds, nodeArgs }: ScaleOptions,
): AsyncGenerator<Figure> {
  const largest = sizes.at(-1)!
  const population = new Population(stage)
  let operator: RunningOperator | undefined = await startOperator(stage, { nodeArgs })
  try {
    await operator.untilActing(stage.signal)
    for (const groups of due(names, sizes)) {
      await population.grow(groups)
      await population.settle()
      if (names.has('resources')) {
        const seconds = RESOURCES_SECONDS
        yield* await measureResources(stage, operator, { groups, how: 'after they were created', seconds })
        await operator[Symbol.asyncDispose]()
        operator = await startOperator(stage, { nodeArgs })
        await operator.untilActing(stage.signal)
        await population.settle()
        yield* await measureResources(stage, operator, { groups, how: 'after a restart', seconds })
      }
      if (names.has('heal') && groups === Math.min(HEALED, largest)) yield* await measureHealing(stage, population)
      if (groups !== largest) continue
      if (names.has('quiet')) yield* await measureQuiet(stage, population, quietSeconds)
      if (!names.has('restart')) continue
      const restart = await measureRestart(stage, population, operator, { nodeArgs })
      operator = restart.operator
      yield* restart.figures
    }
  } finally {
    await operator[Symbol.asyncDispose]()
  }
}

/** The sizes at which something is measured. */
function due(names: ReadonlySet<Name>, sizes: readonly number[]): readonly number[] {
  const largest = sizes.at(-1)!
  const needed = new Set(names.has('resources') ? sizes : [])
  if (names.has('heal')) needed.add(Math.min(HEALED, largest))
  if (names.has('quiet') || names.has('restart')) needed.add(largest)
  return [...needed].toSorted((a, b) => a - b)
}
