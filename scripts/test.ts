/**
 * `npm test`: every check and every test, one after the other, then what failed once more, and last the line
 * `N passed, N failed`.
 */
import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { deadline, systemClock } from '../src/clock.ts'
import { minutes, terminalProgress } from '../e2e/controlplane/progress.ts'
import { lacking } from '../e2e/nodes/requirements.ts'
import { type Scratch, ended, openScratch } from '../e2e/controlplane/scratch.ts'
import type { Outcome } from './reporter.ts'

interface Step {
  readonly name: string
  /** Of package.json. */
  readonly script: string
  /** Counts its tests; a step without is one check that passes or fails. */
  readonly mocha?: true
  /** For a step that hangs. The first build of a control plane is part of the end-to-end tests. */
  readonly limitMinutes: number
  readonly env?: Readonly<Record<string, string>>
  /** What it lacks here, in words; then it is left out, and counts as neither passed nor failed. */
  readonly lacks?: () => Promise<string | undefined>
}

const STEPS: readonly Step[] = [
  { name: 'type check', script: 'typecheck', limitMinutes: 10 },
  { name: 'lint', script: 'lint', limitMinutes: 10 },
  { name: 'format', script: 'format:check', limitMinutes: 10 },
  { name: 'unit tests', script: 'unit', mocha: true, limitMinutes: 20 },
  { name: 'every interleaving, and the models', script: 'explore', mocha: true, limitMinutes: 30 },
  { name: 'simulated worlds, a share of npm run sim', script: 'sim:share', mocha: true, limitMinutes: 20 },
  { name: 'mutants of every rule', script: 'mutants', limitMinutes: 20 },
  { name: 'end-to-end tests on a real control plane', script: 'e2e', mocha: true, limitMinutes: 60 },
  {
    name: 'a share of the tests on real nodes',
    script: 'e2e:nodes',
    mocha: true,
    limitMinutes: 30,
    env: { NODES: 'share' },
    // What Debian's packages have is installed; what only a person can give is not.
    lacks: () => lacking(terminalProgress()),
  },
]

/** What an interrupted step gets to clean up before it is killed. */
const GRACE_MILLIS = 10_000

const ROOT = join(import.meta.dirname, '..')

/** Steps run in process groups of their own, which end with this process whatever happens to it. */
const scratch = await openScratch()
const interruption = new AbortController()
let running: ChildProcess | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    process.exitCode = 128 + constants.signals[signal]
    interruption.abort()
    if (running) signalGroup(running, signal)
  })
}
try {
  await main(scratch, interruption.signal)
} finally {
  await scratch.close()
}

async function main(work: Scratch, interrupted: AbortSignal): Promise<void> {
  const summary: string[] = []
  const failures: string[] = []
  const total = { passed: 0, failed: 0 }
  for (const step of STEPS) {
    const startedAt = systemClock.now()
    console.log(`\n=== ${step.name}\n`)
    const lack = await step.lacks?.()
    if (lack !== undefined) {
      const line = `left out: ${step.name}: ${lack}`
      console.log(line)
      summary.push(line)
      continue
    }
    const outcome = await run(step, work, interrupted)
    if (interrupted.aborted) return console.log('\ninterrupted')
    const line = `${outcome.failed === 0 ? 'ok  ' : 'FAIL'} ${minutes(systemClock.now() - startedAt)} ${step.name}`
    summary.push(step.mocha ? `${line}: ${sentence(outcome)}` : line)
    failures.push(...outcome.failures.map(({ title, error }) => `${step.name} > ${title}\n${error}\n`))
    total.passed += outcome.passed
    total.failed += outcome.failed
  }
  // Once more, where it is looked for: thousands of lines may be above.
  if (failures.length > 0) console.log(`\n=== failed\n\n${failures.join('\n')}`)
  console.log(`\n=== summary\n\n${summary.join('\n')}\n\n${sentence(total)}`)
  process.exitCode = total.failed === 0 ? 0 : 1
}

function sentence({ passed, failed }: Pick<Outcome, 'passed' | 'failed'>): string {
  return `${passed} passed, ${failed} failed`
}

async function run(step: Step, work: Scratch, interrupted: AbortSignal): Promise<Outcome> {
  const outcomeFile = join(work.dir, `${step.script.replace(':', '-')}.json`)
  // A forgotten `.only` would hide every other test.
  const mochaArgs = step.mocha ? ['--', '--forbid-only', '--reporter', 'scripts/reporter.ts'] : []
  running = work.spawn('npm', ['run', '--silent', step.script, ...mochaArgs], {
    cwd: ROOT,
    env: { ...process.env, ...step.env, TEST_OUTCOME: outcomeFile },
    stdio: 'inherit',
  })
  const child = running
  using limit = deadline(systemClock, step.name, step.limitMinutes * 60_000)
  limit.signal.addEventListener('abort', () => signalGroup(child, 'SIGKILL'), { once: true })
  const hurry = (): void => limit.extend(GRACE_MILLIS)
  interrupted.addEventListener('abort', hurry, { once: true })
  const { code } = await ended(child)
  interrupted.removeEventListener('abort', hurry)
  running = undefined
  if (limit.signal.aborted) return broken(`killed, ${(limit.signal.reason as Error).message}`)
  if (step.mocha) return await mochaOutcome(outcomeFile, code)
  return code === 0 ? { passed: 1, failed: 0, failures: [] } : broken(`exit code ${code}`)
}

/** Mocha can fail without a failed test: it crashed, found no test, or its teardown threw. Each is one failure. */
async function mochaOutcome(file: string, code: number | null): Promise<Outcome> {
  const json = await readFile(file, 'utf8').catch(() => undefined)
  if (json === undefined) return broken(`ended before its tests did (exit code ${code})`)
  const outcome = JSON.parse(json) as Outcome
  if (outcome.failed > 0) return outcome
  if (code !== 0) return broken(`all tests passed, but the run failed (exit code ${code})`, outcome.passed)
  if (outcome.passed === 0) return broken('no test was run')
  return outcome
}

function broken(error: string, passed = 0): Outcome {
  return { passed, failed: 1, failures: [{ title: 'the step itself', error }] }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal)
}
