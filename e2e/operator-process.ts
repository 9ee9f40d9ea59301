/** `leadergroup operator` as a process of its own, which may do no more than the shipped RBAC lets it do. */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sleepUntil, systemClock } from '../src/clock.ts'
import { type Cluster, Namespaces } from './controlplane/cluster.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { freePorts } from './controlplane/ports.ts'
import { type Finished, type Scratch, ended, openScratch } from './controlplane/scratch.ts'
import { sharedCluster } from './controlplane/shared.ts'

export const OPERATOR_NAMESPACE = 'leadergroup-system'
export const SERVICE_ACCOUNT = 'leadergroup-controller-manager'
/** As the audit log names it. */
export const OPERATOR_USER = `system:serviceaccount:${OPERATOR_NAMESPACE}:${SERVICE_ACCOUNT}`

const ROOT = join(import.meta.dirname, '..')
const NODE = join(ROOT, 'node_modules/.bin/node')
const MAIN = join(ROOT, 'src/cmd/main.ts')

/** It answers after about one second on an idle machine. */
const READY_MILLIS = 30_000
const GRACEFUL_MILLIS = 10_000
const LOG_TAIL_LINES = 40

export interface OperatorOptions {
  /** Its pod's name, as the downward API would tell it. */
  readonly name?: string
  /** More flags. */
  readonly args?: readonly string[]
  /** Default: the one that all tests share. */
  readonly cluster?: Cluster
  /** Instead of one with a token of the service account: a file, written by now. */
  readonly kubeconfig?: string
  /** The command line that it is. Default: from the sources. */
  readonly main?: string
  /** Default: one that goes with it. */
  readonly logPath?: string
}

/** One line of its log. */
export interface LogLine {
  readonly level: string
  readonly msg: string
  /** `<namespace>/<name>` */
  readonly group?: string
  readonly error?: unknown
}

const installed = new WeakMap<Cluster, Promise<string>>()

/**
 * CRD, RBAC, admission policies and namespace as shipped. Resolves to a kubeconfig with the service account's token and
 * nothing else.
 */
export function installOperator(cluster: Cluster): Promise<string> {
  const installing = installed.get(cluster) ?? install(cluster)
  installed.set(cluster, installing)
  return installing
}

async function install(cluster: Cluster): Promise<string> {
  const { api, plane } = cluster
  await cluster.installCrd()
  const metadata = { name: OPERATOR_NAMESPACE }
  const created = await api.create(Namespaces, undefined, { apiVersion: 'v1', kind: 'Namespace', metadata })
  if (created.kind !== 'exists') must(created)
  for (const part of ['rbac', 'policy']) {
    const { code, stderr } = await plane.kubectl('apply', '-k', join(ROOT, 'config', part))
    assert.equal(code, 0, `kubectl apply -k config/${part}: ${stderr}`)
  }
  const token = await plane.serviceAccountToken(OPERATOR_NAMESPACE, SERVICE_ACCOUNT)
  return plane.kubeconfigFor(SERVICE_ACCOUNT, token)
}

/** Does not run yet. */
export async function makeOperator(options: OperatorOptions = {}): Promise<OperatorProcess> {
  const standard = await installOperator(options.cluster ?? (await sharedCluster()))
  const { kubeconfig = standard } = options
  const [health, metrics] = (await freePorts(2)) as [number, number]
  return new OperatorProcess(await openScratch(), { ...options, kubeconfig, health, metrics })
}

/** Resolves when `/readyz` says ok. Whatever becomes of the test, the process ends with this one at the latest. */
export async function startOperator(options: OperatorOptions = {}): Promise<OperatorProcess> {
  const operator = await makeOperator(options)
  try {
    await operator.start()
  } catch (error) {
    await operator.end()
    throw error
  }
  return operator
}

interface Site extends OperatorOptions {
  readonly kubeconfig: string
  readonly health: number
  readonly metrics: number
}

interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<Finished>
}

export class OperatorProcess implements AsyncDisposable {
  readonly name: string
  readonly healthUrl: string
  readonly metricsUrl: string
  readonly #scratch: Scratch
  readonly #site: Site
  readonly #logPath: string
  /** A container that restarts keeps its pod's UID. */
  readonly #uid = randomUUID()
  #run: Run | undefined
  #extraArgs: readonly string[] = []

  constructor(scratch: Scratch, site: Site) {
    this.name = site.name ?? 'operator'
    this.healthUrl = `http://127.0.0.1:${site.health}`
    this.metricsUrl = `http://127.0.0.1:${site.metrics}/metrics`
    this.#scratch = scratch
    this.#site = site
    this.#logPath = site.logPath ?? join(scratch.dir, 'operator.log')
  }

  /** As it stands in the operators' own Lease. */
  get identity(): string {
    return `${this.name}_${this.#uid}`
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#run?.child.pid
  }

  /** Again on the same ports, with the same identity and log. Resolves when it is ready. */
  async start(): Promise<void> {
    const run = await this.#spawn()
    await this.#untilReady(run)
  }

