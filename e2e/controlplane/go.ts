/** Runs the Go toolchain on a copy of a module, as all that is built here from Go is. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Turn } from './cache.ts'
import { MODULE_FILES } from './module.ts'
import { ended } from './scratch.ts'

/** As much of a failed command's output as a person reads. */
const TAIL_LINES = 15

export class GoFailure extends Error {
  override readonly name: string = 'GoFailure'
}

/** There is no Go toolchain: nothing that another try or a network could change. */
export class GoMissing extends GoFailure {
  override readonly name = 'GoMissing'
  constructor() {
    super('go is not installed')
  }
}

/** Progress lines come on its stderr, the result is the lines of its stdout. */
export type Go = (args: readonly string[], onProgress?: (line: string) => void) => Promise<string[]>

/**
 * Copies the module `dir` and resolves to a `go` that works in the copy. It rejects with a {@link GoFailure}. `change`
 * makes its `go.mod` another one, to which the sums do not belong any more.
 */
export async function goModule(
  dir: string,
  turn: Turn,
  signal: AbortSignal,
  change?: (goMod: string) => string,
): Promise<Go> {
  const cwd = await mkdtemp(join(turn.scratch.dir, 'module-'))
  for (const file of MODULE_FILES) await copyFile(join(dir, file), join(cwd, file))
  if (change) {
    await rm(join(cwd, 'go.sum'))
    await writeFile(join(cwd, 'go.mod'), change(await readFile(join(cwd, 'go.mod'), 'utf8')))
  }
  // GOWORK: a go.work file above the cache directory is somebody else's. CGO: the result needs no C library.
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' }
  return async (args, onProgress) => {
    signal.throwIfAborted()
    const child = turn.scratch.spawn('go', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const result: string[] = []
    const said: string[] = []
    createInterface({ input: child.stdout! }).on('line', (line) => result.push(line))
    createInterface({ input: child.stderr! }).on('line', (line) => {
      said.push(line)
      onProgress?.(line)
    })
    const abort = (): void => void process.kill(-child.pid!, 'SIGKILL')
    signal.addEventListener('abort', abort, { once: true })
    const { code } = await ended(child).finally(() => signal.removeEventListener('abort', abort))
    signal.throwIfAborted()
    if (code === 0) return result
    // The shell's words for a command that it cannot find.
    if (code === 127) throw new GoMissing()
    throw new GoFailure(`go ${args[0]} failed (exit code ${code}):\n${said.slice(-TAIL_LINES).join('\n')}`)
  }
}
