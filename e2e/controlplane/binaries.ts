/**
 * Finds or makes the programs of a Kubernetes control plane. Each is looked for on its own, because what people have
 * is partial: envtest's bundle, for one, holds etcd, kube-apiserver and kubectl only.
 */
import { assets } from './assets.ts'
import type { Attempt, Binary, Component, Release } from './binary.ts'
import { build } from './build.ts'
import { cacheDir, cached, takeTurn } from './cache.ts'
import { download } from './download.ts'
import { type Progress, silent } from './progress.ts'

/** `LEADERGROUP_KUBERNETES` is for trying another one. */
export const KUBERNETES_VERSION = process.env['LEADERGROUP_KUBERNETES'] ?? '1.36.3'

export interface ResolveOptions<C extends Component> {
  readonly components: readonly C[]
  /** Of Kubernetes, without the `v`. */
  readonly version?: string
  readonly progress?: Progress
  readonly signal?: AbortSignal
  readonly env?: Readonly<Record<string, string | undefined>>
}

type Way = 'assets directory' | 'cache' | 'official download' | 'build with Go'

/**
 * In this order: an assets directory, the user's cache, the official download, a build from Go modules. The last two
 * fill the cache, so that the next call takes milliseconds. Rejects with {@link MissingBinaries} when all four fail.
 */
export async function resolveBinaries<C extends Component>(options: ResolveOptions<C>): Promise<Record<C, Binary>> {
  const { version = KUBERNETES_VERSION, progress = silent, env = process.env } = options
  const signal = options.signal ?? new AbortController().signal
  const release: Release = { version, os: process.platform, arch: process.arch === 'x64' ? 'amd64' : process.arch }
  const cache = cacheDir(release, env)
  const found = new Map<Component, Binary>()
  const failures = new Map<Way, readonly string[]>()
  const missing = (): C[] => options.components.filter((component) => !found.has(component))
  const tryWay = async (way: Way, attempt: (wanted: readonly C[]) => Promise<Attempt>): Promise<void> => {
    signal.throwIfAborted()
    if (missing().length === 0) return
    const result = await attempt(missing())
    for (const [component, binary] of result.found) found.set(component, binary)
    failures.set(way, result.failures)
  }

  await tryWay('assets directory', (wanted) => assets(wanted, env))
  await tryWay('cache', (wanted) => cached(cache, wanted))
  if (missing().length > 0) {
    await using turn = await takeTurn(cache, progress, signal)
    // Whoever had to wait for another process finds that one's work in the cache.
    await tryWay('cache', (wanted) => cached(cache, wanted))
    await tryWay('official download', (wanted) => download(wanted, { release, turn, progress, signal }))
    await tryWay('build with Go', (wanted) => build(wanted, { release, turn, progress, signal }))
  }
  if (missing().length > 0) throw new MissingBinaries(missing(), version, failures)
  return Object.fromEntries(found) as Record<C, Binary>
}

/** Every way failed for at least one program. The message says what failed in each, and what to do. */
export class MissingBinaries extends Error {
  override readonly name = 'MissingBinaries'
  constructor(missing: readonly Component[], version: string, failures: ReadonlyMap<Way, readonly string[]>) {
    const ways = [...failures].map(([way, lines], index) => `  ${index + 1}. ${way}:${lines.map(indented).join('')}`)
    super(
      `no way to get ${missing.join(', ')} (Kubernetes ${version}) worked:\n${ways.join('\n')}\n` +
        'Install Go (https://go.dev/dl), or put the programs into a directory and name it in LEADERGROUP_ASSETS.',
    )
  }
}

function indented(line: string): string {
  return `\n     ${line.replaceAll('\n', '\n     ')}`
}