  /**
   * As `start`, but whether it will be ready is left open: there may be no API server. `args`: from now on, beside those that it
   * always has. Resolves to its end.
   */
  async launch(args: readonly string[] = []): Promise<{ readonly ended: Promise<Finished> }> {
    this.#extraArgs = args
    const { ended: end } = await this.#spawn()
    return { ended: end }
  }

  async #untilReady(run: Run): Promise<void> {
    const over = new AbortController()
    const ready = eventually(
      { what: `the readiness of ${this.name}`, millis: READY_MILLIS, signal: over.signal },
      async () => ((await this.probe('/readyz'))?.status === 200 ? true : undefined),
    )
    const died = run.ended.then(({ code, signal }) => {
      throw new Error(`it ended with ${signal ?? `exit code ${code}`}`)
    })
    try {
      await Promise.race([ready, died])
    } catch (cause) {
      const tail = await this.logTail()
      throw new Error(`${this.name} did not start: ${String(cause)}\nIts log ends with:\n${tail}`, { cause })
    } finally {
      over.abort()
      await ready.catch(() => undefined)
      died.catch(() => undefined)
    }
  }

  /** Undefined while nothing answers there. */
  async probe(path: string): Promise<{ readonly status: number; readonly body: string } | undefined> {
    try {
      const response = await fetch(this.healthUrl + path, { signal: AbortSignal.timeout(2_000) })
      return { status: response.status, body: await response.text() }
    } catch (error) {
      // Nobody listens (yet), or it hangs: both are answers to a probe.
      if (error instanceof TypeError || (error as Error).name === 'TimeoutError') return undefined
      throw error
    }
  }

  /** SIGKILL, paused or not. Resolves when it is gone. */
  async kill(): Promise<void> {
    const run = this.#running()
    signalGroup(run, 'SIGKILL')
    await run.ended
  }

  /** SIGSTOP: its connections stay, its timers and answers don't come. */
  pause(): void {
    signalGroup(this.#running(), 'SIGSTOP')
  }

  /** SIGCONT. */
  resume(): void {
    signalGroup(this.#running(), 'SIGCONT')
  }

  /** SIGTERM; resolves to its exit code. Rejects when it does not end by itself in time. */
  async stop(): Promise<number | null> {
    const run = this.#running()
    if (await this.#terminate(run)) return (await run.ended).code
    throw new Error(`${this.name} has not ended ${GRACEFUL_MILLIS} ms after SIGTERM:\n${await this.logTail()}`)
  }

  async log(): Promise<readonly LogLine[]> {
    const text = await readFile(this.#logPath, 'utf8')
    return text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []))
  }

  async logTail(lines = LOG_TAIL_LINES): Promise<string> {
    const text = await readFile(this.#logPath, 'utf8')
    return text.trimEnd().split('\n').slice(-lines).join('\n')
  }

  /** Nothing is left: no process, no file; and no Lease that the next operator would have to wait for, if it can. */
  async end(): Promise<void> {
    if (this.#run) {
      this.resume()
      await this.#terminate(this.#run)
    }
    await this.#scratch.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }

  /** Whether it has ended in time. */
  async #terminate(run: Run): Promise<boolean> {
    signalGroup(run, 'SIGTERM')
    const early = new AbortController()
    const late = sleepUntil(systemClock, systemClock.now() + GRACEFUL_MILLIS, early.signal).then(
      () => false,
      () => true,
    )
    try {
      return await Promise.race([run.ended.then(() => true), late])
    } finally {
      early.abort(new Error('it has ended'))
    }
  }

  #running(): Run {
    if (!this.#run) throw new Error(`${this.name} does not run`)
    return this.#run
  }

  async #spawn(): Promise<Run> {
    if (this.#run) throw new Error(`${this.name} runs already`)
    const { kubeconfig, health, metrics, args = [], main = MAIN } = this.#site
    const flags = [
      `--kubeconfig=${kubeconfig}`,
      `--leader-election-namespace=${OPERATOR_NAMESPACE}`,
      `--health-probe-bind-address=127.0.0.1:${health}`,
      `--metrics-bind-address=127.0.0.1:${metrics}`,
      '--log-format=json',
      ...args,
      ...this.#extraArgs,
    ]
    const log = await open(this.#logPath, 'a')
    try {
      const child = this.#scratch.spawn(NODE, [main, 'operator', ...flags], {
        // Nothing of the user's: no KUBECONFIG, no LEADERGROUP_ variables.
        env: { PATH: process.env['PATH'], POD_NAME: this.name, POD_UID: this.#uid },
        stdio: ['ignore', log.fd, log.fd],
      })
      const run = { child, ended: ended(child).finally(() => (this.#run = undefined)) }
      run.ended.catch(() => undefined)
      return (this.#run = run)
    } finally {
      await log.close()
    }
  }
}

function signalGroup({ child }: Run, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  process.kill(-child.pid, signal)
}
