/** Programs in other languages: built with their own tools, once, into the user's cache. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { deadline, systemClock } from '../../src/clock.ts'
import { type Turn, takeTurn, userCache } from '../controlplane/cache.ts'
import { type Progress, terminalProgress } from '../controlplane/progress.ts'
import { ended } from '../controlplane/scratch.ts'

/** A first build without any warm cache, on a slow machine. */
export const BUILD_MILLIS = 900_000
/** As much of a failed command's output as a person reads. */
const TAIL_LINES = 15

/** A tool of the language is not there: nothing that another try or a network could change. */
export class ToolMissing extends Error {
  override readonly name = 'ToolMissing'
  constructor(tool: string) {
    super(`${tool} is not installed`)
  }
}

/** Runs a tool to its end. Each line that it writes is progress. */
export type RunTool = (
  command: string,
  args: readonly string[],
  options?: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
) => Promise<void>

export interface Build {
  /** What is built, in words. */
  readonly what: string
  /** In the cache: with the digest of the sources. */
  readonly name: string
  /** All that the result depends on. */
  readonly sources: readonly string[]
  /** Makes `output`, a file or a directory, and whatever else in the directory `work`. */
  readonly make: (run: RunTool, output: string, work: string) => Promise<void>
}

/**
 * Resolves to the path of the result. Rejects with {@link ToolMissing} where a tool of the language is not installed,
 * and with what a tool said when it failed.
 */
export async function built(
  { what, name, sources, make }: Build,
  env: Readonly<Record<string, string | undefined>> = process.env,
  progress: Progress = terminalProgress(),
): Promise<string> {
  const dir = join(userCache(env), 'candidates', `${process.platform}-${process.arch}`)
  const entry = `${name}-${await digest(sources)}`
  const result = join(dir, entry)
  if (existsSync(result)) return result
  using limit = deadline(systemClock, `the build of ${what}`, BUILD_MILLIS)
  await using turn = await takeTurn(dir, progress, limit.signal)
  // Whoever had to wait for another process finds that one's work.
  if (existsSync(result)) return result
  progress.say(`building ${what}, once`)
  const output = join(turn.scratch.dir, entry)
  await make(runner(turn, limit.signal, progress, what), output, turn.scratch.dir)
  return await turn.install(output, entry)
}

function runner(turn: Turn, signal: AbortSignal, progress: Progress, what: string): RunTool {
  return async (command, args, { cwd = turn.scratch.dir, env = {} } = {}) => {
    signal.throwIfAborted()
    const child = turn.scratch.spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said: string[] = []
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line)
        progress.update(`${what}: ${line.trim()}`)
      })
    }
    const abort = (): void => void process.kill(-child.pid!, 'SIGKILL')
    signal.addEventListener('abort', abort, { once: true })
    const { code } = await ended(child).finally(() => signal.removeEventListener('abort', abort))
    signal.throwIfAborted()
    if (code === 0) return
    // The shell's words for a command that it cannot find.
    if (code === 127) throw new ToolMissing(command)
    throw new Error(
      `${command} failed (exit code ${code}) in the build of ${what}:\n${said.slice(-TAIL_LINES).join('\n')}`,
    )
  }
}

async function digest(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) hash.update(`${basename(file)}\0`).update(await readFile(file))
  return hash.digest('hex').slice(0, 12)
}
