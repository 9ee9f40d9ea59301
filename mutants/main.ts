/** `npm run mutants`: makes each mistake of the tables, one at a time, and runs the check that should find it. */
import { globSync } from 'node:fs'
import { availableParallelism, constants } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { minutes, terminalProgress } from '../e2e/controlplane/progress.ts'
import { openScratch, type Scratch } from '../e2e/controlplane/scratch.ts'
import { systemClock } from '../src/clock.ts'
import { record, recordSimulated } from './document.ts'
import type { Mutant } from './mutant.ts'
import { passUnmutated, tryOut, type Trial } from './run.ts'
import { simulate } from './simulate.ts'
import { MUTANTS } from './tables.ts'

interface Flags {
  readonly grep?: string
  readonly allChecks?: boolean
  readonly simulate?: number
  readonly write?: boolean
  readonly jobs: number
}

const flags = new Command('mutants')
  .description('Makes each mistake of mutants/tables, one at a time, and runs the check that should find it')
  .option('--grep <text>', 'only mutants whose name, file or rule contains this')
  .option(
    '--all-checks',
    'run every unit test and the exploration against each, and say how many files of them find it',
  )
  .option(
    '--simulate <n>',
    'instead of its check, play each in the first n worlds of the simulator: finding none is no fault',
    whole,
  )
  .option('--write', 'put the tables into docs/mutants.md')
  .option('--jobs <n>', 'so many at a time', whole, Math.min(availableParallelism(), 4))
  .parse()
  .opts<Flags>()
const chosen = MUTANTS.filter(
  ({ name, file, rule }) => !flags.grep || [name, file, rule].join('\n').includes(flags.grep),
)
const everyCheck = globSync(['src/**/*.test.ts', 'bench/**/*.test.ts']).toSorted()

const progress = terminalProgress()
const work = await openScratch()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Processes and their directory go with this one.
  process.on(signal, () => process.exit(128 + constants.signals[signal]))
}
try {
  process.exitCode = (await main(work)) ? 0 : 1
} finally {
  await work.close()
}

async function main(scratch: Scratch): Promise<boolean> {
  const startedAt = systemClock.now()
  if (flags.simulate !== undefined) return await simulateAll(flags.simulate, scratch)
  const checks = [...new Set(chosen.map(({ killedBy }) => killedBy))].toSorted()
  progress.say(`${chosen.length} mutants, ${checks.length} checks; first the checks without a mutant`)
  const failure = await passUnmutated(checks, scratch)
  if (failure !== undefined) {
    console.log(`\n${failure}\n\nThe checks fail without any mutant, so they can show nothing.`)
    return false
  }
  const trials = await each((mutant) => {
    return tryOut(mutant, flags.allChecks ? everyCheck : [mutant.killedBy], scratch, flags.allChecks)
  })
  const survivors = trials.filter(({ verdict }) => verdict.kind !== 'killed')
  console.log(`\n${trials.map(line).join('\n')}\n`)
  for (const trial of survivors) console.log(`${complaint(trial)}\n`)
  if (flags.write && flags.grep === undefined && survivors.length === 0) await record(trials)
  const took = minutes(systemClock.now() - startedAt)
  console.log(`${trials.length - survivors.length} mutants killed, ${survivors.length} not, in ${took}`)
  return survivors.length === 0
}

/** How far the simulator gets by itself. What it does not find, a check finds that was written for it. */
async function simulateAll(seeds: number, scratch: Scratch): Promise<boolean> {
  const trials = await each((mutant) => simulate(mutant, seeds, scratch))
  console.log(`\n${trials.map(line).join('\n')}\n`)
  if (flags.write) await recordSimulated(trials, seeds)
  const found = trials.filter(({ verdict }) => verdict.kind === 'killed').length
  console.log(`${found} of ${trials.length} mutants found by the simulator within ${seeds} worlds`)
  return true
}

/** So many at a time, in any order; the trials in that of the tables. */
async function each(attempt: (mutant: Mutant) => Promise<Trial>): Promise<readonly Trial[]> {
  const trials: Trial[] = []
  let next = 0
  let done = 0
  const worker = async (): Promise<void> => {
    while (next < chosen.length) {
      const index = next++
      const trial = await attempt(chosen[index]!)
      trials[index] = trial
      if (trial.verdict.kind !== 'killed') progress.say(complaint(trial))
      progress.update(`${++done} of ${chosen.length}: ${trial.mutant.name}`)
    }
  }
  await Promise.all(Array.from({ length: flags.jobs }, worker))
  return trials
}

function line({ mutant, verdict, millis }: Trial): string {
  const seconds = `${(millis / 1000).toFixed(1).padStart(6)} s`
  const by = verdict.kind === 'killed' ? `${verdict.files.join(', ')}: ${verdict.test}` : verdict.kind.toUpperCase()
  return `${seconds} | ${mutant.name} | ${mutant.rule} | ${by}`
}

function complaint({ mutant, verdict }: Trial): string {
  const { name, file, killedBy } = mutant
  switch (verdict.kind) {
    case 'survived':
      return flags.simulate === undefined
        ? `NOT FOUND: ${name} (${file}): ${killedBy} passes all the same, ${verdict.tests} tests`
        : `not found in ${verdict.tests} worlds: ${name} (${file})`
    case 'broken':
      return `NO PROOF: ${name} (${file}), by ${killedBy}: ${verdict.why}`
    case 'killed':
      return name
  }
}

function whole(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value <= 0) throw new InvalidArgumentError('a whole number above 0, please')
  return value
}
