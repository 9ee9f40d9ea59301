import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { deadline, systemClock } from '../../src/clock.ts'
import type { Binary } from './binary.ts'
import { type Scratch, ended } from './scratch.ts'
import type { Server } from './server.ts'
import { ADMIN, type User, kubeconfig } from './users.ts'

/** Longer than any `kubectl wait` of a test; a kubectl without end would hold up everything. */
const KUBECTL_MILLIS = 180_000

export interface Output {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

export interface Processes {
  readonly etcd: Server
  readonly apiserver: Server
  readonly controllerManager?: Server
}

export interface ControlPlaneParts {
  readonly scratch: Scratch
  readonly processes: Processes
  readonly users: readonly User[]
  readonly kubectl: Binary
  readonly ca: string
  readonly server: string
  readonly etcdUrl: string
  readonly auditLogPath: string | undefined
}

/** A running control plane. It ends with `stop`, and in any case with this process. */
export class ControlPlane {
  /** `https://<address>:<port>` */
  readonly server: string
  /** PEM of the API server's certificate, which is its own authority. */
  readonly ca: string
  /** Bearer token of a user in `system:masters`. */
  readonly adminToken: string
  /** Of the admin. */
  readonly kubeconfigPath: string
  /** One JSON event a line; undefined when started without. */
  readonly auditLogPath: string | undefined
  /** Plain HTTP, for clients of etcd itself. */
  readonly etcdUrl: string
  readonly dir: string
  readonly processes: Processes
  readonly #parts: ControlPlaneParts
  #kubeconfigs = 0

  constructor(parts: ControlPlaneParts) {
    this.#parts = parts
    this.server = parts.server
    this.ca = parts.ca
    this.adminToken = this.#user(ADMIN).token
    this.auditLogPath = parts.auditLogPath
    this.etcdUrl = parts.etcdUrl
    this.dir = parts.scratch.dir
    this.processes = parts.processes
    this.kubeconfigPath = join(this.dir, 'admin.kubeconfig')
  }

  /** Runs kubectl as the admin. An exit code other than 0 is an answer, not an error. */
  kubectl(...args: string[]): Promise<Output> {
    return this.runKubectl(args)
  }

  /** The same, with something to read on its standard input. */
  async runKubectl(args: readonly string[], input?: string): Promise<Output> {
    const { scratch, kubectl } = this.#parts
    const child = scratch.spawn(kubectl.command, [...kubectl.prefixArgs, ...args], {
      env: {
        ...process.env,
        KUBECONFIG: this.kubeconfigPath,
        // The user's own kubectl settings and caches are for the user's own clusters.
        KUBECTL_KUBERC: 'false',
        KUBECACHEDIR: join(this.dir, 'kubectl-cache'),
      },
      stdio: 'pipe',
    })
    using limit = deadline(systemClock, `kubectl ${args.join(' ')}`, KUBECTL_MILLIS)
    limit.signal.addEventListener('abort', () => process.kill(-child.pid!, 'SIGKILL'), { once: true })
    // kubectl may end without reading its input; what it then says is the error that matters.
    child.stdin!.on('error', () => undefined)
    child.stdin!.end(input)
    const [stdout, stderr, { code }] = await Promise.all([text(child.stdout!), text(child.stderr!), ended(child)])
    limit.signal.throwIfAborted()
    return { stdout, stderr, code }
  }

  /** `kubectl apply` of manifests given as YAML or JSON; rejects with what kubectl says when it refuses one. */
  async apply(manifests: string, ...args: string[]): Promise<string> {
    return this.#must(['apply', '-f', '-', ...args], manifests)
  }

  /**
   * Writes a kubeconfig for a user of the token file, or for whoever `token` belongs to, and resolves to its path.
   * `server`: where somebody stands between.
   */
  async kubeconfigFor(user: string, token = this.#user(user).token, server = this.server): Promise<string> {
    const path = join(this.dir, `${(this.#kubeconfigs += 1)}.kubeconfig`)
    await writeFile(path, kubeconfig(server, this.ca, { name: user, token }))
    await chmod(path, 0o600)
    return path
  }

  tokenOf(user: string): string {
    return this.#user(user).token
  }

  /** A token like those that pods get, for 24 hours, or until this Secret is deleted. */
  async serviceAccountToken(namespace: string, name: string, secret?: string): Promise<string> {
    const bound = secret === undefined ? [] : ['--bound-object-kind=Secret', `--bound-object-name=${secret}`]
    return (await this.#must(['create', 'token', name, '--namespace', namespace, '--duration=24h', ...bound])).trim()
  }

  /** Ends everything, the API server before etcd, and removes the directory unless it is to be kept. */
  async stop(): Promise<void> {
    const { etcd, apiserver, controllerManager } = this.processes
    await controllerManager?.kill()
    await apiserver.stop()
    await etcd.stop()
    await this.#parts.scratch.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #must(args: readonly string[], input?: string): Promise<string> {
    const { stdout, stderr, code } = await this.runKubectl(args, input)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed (exit code ${code}): ${stderr.trim()}`)
    return stdout
  }

  #user(name: string): User {
    const user = this.#parts.users.find((each) => each.name === name)
    if (!user) throw new Error(`no user ${name}; give a token, or name the user when the control plane starts`)
    return user
  }
}
