/** `npm run bench`: the project's figures, measured on this machine. */
import { writeFile } from 'node:fs/promises'
import { constants, cpus, loadavg } from 'node:os'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { buildBundle } from '../scripts/build.ts'
import { systemClock as clock } from '../src/clock.ts'
import { terminalProgress } from '../e2e/controlplane/progress.ts'
import { measureCrowds } from './crowd.ts'
import { record } from './document.ts'
import { measureElectors } from './electors.ts'
import { measureFailovers } from './failover.ts'
import { type Figure, table } from './figure.ts'
import { measureHealing } from './heal.ts'
import { measureScale } from './scale.ts'
import { measureShards } from './shards.ts'
import { SECTIONS, type Measured, type Section } from './section.ts'
import { SIDE_USERS } from './side.ts'
import { openStage } from './stage.ts'

interface Flags {
  readonly quick?: boolean
  readonly write?: boolean
  readonly failovers: number
  readonly heal: number
  readonly electors: number
  readonly quietSeconds: number
  readonly groups: readonly number[]
  readonly nodeArgs: readonly string[]
  readonly json?: string | true
}

const SHARDS = { groups: 300, pods: 10 }
const QUICK_SHARDS = { groups: 30, pods: 2 }
const QUICK = { failovers: 20, heal: 100, quietSeconds: 5, groups: [0, 100], electors: 50 }

const program = new Command('bench')
  .description('Measures the figures of operator and library on a real control plane of its own, next to their floor')
  .addArgument(new Argument('[sections...]', 'what to measure (default: all)').choices(SECTIONS))
  .option('--quick', 'a small share: 20 failovers, 100 groups, 5 s of rest, 50 electors')
  .option('--write', 'put what was measured into docs/figures.json and docs/figures.md, as soon as a section is done')
  .option('--failovers <n>', 'failovers of each kind; half as many of electors', positive, 200)
  .option('--heal <n>', 'how many leaders die at once', positive, 1_000)
  .option('--quiet-seconds <s>', 'how long to look whether nothing is written', positive, 300)
  .option('--groups <list>', 'numbers of groups, separated by commas', sizes, [0, 100, 1_000, 10_000])
  .option('--electors <n>', 'how many electors are in one process', positive, 1_000)
  .option('--node-args <args>', "more flags of the operator's Node, as --cpu-prof, separated by blanks", words, [])
  .option('--json [file]', 'the figures as JSON, to a file or instead of the table')
  .parse()
const given = program.opts<Flags>()
if (given.quick && given.write) program.error('error: --quick measures too little to be written down')
const flags = given.quick ? { ...given, ...QUICK } : given
const sections = new Set<Section>(program.args.length > 0 ? (program.args as Section[]) : SECTIONS)

const progress = terminalProgress()
const end = new AbortController()
let stoppedAt = Infinity
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // Servers and directories go with this process, however it ends, so who asks twice need not wait. npm passes on
    // what the terminal has sent here already: that is once.
    if (clock.now() - stoppedAt > 1_000) process.exit(128 + constants.signals[name])
    if (end.signal.aborted) return
    stoppedAt = clock.now()
    process.exitCode = 128 + constants.signals[name]
    progress.say(`${name}: stopping`)
    end.abort(new Error(`stopped by ${name}`))
  })
}

const done = new Map<Section, Measured>()
let begun = beginning()
try {
  await measure(end.signal)
} catch (error) {
  process.exitCode ??= 1
  if (!end.signal.aborted) {
    process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  }
}
await report()
process.exit()

async function measure(signal: AbortSignal): Promise<void> {
  const { failovers, heal, quietSeconds, groups, electors, nodeArgs } = flags
  const start = { nodeArgs }
  progress.say('building dist/leadergroup.js')
  await buildBundle()
  if (sections.has('failover')) {
    await using stage = await openStage({ controllerManager: true, bodies: true, progress, signal })
    await finish('failover', await measureFailovers(stage, failovers, start))
  }
  // From here on without the controller manager: it would only compete for the cores, and no figure here needs it.
  if (sections.has('heal')) {
    await using stage = await openStage({ controllerManager: false, bodies: false, progress, signal })
    await finish('heal', await measureHealing(stage, heal, start))
  }
  if (sections.has('shards')) {
    await using stage = await openStage({ controllerManager: false, bodies: false, progress, signal })
    await finish('shards', await measureShards(stage, given.quick ? QUICK_SHARDS : SHARDS, start))
  }
  if (['resources', 'quiet', 'restart'].some((name) => sections.has(name as Section))) {
    await using stage = await openStage({ controllerManager: false, bodies: false, progress, signal })
    const ascending = groups.toSorted((a, b) => a - b)
    for await (const [section, figures] of measureScale(stage, { sections, sizes: ascending, quietSeconds, start })) {
      await finish(section, figures)
    }
  }
  if (sections.has('electors')) {
    const users = SIDE_USERS
    await using stage = await openStage({ controllerManager: false, bodies: false, users, progress, signal })
    await finish('electors', await measureElectors(stage, Math.ceil(failovers / 2)))
  }
  if (sections.has('crowd')) {
    // Nobody looks into the log, and it would only cost the server some of what so many renewals need.
    await using stage = await openStage({ controllerManager: false, bodies: false, progress, signal })
    await finish('crowd', await measureCrowds(stage, electors))
  }
}

async function finish(section: Section, figures: readonly Figure[]): Promise<void> {
  const minutes = (clock.now() - begun.now) / 60_000
  const [cpu] = cpus()
  const machine = `${cpus().length} cores (${cpu?.model ?? 'unknown'}), Node ${process.versions.node}`
  const load = [begun.load, loadavg()[0]!] as const
  const measured = { at: begun.at, minutes: Math.round(minutes * 10) / 10, machine, load, figures }
  done.set(section, measured)
  progress.say(`${section}: done after ${minutes.toFixed(1)} min`)
  if (flags.write) await record({ [section]: measured })
  begun = beginning()
}

function beginning(): { readonly at: string; readonly now: number; readonly load: number } {
  return { at: new Date(clock.wallNow()).toISOString(), now: clock.now(), load: loadavg()[0]! }
}

async function report(): Promise<void> {
  if (done.size === 0) return
  const json = `${JSON.stringify(Object.fromEntries(done), undefined, 2)}\n`
  if (flags.json === true) process.stdout.write(json)
  else for (const [section, { figures }] of done) process.stdout.write(`\n${section}\n\n${table(figures)}\n`)
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
