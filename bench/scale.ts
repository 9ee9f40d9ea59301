/** The figures that depend on the number of groups, on one control plane whose population grows. */
import { type Figure } from './figure.ts'
import { measureHealing } from './heal.ts'
import type { Name } from './name.ts'
import { type RunningOperator, startOperator } from './operator.ts'
import { Population } from './population.ts'
import { measureQuiet, measureResources, measureRestart } from './resources.ts'
import type { Stage } from './stage.ts'

const SIZES = [0, 100, 1_000, 10_000]
const HEALED = 1_000
/** Long enough for a bookmark of each watch and for many renewals. */
const RESOURCES_SECONDS = 20

export interface ScaleOptions {
  readonly names: ReadonlySet<Name>
  readonly largest: number
  readonly quietSeconds: number
}

export async function* measureScale(
  stage: Stage,
  { names, largest, quietSeconds }: ScaleOptions,
): AsyncGenerator<Figure> {
  const population = new Population(stage)
  let operator: RunningOperator | undefined = await startOperator(stage)
  try {
    await operator.untilActing(stage.signal)
    for (const groups of sizes(names, largest)) {
      await population.grow(groups)
      await population.settle()
      if (names.has('resources')) {
        const seconds = RESOURCES_SECONDS
        yield* await measureResources(stage, operator, { groups, how: 'after they were created', seconds })
        await operator[Symbol.asyncDispose]()
        operator = await startOperator(stage)
        await operator.untilActing(stage.signal)
        await population.settle()
        yield* await measureResources(stage, operator, { groups, how: 'after a restart', seconds })
      }
      if (names.has('heal') && groups === Math.min(HEALED, largest)) yield* await measureHealing(stage, population)
      if (groups !== largest) continue
      if (names.has('quiet')) yield* await measureQuiet(stage, population, quietSeconds)
      if (!names.has('restart')) continue
      const restart = await measureRestart(stage, population, operator)
      operator = restart.operator
      yield* restart.figures
    }
  } finally {
    await operator[Symbol.asyncDispose]()
  }
}

function sizes(names: ReadonlySet<Name>, largest: number): readonly number[] {
  const needed = new Set<number>()
  if (names.has('resources')) for (const size of SIZES) if (size < largest) needed.add(size)
  if (names.has('heal')) needed.add(Math.min(HEALED, largest))
  if (['resources', 'quiet', 'restart'].some((name) => names.has(name as Name))) needed.add(largest)
  return [...needed].toSorted((a, b) => a - b)
}
