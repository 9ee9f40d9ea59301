/** `npm run sim`: the whole operator in simulated worlds, one for each seed. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemClock } from '../../clock.ts'
import { planOf } from '../world/make-plan.ts'
import { Figures } from './figures.ts'
import { HELP, parseFlags, type Flags } from './flags.ts'
import { playSeeds } from './play-seeds.ts'
import { replay, tellShortest } from './replay.ts'

const PROGRESS_MILLIS = 5_000
/** Fewer cannot be expected to reach all that is declared. */
const SEEDS_THAT_REACH_ALL = 1_500

const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort(new Error(signal)))

const flags = parseFlags(process.argv.slice(2))
if (flags === 'help') say(HELP.trimEnd())
else if ('wrong' in flags) {
  process.stderr.write(`${flags.wrong}\n\n${HELP}`)
  process.exitCode = 2
} else if (flags.told) process.exitCode = (await replay(flags.told, say, interruption.signal)) ? 0 : 1
else process.exitCode = await playAll(flags, interruption.signal)

async function playAll(
  { first, last, minutes, jobs, failFast, json, stateFile }: Flags,
  interrupted: AbortSignal,
): Promise<number> {
  const state = stateFile === undefined ? undefined : await readState(stateFile)
  const figures = new Figures()
  const begun = systemClock.now()
  const until = begun + minutes * 60_000
  const enough = new AbortController()
  const signal = AbortSignal.any([interrupted, enough.signal])
  let seed = state?.nextSeed ?? first
  let told = begun
  await playSeeds({
    jobs,
    signal,
    next: () => (seed > last || systemClock.now() >= until ? undefined : seed++),
    played: (outcome) => {
      figures.add(outcome)
      for (const { rule, text } of outcome.violations) say(`seed ${outcome.seed}: ${rule} is broken: ${text}`)
      if (failFast && outcome.violations.length > 0) enough.abort()
      if (systemClock.now() - told < PROGRESS_MILLIS) return
      told = systemClock.now()
      say(`${Math.round((told - begun) / 1000)} s: ${figures.line()}`)
    },
  })
  say(`\n${figures.line()}, in ${Math.round((systemClock.now() - begun) / 1000)} s`)
  say(figures.coverage())
  const missing = figures.seeds >= SEEDS_THAT_REACH_ALL ? figures.missing() : []
  if (missing.length > 0) say(`declared, and never reached:\n  ${missing.join('\n  ')}`)
  if (stateFile !== undefined) say(await noteState(stateFile, seed, figures, state))
  const [worst] = figures.failed.toSorted((a, b) => a.seed - b.seed)
  if (worst && !failFast && !interrupted.aborted) await tellShortest(planOf(worst.seed), say, interrupted)
  if (worst) say(`\nto replay: npm run sim -- --seed ${worst.seed}`)
  if (json) say(JSON.stringify(figures.json()))
  if (interrupted.aborted) return 130
  return worst || missing.length > 0 ? 1 : 0
}

interface State {
  readonly nextSeed: number
  readonly failovers: number
  readonly simulatedMillis: number
}

async function readState(file: string): Promise<State | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as State
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`${file} cannot be read; delete it to begin anew`, { cause: error })
  }
}

async function noteState(file: string, nextSeed: number, figures: Figures, before: State | undefined): Promise<string> {
  const all = {
    nextSeed,
    failovers: (before?.failovers ?? 0) + figures.failovers,
    simulatedMillis: (before?.simulatedMillis ?? 0) + figures.simulatedMillis,
  }
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify(all)}\n`)
  const years = (all.simulatedMillis / (365.25 * 86_400_000)).toFixed(2)
  return `all nights: ${all.failovers.toLocaleString('en-US')} failovers, ${years} simulated years; the next begins at seed ${nextSeed}`
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
