/** A cluster with real nodes on this machine: see `docs/nodes.md`. It ends with the process that opened it. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { resolveBinaries } from '../controlplane/binaries.ts'
import { type Binary, NODE_COMPONENTS } from '../controlplane/binary.ts'
import { type Cluster, openCluster } from '../controlplane/cluster.ts'
import { type Progress, silent } from '../controlplane/progress.ts'
import type { Scratch } from '../controlplane/scratch.ts'
import { Server } from '../controlplane/server.ts'
import { kubeconfig } from '../controlplane/users.ts'
import { makeNetwork } from './network.ts'
import { Node } from './node.ts'
import { pauseArchive } from './pause.ts'
import { cniPlugins } from './requirements.ts'
import { run } from './run.ts'
import type { Site } from './site.ts'
import { claimSite } from './sites.ts'

export interface NodesOptions {
  readonly progress?: Progress
  /** Ends the start, and nothing later. */
  readonly signal?: AbortSignal
  /** Makes etcd wait for the disk on each write. */
  readonly fsync?: boolean
}

export class NodesCluster implements AsyncDisposable {
  readonly site: Site
  readonly cluster: Cluster
  readonly nodes: readonly Node[]
  readonly #scratch: Scratch

  constructor(site: Site, scratch: Scratch, cluster: Cluster, nodes: readonly Node[]) {
    this.site = site
    this.cluster = cluster
    this.nodes = nodes
    this.#scratch = scratch
  }

  /** Puts an archive of images on every node. */
  async load(archive: string): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.ctr('images', 'import', archive)))
  }

  node(name: string): Node {
    const node = this.nodes.find((each) => each.name === name)
    if (!node) throw new Error(`no node ${name}`)
    return node
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nodes first: what a kubelet or a controller writes in its last moment would only be in the way.
    await this.#scratch.close()
    await this.cluster[Symbol.asyncDispose]()
  }
}

/** Resolves when all nodes are Ready. Rejects with what is missing or failed, and nothing is left behind then. */
export async function openNodes(options: NodesOptions = {}): Promise<NodesCluster> {
  const { progress = silent, signal = new AbortController().signal, fsync = false } = options
  const binaries = await resolveBinaries({ components: NODE_COMPONENTS, progress, signal })
  const { site, scratch } = await claimSite()
  try {
    const since = systemClock.now()
    await makeNetwork(site)
    const client = await kubeletClient(site)
    const plane = openCluster({
      dir: join(site.dir, 'control-plane'),
      address: site.address,
      nodes: true,
      fsync,
      progress,
      signal,
      users: site.nodes.map(({ name }) => ({ name: `system:node:${name}`, groups: ['system:nodes'] })),
      extraApiServerArgs: [
        `--kubelet-client-certificate=${client.certificate}`,
        `--kubelet-client-key=${client.key}`,
        '--kubelet-preferred-address-types=InternalIP',
      ],
    })
    // Waited for below: a failure before that must not be one that nobody handles.
    plane.catch(() => undefined)
    const pause = pauseArchive()
    pause.catch(() => undefined)
    const cluster = await plane
    try {
      progress.say(`control plane ready after ${seconds(since)}`)
      const made = await Promise.all(
        site.nodes.map(async (node) => {
          const { ca, server } = cluster.plane
          const kubeconfigFor = (user: string): string =>
            kubeconfig(server, ca, { name: user, token: cluster.plane.tokenOf(user) })
          const made = await Node.make({
            site,
            node,
            scratch,
            api: cluster.api,
            binaries,
            cniPlugins: (await cniPlugins())!,
            kubeconfigs: {
              kubelet: kubeconfigFor(`system:node:${node.name}`),
              'kube-proxy': kubeconfigFor('system:kube-proxy'),
            },
            kubeletClientCa: await readFile(client.certificate, 'utf8'),
          })
          await made.boot(signal)
          await made.ctr('images', 'import', (await pause).file)
          await made.start(signal)
          return made
        }),
      )
      await startScheduler(scratch, site, cluster, binaries['kube-scheduler'], signal)
      progress.say(`${made.length} nodes ready after ${seconds(since)}`)
      return new NodesCluster(site, scratch, cluster, made)
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  } catch (error) {
    await scratch.close()
    throw error
  }
}

/** With this the API server asks a kubelet for logs, and has it run commands in containers. */
async function kubeletClient(site: Site): Promise<{ readonly certificate: string; readonly key: string }> {
  const certificate = join(site.dir, 'kubelet-client.crt')
  const key = join(site.dir, 'kubelet-client.key')
  // It is its own authority: kubelets trust this certificate and no other.
  const subject = '/O=system:masters/CN=kube-apiserver-kubelet-client'
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '365', '-subj', subject]
  await run('openssl', [...request, '-keyout', key, '-out', certificate])
  return { certificate, key }
}

async function startScheduler(
  scratch: Scratch,
  site: Site,
  { plane }: Cluster,
  binary: Binary,
  signal: AbortSignal,
): Promise<void> {
  const path = join(site.dir, 'kube-scheduler.kubeconfig')
  const user = 'system:kube-scheduler'
  await writeFile(path, kubeconfig(plane.server, plane.ca, { name: user, token: plane.tokenOf(user) }), { mode: 0o600 })
  const name = 'kube-scheduler'
  const scheduler = new Server(scratch, {
    name,
    binary,
    args: [`--kubeconfig=${path}`, '--leader-elect=false', '--secure-port=0'],
    logPath: join(site.dir, `${name}.log`),
    // The first pod that has a node shows it; there is nothing to ask.
    ready: () => Promise.resolve(),
  })
  await scheduler.start(signal)
}

function seconds(since: number): string {
  return `${((systemClock.now() - since) / 1000).toFixed(1)} s`
}
