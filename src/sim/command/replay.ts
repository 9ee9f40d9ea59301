import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../clock.ts'
import { planOf } from '../world/make-plan.ts'
import type { Plan } from '../world/plan.ts'
import { run } from '../world/run.ts'
import { shrink } from '../world/shrink.ts'
import { story } from '../world/story.ts'
import type { Flags } from './flags.ts'

type Say = (text: string) => void

/** What the search for the shortest plan may take: a night ends in the morning, whatever it has found. */
const SEARCH_MILLIS = 300_000

/** Tells one run as a story; a seed that fails, by the shortest plan that still does. Returns whether all was well. */
export async function replay(told: NonNullable<Flags['told']>, say: Say, signal: AbortSignal): Promise<boolean> {
  if ('planFile' in told) return tell(JSON.parse(await readFile(told.planFile, 'utf8')) as Plan, say)
  const plan = planOf(told.seed)
  const outcome = await run(plan)
  if (outcome.violations.length === 0) {
    say(`seed ${told.seed}: ${outcome.failovers} failovers, no rule is broken, hash ${outcome.digest}`)
    return true
  }
  say(`seed ${told.seed} fails: looking for the shortest plan that does`)
  await tellShortest(plan, say, signal)
  return false
}

/** Looks for it, tells it, and leaves it in a file. */
export async function tellShortest(plan: Plan, say: Say, signal: AbortSignal): Promise<void> {
  const until = systemClock.now() + SEARCH_MILLIS
  const shortest = await shrink(plan, await run(plan), {}, () => !signal.aborted && systemClock.now() < until)
  await tell(shortest, say)
  const file = join(tmpdir(), `sim-${plan.seed}.json`)
  await writeFile(file, JSON.stringify(shortest, undefined, 1))
  say(`\nOf ${plan.events.length} events ${shortest.events.length} are left. To replay them, or all:`)
  say(`  npm run sim -- --plan ${file}\n  npm run sim -- --seed ${plan.seed}`)
}

async function tell(plan: Plan, say: Say): Promise<boolean> {
  const outcome = await run(plan, { isTold: true })
  say(story(plan, outcome))
  return outcome.violations.length === 0
}
