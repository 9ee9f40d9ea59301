/** `npm run sim`: the whole operator in simulated worlds, one for each seed. */
import { systemClock } from '../../clock.ts'
import { planOf } from '../world/make-plan.ts'
import { Figures } from './figures.ts'
import { HELP, parseFlags, type Flags } from './flags.ts'
import { Night } from './night.ts'
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
  const night = stateFile === undefined ? undefined : Night.open(stateFile, first)
  const figures = new Figures()
  const begun = systemClock.now()
  const until = begun + minutes * 60_000
  const enough = new AbortController()
  const signal = AbortSignal.any([interrupted, enough.signal])
  let seed = night?.nextSeed ?? first
  let told = begun
  if (night) say(night.line())
  await playSeeds({
    jobs,
    signal,
    next: () => (seed > last || systemClock.now() >= until ? undefined : seed++),
    played: (outcome) => {
      figures.add(outcome)
      night?.played(outcome)
      for (const { rule, text } of outcome.violations) say(`seed ${outcome.seed}: ${rule} is broken: ${text}`)
      if (failFast && outcome.violations.length > 0) enough.abort()
      if (systemClock.now() - told < PROGRESS_MILLIS) return
      told = systemClock.now()
      night?.save()
      say(`${Math.round((told - begun) / 1000)} s: ${figures.line()}`)
    },
  })
  night?.save()
  say(`\n${figures.line()}, in ${Math.round((systemClock.now() - begun) / 1000)} s`)
  say(figures.coverage())
  const missing = figures.seeds >= SEEDS_THAT_REACH_ALL ? figures.missing() : []
  if (missing.length > 0) say(`declared, and never reached:\n  ${missing.join('\n  ')}`)
  if (night) say(night.line())
  const [worst] = figures.failed.toSorted((a, b) => a.seed - b.seed)
  if (worst && !failFast && !interrupted.aborted) await tellShortest(planOf(worst.seed), say, interrupted)
  if (worst) say(`\nto replay: npm run sim -- --seed ${worst.seed}`)
  if (json) say(JSON.stringify(figures.json()))
  if (interrupted.aborted) return 130
  return worst || missing.length > 0 ? 1 : 0
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
