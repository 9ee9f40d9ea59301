/** The figures that depend on the number of groups, on one control plane whose population grows. */
import type { Figure } from './figure.ts'
import { type RunningOperator, type StartOptions, startOperator } from './operator.ts'
import { Population } from './population.ts'
import { measureQuiet, measureResources, measureRestart } from './resources.ts'
import type { Section } from './section.ts'
import type { Stage } from './stage.ts'

/** Long enough for a bookmark of each watch and for many renewals. */
const RESOURCES_SECONDS = 20

export type ScaleSection = Extract<Section, 'resources' | 'quiet' | 'restart'>

export interface ScaleOptions {
  readonly sections: ReadonlySet<Section>
  /** Numbers of groups, ascending. Rest and restart are measured at the largest. */
  readonly sizes: readonly number[]
  readonly quietSeconds: number
  readonly start: StartOptions
}

export async function* measureScale(
  stage: Stage,
  { sections, sizes, quietSeconds, start }: ScaleOptions,
): AsyncGenerator<readonly [ScaleSection, readonly Figure[]]> {
  const population = new Population(stage)
  let operator: RunningOperator = await startOperator(stage, start)
  try {
    await operator.untilActing(stage.signal)
    const resources: Figure[] = []
    for (const groups of sections.has('resources') ? sizes : sizes.slice(-1)) {
      await population.grow(groups)
      await population.settle()
      if (!sections.has('resources')) continue
      const seconds = RESOURCES_SECONDS
      resources.push(...(await measureResources(stage, operator, { groups, how: 'after they were created', seconds })))
      await operator[Symbol.asyncDispose]()
      operator = await startOperator(stage, start)
      await operator.untilActing(stage.signal)
      await population.settle()
      resources.push(...(await measureResources(stage, operator, { groups, how: 'after a restart', seconds })))
    }
    if (sections.has('resources')) yield ['resources', resources]
    if (sections.has('quiet')) yield ['quiet', await measureQuiet(stage, population, quietSeconds)]
    if (!sections.has('restart')) return
    const restart = await measureRestart(stage, population, operator, start)
    operator = restart.operator
    yield ['restart', restart.figures]
  } finally {
    await operator[Symbol.asyncDispose]()
  }
}
