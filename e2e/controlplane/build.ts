/** Builds all components as one program from Go modules: needs a Go toolchain and a module proxy, nothing else. */
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import type { Attempt, Component, Release } from './binary.ts'
import { type Turn, cached } from './cache.ts'
import { GoFailure, goModule } from './go.ts'
import { moduleDigest, moduleFor, moduleOf, moduleVersions } from './module.ts'
import { type Progress, minutes } from './progress.ts'

export interface BuildOptions {
  readonly release: Release
  readonly turn: Turn
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** Takes seconds with a warm Go build cache, 4 to 9 minutes on 2 cores without one. */
export async function build(components: readonly Component[], options: BuildOptions): Promise<Attempt> {
  const { release, turn, progress, signal } = options
  try {
    progress.say(`building Kubernetes ${release.version} from Go modules, once: this can take some minutes`)
    for (const dir of new Set(components.map(moduleOf))) await buildModule(dir, options)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof GoFailure)) throw error
    return failed(error.message)
  }
  return await cached(turn.dir, components)
}

async function buildModule(dir: string, { release, turn, progress, signal }: BuildOptions): Promise<void> {
  const startedAt = systemClock.now()
  const elapsed = (): string => minutes(systemClock.now() - startedAt)
  const { kubernetes } = await moduleVersions()
  const isOther = release.version !== kubernetes
  const go = await goModule(
    dir,
    turn,
    signal,
    isOther ? (text) => moduleFor(text, kubernetes, release.version) : undefined,
  )
  if (isOther) await go(['mod', 'tidy'])
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
  await turn.install(output, `components-${await moduleDigest(dir)}`)
  progress.say(`built in ${elapsed()}, kept in ${turn.dir}`)
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
