/** The process that holds a cluster between `up` and `down`: it starts it, and ends it when it is told to. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { abortOf, throwOnAbort } from '../../src/lock/abort-of.ts'
import { resolveBinaries } from '../controlplane/binaries.ts'
import { type Progress, minutes } from '../controlplane/progress.ts'
import { type NodesCluster, openNodes } from './cluster.ts'
import { imageBuilder } from './images.ts'
import { installOperator } from './installation.ts'
import { type Kept, keptFile } from './kept.ts'

/** What it tells the process that started it. */
export type Message =
  | { readonly kind: 'say' | 'update' | 'failed'; readonly line: string }
  | { readonly kind: 'ready'; readonly number: number }

export interface KeepOptions {
  readonly install: boolean
  readonly progress: Progress
}

export async function keep({ install, progress: log }: KeepOptions): Promise<void> {
  const end = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => end.abort(new Error(`stopped by ${signal}`)))
  }
  // Whoever started it died before it had its cluster.
  const orphaned = (): void => end.abort(new Error('nobody waits for this cluster'))
  process.once('disconnect', orphaned)
  const tell = (message: Message): void => void (process.connected && process.send?.(message))
  const progress: Progress = {
    say(line) {
      log.say(line)
      tell({ kind: 'say', line })
    },
    update: (line) => tell({ kind: 'update', line }),
  }
  let cluster: NodesCluster
  try {
    cluster = await openNodes({ progress, signal: end.signal, fsync: true })
  } catch (error) {
    tell({ kind: 'failed', line: error instanceof Error ? error.message : String(error) })
    process.exitCode = 1
    return
  }
  await using _ended = cluster
  try {
    await describe(cluster, install)
    // Given up, the cluster ends at once, and what is being installed with it.
    if (install) await Promise.race([addOperator(cluster, progress, end.signal), throwOnAbort(end.signal)])
  } catch (error) {
    tell({ kind: 'failed', line: error instanceof Error ? error.message : String(error) })
    process.exitCode = 1
    return
  }
  process.off('disconnect', orphaned)
  tell({ kind: 'ready', number: cluster.site.number })
  await untilAborted(end.signal)
}

async function addOperator(cluster: NodesCluster, progress: Progress, signal: AbortSignal): Promise<void> {
  const since = systemClock.now()
  progress.say('building the image of the operator')
  const { name, archive, bytes } = await imageBuilder(signal).operator()
  progress.say(`loading ${name} (${Math.round(bytes / 2 ** 20)} MiB) into the nodes`)
  await cluster.load(archive)
  progress.say('kubectl apply -k config/default')
  const { plane } = cluster.cluster
  await installOperator({ kubectl: (args, input) => plane.runKubectl(args, input) }, name)
  progress.say(`both replicas of the operator ready after ${minutes(systemClock.now() - since)}`)
}

/** For `status`, and for a person. */
async function describe({ site, cluster: { plane }, nodes }: NodesCluster, installed: boolean): Promise<void> {
  const { kubectl } = await resolveBinaries({ components: ['kubectl'] })
  const words = [kubectl.command, ...kubectl.prefixArgs, '--kubeconfig', plane.kubeconfigPath]
  const script = join(site.dir, 'kubectl')
  await writeFile(script, `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')} "$@"\n`, { mode: 0o700 })
  const kept: Kept = {
    kubeconfig: plane.kubeconfigPath,
    kubectl: script,
    server: plane.server,
    installed,
    containerd: nodes.map((node) => ({ node: node.name, socket: join(node.site.dir, 'containerd.sock') })),
  }
  await writeFile(keptFile(site), JSON.stringify(kept, undefined, 2))
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  // A promise alone keeps no process alive.
  const alive = setInterval(() => undefined, 60_000)
  await abortOf(signal)
  clearInterval(alive)
}
