import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ended, type Scratch } from '../e2e/controlplane/scratch.ts'
import { systemClock } from '../src/clock.ts'
import type { Mutant } from './mutant.ts'
import { MUTANTS } from './tables.ts'
import type { Verdict } from './verdict.ts'

export interface Trial {
  readonly mutant: Mutant
  readonly verdict: Verdict
  readonly millis: number
}

export const ROOT = join(import.meta.dirname, '..')
export const HOOK = pathToFileURL(join(import.meta.dirname, 'hook.ts')).href
const REPORTER = join(import.meta.dirname, 'reporter.ts')
/** The limit of one test is that of .mocharc.json. */
const MOCHA = [
  join(ROOT, 'node_modules/mocha/bin/mocha.js'),
  '--no-config',
  '--require',
  join(ROOT, 'scripts/seed.ts'),
  '--timeout',
  '10000',
  '--exit',
]

/** Tests have limits of their own; this one is for a mistake that lets the program spin. */
const LIMIT_MILLIS = 180_000

/** What the tests say without a mutant; undefined when they pass, as they must. */
export async function passUnmutated(tests: readonly string[], work: Scratch): Promise<string | undefined> {
  const child = work.spawn(process.execPath, [...MOCHA, '--reporter', 'dot', ...tests], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = output(child)
  const { code } = await ended(child)
  return code === 0 ? undefined : said()
}

/** Runs tests in a process in which the mistake is made; all of them, or until one has found it. */
export async function tryOut(mutant: Mutant, tests: readonly string[], work: Scratch, all = false): Promise<Trial> {
  const startedAt = systemClock.now()
  const file = join(work.dir, `verdict-${MUTANTS.indexOf(mutant)}.json`)
  const child = work.spawn(process.execPath, ['--import', HOOK, ...MOCHA, '--reporter', REPORTER, ...tests], {
    cwd: ROOT,
    env: {
      ...process.env,
      // Hundreds of processes load the same sources, all but one of them.
      NODE_COMPILE_CACHE: join(work.dir, 'compiled'),
      LEADERGROUP_MUTANT: mutant.name,
      VERDICT: file,
      ...(all ? { VERDICT_OF_ALL: '1' } : {}),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = output(child)
  const cancel = systemClock.timer(startedAt + LIMIT_MILLIS, () => process.kill(-child.pid!, 'SIGKILL'))
  await ended(child)
  cancel()
  const verdict = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Verdict,
    () => ({ kind: 'broken', why: `no test came to its end: ${said().trim()}` }) as const,
  )
  return { mutant, verdict, millis: systemClock.now() - startedAt }
}

/** What it has said so far. */
export function output({ stdout, stderr }: ChildProcess): () => string {
  let text = ''
  for (const stream of [stdout, stderr]) stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  return () => text
}
