/** A control plane, operators, groups, pods and the processes in them: all that a run is about, and that ends with it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bundle } from '../../scripts/bundle.ts'
import type { Api } from '../../src/kube/api.ts'
import { LeaderGroups } from '../../src/operator/resources.ts'
import { CANDIDATE, candidateToken } from '../candidates/account.ts'
import { type Cluster, openCluster } from '../controlplane/cluster.ts'
import { eventually } from '../controlplane/eventually.ts'
import { type Scratch, openScratch } from '../controlplane/scratch.ts'
import { OPERATOR_NAMESPACE, SERVICE_ACCOUNT, installOperator, makeOperator } from '../operator-process.ts'
import { ensureNode } from '../pods.ts'
import { STORED_AS_JSON } from '../store-stream.ts'
import type { Beliefs } from './beliefs.ts'
import type { GroupPlan } from './group-plan.ts'
import { type Identity, type Line, openLine } from './line.ts'
import { Member, type Wiring } from './member.ts'
import { Replica } from './operators.ts'
import { persist, settled } from './persist.ts'
import type { Plan } from './plan.ts'
import { Witness, type Seen } from './witness.ts'

/** etcd keeps all of its history, until a fault compacts it; the audit log is one file. */
const API_SERVER_ARGS = [...STORED_AS_JSON, '--etcd-compaction-interval=0', '--audit-log-maxsize=100000']

export interface WorldOptions {
  readonly plan: Plan
  /** Where everything is kept; it must not exist. Default: a fresh temporary directory, which is removed. */
  readonly dir?: string
  readonly beliefs: Beliefs
  /** Ends everything at once. */
  readonly signal: AbortSignal
  readonly tell: (seen: Seen) => void
  readonly surprise: (what: string, said: readonly string[]) => void
}

export class World implements AsyncDisposable {
  readonly cluster: Cluster
  readonly api: Api
  readonly namespace: string
  readonly witness: Witness
  readonly replicas: Replica[] = []
  readonly members: Member[] = []
  /** Ends what goes on until the run is over. */
  readonly signal: AbortSignal
  readonly #options: WorldOptions
  readonly #scratch: Scratch
  readonly #over = new AbortController()
  readonly #identity: Identity

  constructor(
    options: WorldOptions,
    parts: { cluster: Cluster; namespace: string; scratch: Scratch; identity: Identity },
  ) {
    this.#options = options
    this.cluster = parts.cluster
    this.api = parts.cluster.api
    this.namespace = parts.namespace
    this.#scratch = parts.scratch
    this.#identity = parts.identity
    this.signal = AbortSignal.any([options.signal, this.#over.signal])
    this.witness = new Witness(this.cluster.plane.etcdUrl, parts.namespace, options.tell)
  }

  get lines(): readonly Line[] {
    return [...this.replicas.map(({ line }) => line), ...this.members.flatMap(({ line }) => line ?? [])]
  }

  membersOf(group: string): readonly Member[] {
    return this.members.filter((member) => member.group.name === group)
  }

  async populate(): Promise<void> {
    const { plan, beliefs, surprise } = this.#options
    const main = join(this.cluster.plane.dir, 'leadergroup.js')
    await bundle(main)
    await this.witness.begin()
    await ensureNode(this.api, 'node-1')
    for (const name of ['operator-a', 'operator-b']) await this.#addReplica(name, main)
    const token = await candidateToken(this.cluster, this.namespace)
    const { api, namespace, signal } = this
    const site = { api, namespace, signal, scratch: this.#scratch, main, beliefs, surprise }
    for (const group of plan.groups) {
      await this.createGroup(group)
      for (const [index, kind] of group.members.entries()) {
        const wiring = kind === 'nothing' ? undefined : await this.#wire(kind !== 'client-go', CANDIDATE, token)
        this.members.push(new Member(site, group, kind, `${group.name}-${index}`, wiring))
      }
    }
    await Promise.all(this.replicas.map((replica) => replica.start()))
    for (const member of this.members) await member.live()
  }

  /** It selects the pods with the label `app` of its name. */
  async createGroup(group: GroupPlan): Promise<void> {
    const { name, mode, leaseName, releaseDeadHolder } = group
    const services = [{ name, role: 'Leader', ports: [{ port: 5432 }] }]
    const common = { selector: { matchLabels: { app: name } }, mode, leaseName, services }
    const spec = mode === 'Observe' ? { ...common, failover: { releaseDeadHolder } } : common
    const manifest = { apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', metadata: { name }, spec }
    await persist(this.signal, async () => {
      const created = await settled(this.api.create(LeaderGroups, this.namespace, manifest))
      if (created === undefined || created.kind === 'ok' || created.kind === 'exists') return created
      throw new Error(`group ${name}: ${created.kind}: ${created.message}`)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort(new Error('the run is over'))
    await Promise.all([...this.members.map((member) => member.end()), ...this.replicas.map((replica) => replica.end())])
    await this.#scratch.close()
    await this.witness[Symbol.asyncDispose]()
    const { etcd, apiserver } = this.cluster.plane.processes
    for (const server of [etcd, apiserver]) if (server.pid !== undefined) server.resume()
    await this.cluster[Symbol.asyncDispose]()
  }

  async #addReplica(name: string, main: string): Promise<void> {
    const { cluster, signal } = this
    const { surprise } = this.#options
    const token = await cluster.plane.serviceAccountToken(OPERATOR_NAMESPACE, SERVICE_ACCOUNT)
    const { line, kubeconfig } = await this.#wire(true, SERVICE_ACCOUNT, token)
    const logPath = join(cluster.plane.dir, 'logs', `${name}.log`)
    const process = await makeOperator({ name, cluster, kubeconfig, main, logPath })
    this.replicas.push(new Replica(process, line, { signal, surprise }))
  }

  async #wire(isReadable: boolean, user: string, token: string): Promise<Wiring> {
    const { plane } = this.cluster
    const line = await openLine({
      port: Number(new URL(plane.server).port),
      ...(isReadable ? { identity: this.#identity } : {}),
    })
    return { line, kubeconfig: await plane.kubeconfigFor(user, token, line.url) }
  }
}

/** Dispose of it, and nothing is left but its directory if that was named. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const cluster = await openCluster({
    auditLog: true,
    extraApiServerArgs: API_SERVER_ARGS,
    signal: options.signal,
    ...(options.dir === undefined ? {} : { dir: options.dir, keepDir: true }),
  })
  const world = await settle(cluster, options).catch(async (error: unknown) => {
    await cluster[Symbol.asyncDispose]()
    throw error
  })
  try {
    await world.populate()
    return world
  } catch (error) {
    await world[Symbol.asyncDispose]()
    throw error
  }
}

async function settle(cluster: Cluster, options: WorldOptions): Promise<World> {
  await installOperator(cluster)
  await eventually({ what: 'the API of LeaderGroups' }, async () =>
    (await cluster.api.list(LeaderGroups)).kind === 'notFound' ? undefined : true,
  )
  // Its garbage collector looks for new kinds twice a minute, and puts off what is owned by one that it does not know yet for
  // as long again as it has waited. Started now, it knows groups from the beginning.
  await cluster.plane.processes.controllerManager?.restart(options.signal)
  const read = (kind: string): Promise<string> => readFile(join(cluster.plane.dir, `certs/apiserver.${kind}`), 'utf8')
  // It is its own authority.
  const cert = await read('crt')
  const identity = { cert, ca: cert, key: await read('key') }
  const namespace = await cluster.createNamespace('chaos')
  return new World(options, { cluster, namespace, scratch: await openScratch(), identity })
}
