import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Checked {
  readonly states: number
  /** What was violated; absent: nothing, in any state. */
  readonly violation: string | undefined
  /** Every state that the bounds allow was visited. */
  readonly complete: boolean
}

/** Checks a model in Promela in every state, breadth first, with rules left out or bounds set by its macros. */
export async function check(model: string, macros: readonly string[]): Promise<Checked> {
  const dir = await mkdtemp(join(tmpdir(), 'leadergroup-spin-'))
  try {
    const file = join(import.meta.dirname, `${model}.pml`)
    await run('spin', ['-a', ...macros.map((macro) => `-D${macro}`), file], { cwd: dir })
    await run('gcc', ['-O1', '-w', '-DSAFETY', '-DBFS', '-DCOLLAPSE', '-DVECTORSZ=2048', '-o', 'pan', 'pan.c'], {
      cwd: dir,
    })
    const { stdout } = await run(join(dir, 'pan'), [], { cwd: dir, maxBuffer: 2 ** 26 })
    return parse(stdout)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Throws for a report that is none: a model that did not run has proved nothing. */
export function parse(report: string): Checked {
  const [, errors] = /errors: (\d+)/.exec(report) ?? []
  const [, states] = /([\d.e+]+) states, stored/.exec(report) ?? []
  if (errors === undefined || states === undefined) throw new Error(`spin has not reported: ${report}`)
  const [, violation] = /pan:1: (.*?) \(at depth/.exec(report) ?? []
  const isCut = /Search not completed|max search depth too small|out of memory/.test(report)
  return { states: Number(states), violation: errors === '0' ? undefined : (violation ?? report), complete: !isCut }
}

const TOOLS = ['spin', 'gcc'] as const
const PACKAGES = ['spin', 'gcc', 'libc6-dev']

/** Installs what is missing where that takes no more than saying so: as root on Debian. Returns what is missing still. */
export async function prepare(): Promise<readonly string[]> {
  const missing = await lacking()
  const mayInstall = process.getuid?.() === 0 && (await isThere('apt-get', '--version'))
  if (missing.length === 0 || !mayInstall) return missing
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  await run('apt-get', ['update'], options)
  await run('apt-get', ['install', '--yes', '--no-install-recommends', ...PACKAGES], { ...options, maxBuffer: 2 ** 26 })
  return await lacking()
}

async function lacking(): Promise<readonly string[]> {
  const found = await Promise.all([isThere('spin', '-V'), isThere('gcc', '--version')])
  return TOOLS.filter((_, index) => !found[index])
}

async function isThere(command: string, question: string): Promise<boolean> {
  try {
    await run(command, [question])
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
