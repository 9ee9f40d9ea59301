/** `leadergroup elect` and `leadergroup sidecar` as processes that compete for one Lease. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { microTime } from '../src/election/micro-time.ts'
import { type Lease, Leases } from '../src/kube/objects.ts'
import type { Cluster } from './controlplane/cluster.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { type Finished, type Scratch, ended } from './controlplane/scratch.ts'
import { sharedCluster } from './controlplane/shared.ts'
import { ADMIN } from './controlplane/users.ts'

const MAIN = join(import.meta.dirname, '..', 'src', 'cmd', 'main.ts')
/** A start on a machine with much else to do, and an expiry. */
const WAIT_MILLIS = 40_000

export class Contest {
  readonly key: { readonly namespace: string; readonly name: string }
  readonly #cluster: Cluster
  readonly #scratch: Scratch

  constructor(cluster: Cluster, scratch: Scratch, namespace: string) {
    this.#cluster = cluster
    this.#scratch = scratch
    this.key = { namespace, name: 'db' }
  }

  /** On the contest's Lease, unless `args` name one. */
  start(
    command: 'elect' | 'sidecar',
    args: readonly string[],
    kubeconfig = this.#cluster.plane.kubeconfigPath,
  ): Contender {
    const { namespace, name } = this.key
    const lease = args.some((arg) => arg.includes('lock-name')) ? [] : [`--lease=${name}`, `--namespace=${namespace}`]
    const child = this.#scratch.spawn(process.execPath, [MAIN, command, ...lease, ...args], {
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', KUBECONFIG: kubeconfig },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return new Contender(child)
  }

  /** A way to the API server that can be cut. */
  async openLine(): Promise<Line> {
    const { plane } = this.#cluster
    const { port } = new URL(plane.server)
    const sockets = new Set<Socket>()
    const server = createServer((near) => {
      const far = connect(Number(port), '127.0.0.1')
      for (const socket of [near, far]) {
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
        // What is cut ends with an error here and there.
        socket.on('error', () => socket.destroy())
      }
      near.pipe(far).pipe(near)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const at = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    return {
      kubeconfig: await plane.kubeconfigFor(ADMIN, plane.adminToken, at),
      cut: () => {
        server.close()
        for (const socket of sockets) socket.destroy()
      },
    }
  }

  async lease(): Promise<NonNullable<Lease['spec']>> {
    return must(await this.#cluster.api.get(Leases, this.key)).spec ?? {}
  }

  /** Somebody writes another name on the Lease, and does not renew. */
  async take(holderIdentity: string): Promise<void> {
    const { api } = this.#cluster
    await eventually({ what: 'a Lease that is taken', intervalMillis: 0 }, async () => {
      const lease = must(await api.get(Leases, this.key))
      const time = microTime(Date.now())
      const spec = { ...lease.spec, holderIdentity, leaseDurationSeconds: 2, acquireTime: time, renewTime: time }
      const { kind } = await api.replace(Leases, this.key, { ...lease, spec })
      return kind === 'ok' ? true : undefined
    })
  }
}

export interface Line {
  readonly kubeconfig: string
  /** For good. */
  cut(): void
}

export class Contender {
  stdout = ''
  stderr = ''
  readonly #child: ChildProcess
  readonly #ended: Promise<Finished>

  constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = ended(child)
    child.stdout?.on('data', (chunk) => (this.stdout += String(chunk)))
    child.stderr?.on('data', (chunk) => (this.stderr += String(chunk)))
  }

  end(): Promise<Finished> {
    return this.#ended
  }

  /** To it alone: not to its guard and its command, which are in sessions of their own. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async logs(pattern: RegExp): Promise<void> {
    await this.#until(`a log line ${pattern}`, () => pattern.test(this.stderr) || undefined)
  }

  /** The process id that its command has told when it was run for the `time`th time. */
  runs(time = 1): Promise<number> {
    return this.#until(`run ${time} of the command`, () => {
      const runs = [...this.stdout.matchAll(/^runs \d+ \S+ (\d+)\n/gm)]
      return runs.length >= time ? Number(runs.at(-1)![1]) : undefined
    })
  }

  async #until<T>(what: string, look: () => T | undefined): Promise<T> {
    try {
      return await eventually({ what, millis: WAIT_MILLIS }, () => Promise.resolve(look()))
    } catch (cause) {
      throw new Error(`${what} does not come. It says:\n${this.stdout}\n${this.stderr}`, { cause })
    }
  }
}

/** On a Lease that does not exist yet. */
export async function openContest(scratch: Scratch): Promise<Contest> {
  const cluster = await sharedCluster()
  return new Contest(cluster, scratch, await cluster.createNamespace('elect'))
}
