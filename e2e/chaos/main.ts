/** `npm run chaos`: everything that can go wrong, on real processes, and what came of it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { clientGoProgram } from '../candidates/client-go.ts'
import { GoMissing } from '../controlplane/go.ts'
import { planOf, stormsIn } from './plan.ts'
import { formatReport } from './report.ts'
import { type Progress, runChaos } from './run.ts'

interface Flags {
  readonly minutes: number
  readonly groups: number
  readonly seed: number
  readonly keep?: boolean
  readonly out?: string
  readonly plan?: boolean
}

const EXIT_VIOLATION = 1
const EXIT_ERROR = 2

const flags: Flags = new Command('chaos')
  .description(
    'Leaders end all the time while processes, network, API server, etcd and people fail; then every promise is checked',
  )
  .option('--minutes <n>', 'how long', positive, 5)
  .option('--groups <n>', 'how many groups', positive, 8)
  .option(
    '--seed <n>',
    'the same faults again: their order, kinds and lengths; the times between are real',
    Number,
    Math.trunc(Math.random() * 2 ** 31),
  )
  .option('--plan', 'print the plan, and do nothing')
  .option('--keep', 'leave the logs of all processes, the audit log and the history, and say where')
  .option('--out <dir>', 'write report.json and report.txt')
  .parse()
  .opts()

const end = new AbortController()
let signalled: NodeJS.Signals | undefined
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (signalled) process.exit(128 + constants.signals[name])
    signalled = name
    say('Stopping everything; once more to stop at once')
    end.abort(new Error(`stopped by ${name}`))
  })
}

process.exitCode = await chaos(flags, end.signal).catch((error: unknown) => {
  process.stderr.write(`chaos: ${error instanceof Error ? error.stack : String(error)}\n`)
  return EXIT_ERROR
})
process.exit(process.exitCode === 0 && signalled ? 128 + constants.signals[signalled] : process.exitCode)

async function chaos(
  { minutes, groups, seed, keep, out, plan: planOnly }: Flags,
  signal: AbortSignal,
): Promise<number> {
  const clientGo = await hasClientGo()
  const plan = planOf({ seed, groups, clientGo, ...stormsIn(minutes) })
  if (planOnly) {
    say(JSON.stringify(plan, undefined, 2))
    return 0
  }
  const dir = keep ? join(tmpdir(), `leadergroup-chaos-${seed}-${process.pid}`) : undefined
  say(
    `Seed ${seed}: ${groups} groups, ${plan.rounds.length} storms. The first start of a control plane may take minutes.`,
  )
  if (dir !== undefined) say(`Logs are in ${dir}`)
  const found = await runChaos({
    plan,
    millis: minutes * 60_000,
    signal,
    ...(dir === undefined ? {} : { dir }),
    onProgress: sayProgress,
  })
  const text = formatReport(found)
  say(`\n${text}`)
  if (out !== undefined) {
    await mkdir(out, { recursive: true })
    await writeFile(join(out, 'report.json'), `${JSON.stringify(found, undefined, 2)}\n`)
    await writeFile(join(out, 'report.txt'), `${text}\n`)
  }
  return found.violations.length > 0 ? EXIT_VIOLATION : 0
}

async function hasClientGo(): Promise<boolean> {
  try {
    await clientGoProgram()
    return true
  } catch (error) {
    if (!(error instanceof GoMissing)) throw error
    say(`Without programs on client-go: ${error.message}`)
    return false
  }
}

function sayProgress({ seconds, what, failovers, faults, violations }: Progress): void {
  const clock = `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
  say(`${clock}  ${failovers} failovers, ${faults} faults, ${violations} violations; ${what}`)
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`${text} is not a positive number`)
  return value
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
