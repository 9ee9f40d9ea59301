/** `npm run bench`: the project's figures, measured on this machine. */
import { writeFile } from 'node:fs/promises'
import { constants, cpus } from 'node:os'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { buildBundle } from '../scripts/build.ts'
import { terminalProgress } from '../e2e/controlplane/progress.ts'
import { measureFailovers } from './failover.ts'
import { type Figure, table } from './figure.ts'
import { NAMES, type Name } from './name.ts'
import { measureScale } from './scale.ts'
import { openStage } from './stage.ts'

interface Flags {
  readonly quick?: boolean
  readonly failovers: number
  readonly quietSeconds: number
  readonly groups: readonly number[]
  readonly nodeArgs: readonly string[]
  readonly json?: string | true
}

const program = new Command('bench')
  .description('Measures the figures of the operator on a real control plane of its own, next to their floor')
  .addArgument(new Argument('[names...]', 'what to measure (default: all)').choices(NAMES))
  .option('--quick', 'a small share: 20 failovers, 100 groups, 5 s of rest')
  .option('--failovers <n>', 'failovers of each kind', positive, 200)
  .option('--quiet-seconds <s>', 'how long to look whether nothing is written; 300 is the full time', positive, 60)
  .option('--groups <list>', 'numbers of groups, separated by commas', sizes, [0, 100, 1_000, 10_000])
  .option('--node-args <args>', "flags of the operator's Node, as --cpu-prof, separated by blanks", words, [])
  .option('--json [file]', 'the figures as JSON, to a file or instead of the table')
  .parse()
const flags = program.opts<Flags>()
const names = new Set<Name>(program.args.length > 0 ? (program.args as Name[]) : NAMES)

const progress = terminalProgress()
const end = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    process.exitCode = 128 + constants.signals[name]
    end.abort(new Error(`stopped by ${name}`))
  })
}

const figures: Figure[] = []
try {
  await measure(end.signal)
} catch (error) {
  process.exitCode ??= 1
  process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
}
await report()
process.exit()

async function measure(signal: AbortSignal): Promise<void> {
  progress.say('building dist/leadergroup.js')
  await buildBundle()
  if (names.has('failover')) {
    await using stage = await openStage({ controllerManager: true, bodies: true, progress, signal })
    figures.push(...(await measureFailovers(stage, flags.quick ? 20 : flags.failovers)))
  }
  if (['resources', 'heal', 'quiet', 'restart'].some((name) => names.has(name as Name))) {
    // Without the controller manager: it would only compete for the two cores, and no figure here needs it.
    await using stage = await openStage({ controllerManager: false, bodies: false, progress, signal })
    const ascending = (flags.quick ? [0, 100] : flags.groups).toSorted((a, b) => a - b)
    const { nodeArgs } = flags
    const quietSeconds = flags.quick ? 5 : flags.quietSeconds
    for await (const figure of measureScale(stage, { names, sizes: ascending, quietSeconds, nodeArgs }))
      figures.push(figure)
  }
}

async function report(): Promise<void> {
  if (figures.length === 0) return
  const [cpu] = cpus()
  const machine = { cores: cpus().length, model: cpu?.model ?? 'unknown', node: process.version }
  const json = `${JSON.stringify({ machine, figures }, undefined, 2)}\n`
  if (flags.json === true) process.stdout.write(json)
  else process.stdout.write(`\n${table(figures)}\n`)
  if (typeof flags.json === 'string') await writeFile(flags.json, json)
}

function positive(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value <= 0) throw new InvalidArgumentError('a whole number above 0, please')
  return value
}

function sizes(text: string): readonly number[] {
  const values = text.split(',').map(Number)
  if (!values.every((value) => Number.isSafeInteger(value) && value >= 0)) {
    throw new InvalidArgumentError('whole numbers, separated by commas')
  }
  return values
}

function words(text: string): readonly string[] {
  return text.split(' ').filter((word) => word !== '')
}
