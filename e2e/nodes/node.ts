/** One node: containerd, kubelet and kube-proxy in namespaces of their own, as three machines would have them. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Api } from '../../src/kube/api.ts'
import type { Binary } from '../controlplane/binary.ts'
import { eventually } from '../controlplane/eventually.ts'
import type { Scratch } from '../controlplane/scratch.ts'
import { Server } from '../controlplane/server.ts'
import { isReady } from './ready.ts'
import { joinGroup, makeGroup, processesOf } from './cgroup.ts'
import { type NodeConfig, type NodeFiles, nodeFiles } from './node-files.ts'
import { setCable } from './network.ts'
import { run } from './run.ts'
import type { NodeSite, Site } from './site.ts'

/** Each takes a second on an idle machine; this is for one that is very busy. */
const READY_MILLIS = 120_000

export interface NodeParts extends NodeConfig {
  readonly site: Site
  readonly scratch: Scratch
  readonly api: Api
  readonly binaries: Readonly<Record<'kubelet' | 'kube-proxy', Binary>>
}

export class Node {
  readonly site: NodeSite
  readonly #parts: NodeParts
  readonly #files: NodeFiles
  readonly #init: Server
  readonly #containerd: Server
  readonly #kubelet: Server
  readonly #proxy: Server

  static async make(parts: NodeParts): Promise<Node> {
    const { node } = parts
    await mkdir(node.dir)
    await mkdir(join(node.dir, 'cni'))
    await makeGroup(node.cgroup)
    await makeGroup(daemons(node))
    const files = nodeFiles(parts)
    for (const [path, text] of Object.entries(files.contents)) await writeFile(path, text, { mode: 0o600 })
    return new Node(parts, files, await joinGroup(daemons(node)))
  }

  private constructor(parts: NodeParts, files: NodeFiles, join: string) {
    this.site = parts.node
    this.#parts = parts
    this.#files = files
    const { kubelet, 'kube-proxy': proxy } = parts.binaries
    this.#init = this.#server('init', initBinary(parts.node, join), [], async (signal) => {
      await this.#until(
        'its namespaces',
        signal,
        async () => (await this.#inside(['test', '-e', '/run/ready'])) !== undefined,
      )
    })
    this.#containerd = this.#daemon(
      'containerd',
      { command: 'containerd', prefixArgs: [] },
      files.containerdArgs,
      join,
      {
        what: 'an answer of containerd',
        ask: async () => (await this.ctr('version').catch(() => undefined)) !== undefined,
      },
    )
    this.#kubelet = this.#daemon('kubelet', kubelet, files.kubeletArgs, join, {
      what: `${parts.node.name} to be Ready`,
      ask: () => isReady(parts.api, parts.node.name),
    })
    this.#proxy = this.#daemon('kube-proxy', proxy, files.proxyArgs, join, {
      what: 'a healthy kube-proxy',
      ask: (signal) => isHealthy(`http://${parts.node.address}:10256/healthz`, signal),
    })
  }

  get name(): string {
    return this.site.name
  }

  /** Resolves when containers can be started, before the kubelet runs: images can be loaded meanwhile. */
  async boot(signal?: AbortSignal): Promise<void> {
    await this.#init.start(signal)
    await this.#containerd.start(signal)
  }

  async start(signal?: AbortSignal): Promise<void> {
    await Promise.all([this.#kubelet.start(signal), this.#proxy.start(signal)])
  }

  /** As if its plug had been pulled: everything on it is dead at once, and nothing is written. */
  async powerOff(): Promise<void> {
    await eventually({ what: `${this.name} to be dead`, millis: READY_MILLIS }, async () => {
      const pids = await processesOf(this.site.cgroup)
      for (const pid of pids) killQuietly(pid)
      return pids.length === 0 ? true : undefined
    })
    for (const server of [this.#kubelet, this.#proxy, this.#containerd, this.#init]) await server.kill()
  }

  /** Boots again after {@link powerOff}. */
  async powerOn(): Promise<void> {
    await this.boot()
    await this.start()
  }

  /** Its rules stay as they are. */
  pauseRouting(): void {
    this.#proxy.pause()
  }

  resumeRouting(): void {
    this.#proxy.resume()
  }

  async setCable(state: 'up' | 'down'): Promise<void> {
    await setCable(this.#parts.site, this.site, state)
  }

  /** containerd's own command line. */
  ctr(...args: string[]): Promise<string> {
    return run('ctr', ['--address', this.#files.containerdSocket, '--namespace', 'k8s.io', ...args], {
      millis: 300_000,
    })
  }

  /** A command in the namespaces of the node; undefined when it fails. */
  async #inside(command: readonly string[]): Promise<string | undefined> {
    const { pid } = this.#init
    if (pid === undefined) return undefined
    return await run('nsenter', [...enter(pid), ...command]).catch(() => undefined)
  }

  #daemon(name: string, binary: Binary, args: readonly string[], join: string, ready: Question): Server {
    const command = { command: 'sh', prefixArgs: ['-c', `${join}; exec "$@"`, 'sh'] }
    // The process that holds the namespaces is known only once it runs.
    const words = (): string[] => ['nsenter', ...enter(this.#init.pid!), binary.command, ...binary.prefixArgs, ...args]
    return this.#server(name, command, words, (signal) => this.#until(ready.what, signal, () => ready.ask(signal)))
  }

  #server(
    name: string,
    binary: Binary,
    args: readonly string[] | (() => readonly string[]),
    ready: (signal: AbortSignal) => Promise<void>,
  ): Server {
    const { node, scratch } = this.#parts
    const logPath = join(node.dir, `${name}.log`)
    return new Server(scratch, { name: `${name} of ${node.name}`, binary, args, logPath, ready })
  }

  async #until(what: string, signal: AbortSignal, ask: () => Promise<boolean>): Promise<void> {
    await eventually({ what, millis: READY_MILLIS, signal }, async () => ((await ask()) ? true : undefined))
  }
}

interface Question {
  readonly what: string
  readonly ask: (signal: AbortSignal) => Promise<boolean>
}

function daemons(node: NodeSite): string {
  return join(node.cgroup, 'daemons')
}

/**
 * Holds the node's namespaces. What programs write to places that are the same on every machine goes to memory here, so
 * that neither nodes nor the host meet there; all mounts end with the last process of the node.
 */
function initBinary(node: NodeSite, join: string): Binary {
  const inside = [
    'for dir in /run /var/log /var/lib; do mount -t tmpfs tmpfs "$dir"; done',
    'mkdir -p /run/lock',
    'mount --make-rshared /',
    `hostname ${node.name}`,
    'touch /run/ready',
    'exec sleep infinity',
  ].join('; ')
  // `ip netns exec` would mount another /sys, without the cgroups.
  const outside = `exec nsenter --net=/run/netns/${node.namespace} unshare --mount --uts --propagation=private sh -euc '${inside}'`
  return { command: 'sh', prefixArgs: ['-euc', `${join}; ${outside}`] }
}

function enter(pid: number): string[] {
  return ['--target', String(pid), '--mount', '--uts', '--net']
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function isHealthy(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]) })
    await response.arrayBuffer()
    return response.ok
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof TypeError || (error as Error).name === 'TimeoutError') return false
    throw error
  }
}
