/** Builds all components as one program from Go modules: needs a Go toolchain and a module proxy, nothing else. */
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '../../src/clock.ts'
import type { Attempt, Component, Release } from './binary.ts'
import { type Turn, cached } from './cache.ts'
import { MODULE_DIR, MODULE_FILES, moduleDigest, moduleVersions } from './module.ts'
import { type Progress, minutes } from './progress.ts'
import { ended } from './scratch.ts'

/** As much of a failed command's output as a person reads. */
const TAIL_LINES = 15

export interface BuildOptions {
  readonly release: Release
  readonly turn: Turn
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** Takes seconds with a warm Go build cache, 4 to 9 minutes on 2 cores without one. */
export async function build(components: readonly Component[], options: BuildOptions): Promise<Attempt> {
  const { release, turn, progress, signal } = options
  const { kubernetes } = await moduleVersions()
  if (kubernetes !== release.version) {
    return failed(`the Go module is for Kubernetes ${kubernetes}, not for ${release.version}`)
  }
  const startedAt = systemClock.now()
  const elapsed = (): string => minutes(systemClock.now() - startedAt)
  const module = join(turn.scratch.dir, 'module')
  await mkdir(module)
  for (const file of MODULE_FILES) await copyFile(join(MODULE_DIR, file), join(module, file))
  const go = goCommand(turn, module, signal)
  try {
    progress.say(`building Kubernetes ${release.version} from Go modules, once: this can take some minutes`)
    let downloaded = 0
    const listed = await go(['list', '-mod=readonly', '-deps', '.'], (line) => {
      if (line.startsWith('go: downloading')) downloaded += 1
      progress.update(`Go modules downloaded: ${downloaded} (${elapsed()})`)
    })
    let compiled = 0
    const output = join(turn.scratch.dir, 'components')
    await go(buildArgs(release.version, output), () => {
      compiled += 1
      progress.update(`Go packages compiled: ${compiled} of at most ${listed.length} (${elapsed()})`)
    })
    await turn.install(output, `components-${await moduleDigest()}`)
    progress.say(`built in ${elapsed()}, kept in ${turn.dir}`)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof GoFailure)) throw error
    return failed(error.message)
  }
  return await cached(turn.dir, components)
}

function failed(reason: string): Attempt {
  return { found: new Map(), failures: [reason] }
}

function buildArgs(version: string, output: string): string[] {
  const [major, minor] = version.split('.')
  // Without these the server calls itself v0.0.0, and kubectl and clients decide by that.
  const stamps = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor }
  const flags = Object.entries(stamps).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  return ['build', '-v', '-mod=readonly', '-trimpath', '-ldflags', ['-s -w', ...flags].join(' '), '-o', output, '.']
}

class GoFailure extends Error {
  override readonly name = 'GoFailure'
}

type Go = (args: readonly string[], onProgress: (line: string) => void) => Promise<string[]>

/** Runs go in the module's copy: progress lines come on its stderr, the result is the lines of its stdout. */
function goCommand(turn: Turn, cwd: string, signal: AbortSignal): Go {
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
      onProgress(line)
    })
    const abort = (): void => void process.kill(-child.pid!, 'SIGKILL')
    signal.addEventListener('abort', abort, { once: true })
    const { code } = await ended(child).finally(() => signal.removeEventListener('abort', abort))
    signal.throwIfAborted()
    if (code === 0) return result
    // The shell's words for a command that it cannot find.
    if (code === 127) throw new GoFailure('go is not installed')
    throw new GoFailure(`go ${args[0]} failed (exit code ${code}):\n${said.slice(-TAIL_LINES).join('\n')}`)
  }
}
