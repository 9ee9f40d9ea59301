/**
 * The manager of a rendered Deployment as its pod would run it: the bundle, with the arguments and the environment of
 * the manifest and the token of the manifest's service account. There is no node here, so this plays the kubelet.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { BUNDLE_FILE } from '../scripts/build.ts'
import { deadline, systemClock } from '../src/clock.ts'
import { throwOnAbort } from '../src/lock/abort-of.ts'
import { eventually } from './controlplane/eventually.ts'
import { freePorts } from './controlplane/ports.ts'
import { type Finished, type Scratch, ended, openScratch } from './controlplane/scratch.ts'
import { controlPlane } from './controlplane/shared.ts'

const NODE = join(import.meta.dirname, '../node_modules/.bin/node')
const READY_MILLIS = 30_000

interface Container {
  readonly args: readonly string[]
  readonly env: readonly EnvVar[]
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
}

interface Probe {
  readonly httpGet: { readonly path: string }
}

type EnvVar =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly valueFrom: { readonly fieldRef: { readonly fieldPath: string } } }

export interface Deployment {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: {
    readonly template: {
      readonly metadata: object
      readonly spec: {
        readonly serviceAccountName: string
        readonly terminationGracePeriodSeconds: number
        readonly containers: readonly [Container]
      }
    }
  }
}

/** The only one in `manifests` (YAML). */
export function deploymentIn(manifests: string): Deployment {
  const all = parseAllDocuments(manifests).map((document) => document.toJS() as Deployment)
  const [deployment, ...more] = all.filter(({ kind }) => kind === 'Deployment')
  assert(deployment && more.length === 0, 'the manifests hold not exactly one Deployment')
  return deployment
}

/** Resolves when its readiness probe succeeds. */
export async function startManagerPod(deployment: Deployment): Promise<ManagerPod> {
  const scratch = await openScratch()
  try {
    const pod = new ManagerPod(deployment, scratch)
    await pod.start()
    return pod
  } catch (error) {
    await scratch.close()
    throw error
  }
}

export class ManagerPod implements AsyncDisposable {
  readonly #deployment: Deployment
  readonly #scratch: Scratch
  readonly #logPath: string
  #pid: number | undefined
  #ended: Promise<Finished> | undefined

  constructor(deployment: Deployment, scratch: Scratch) {
    this.#deployment = deployment
    this.#scratch = scratch
    this.#logPath = join(scratch.dir, 'manager.log')
  }

  async start(): Promise<void> {
    const { namespace } = this.#deployment.metadata
    const { serviceAccountName, containers } = this.#deployment.spec.template.spec
    const [{ args, env, livenessProbe, readinessProbe }] = containers
    const plane = await controlPlane()
    const token = await plane.serviceAccountToken(namespace, serviceAccountName)
    const kubeconfig = await plane.kubeconfigFor(serviceAccountName, token)
    const [health, metrics] = (await freePorts(2)) as [number, number]
    const variables = variablesOf(env, namespace)
    // What a pod has by itself, a process beside others has not: credentials at a fixed place, ports of its own.
    const instead = [
      `--kubeconfig=${kubeconfig}`,
      `--health-probe-bind-address=127.0.0.1:${health}`,
      `--metrics-bind-address=127.0.0.1:${metrics}`,
    ]
    const flags = [...args.map((arg) => expanded(arg, variables)), ...instead]
    const log = await open(this.#logPath, 'a')
    try {
      const child = this.#scratch.spawn(NODE, [BUNDLE_FILE, ...flags], {
        env: { PATH: process.env['PATH'], ...variables },
        stdio: ['ignore', log.fd, log.fd],
      })
      this.#pid = child.pid
      this.#ended = ended(child)
    } finally {
      await log.close()
    }
    for (const { httpGet } of [livenessProbe, readinessProbe]) {
      await this.#untilAnswered(`http://127.0.0.1:${health}${httpGet.path}`)
    }
  }

  /** As the kubelet ends a pod: SIGTERM, then what the manifest grants. Resolves to the exit code. */
  async stop(): Promise<number | null> {
    const { terminationGracePeriodSeconds } = this.#deployment.spec.template.spec
    using limit = deadline(systemClock, 'the graceful end of the manager', terminationGracePeriodSeconds * 1_000)
    process.kill(-this.#pid!, 'SIGTERM')
    return (await Promise.race([this.#ended!, throwOnAbort(limit.signal)])).code
  }

  log(): Promise<string> {
    return readFile(this.#logPath, 'utf8')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scratch.close()
  }

  async #untilAnswered(url: string): Promise<void> {
    const over = new AbortController()
    const died = this.#ended!.then(async ({ code }) => {
      throw new Error(`the manager ended with exit code ${code}:\n${await this.log()}`)
    })
    const answered = eventually(
      { what: `an answer of ${url}`, millis: READY_MILLIS, signal: over.signal },
      async () => {
        // Nobody listens yet: an answer to a probe as well.
        const response = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined)
        return response?.ok ? true : undefined
      },
    )
    try {
      await Promise.race([answered, died])
    } finally {
      over.abort()
      answered.catch(() => undefined)
      died.catch(() => undefined)
    }
  }
}

/** The downward API, as far as the manifest asks for it. */
function variablesOf(env: readonly EnvVar[], namespace: string): Readonly<Record<string, string>> {
  const fields: Readonly<Record<string, string>> = {
    'metadata.name': `leadergroup-controller-manager-${randomUUID().slice(0, 5)}`,
    'metadata.namespace': namespace,
    'metadata.uid': randomUUID(),
  }
  return Object.fromEntries(
    env.map((each) => {
      if ('value' in each) return [each.name, each.value]
      const { fieldPath } = each.valueFrom.fieldRef
      const value = fields[fieldPath]
      assert(value !== undefined, `the manifest asks for ${fieldPath}`)
      return [each.name, value]
    }),
  )
}

/** `$(NAME)` of a known variable; the kubelet leaves any other as it is. */
function expanded(arg: string, variables: Readonly<Record<string, string>>): string {
  return arg.replace(/\$\(([A-Z_]+)\)/g, (text, name: string) => variables[name] ?? text)
}
