import type { LeaderGroup } from '../group/leadergroup.ts'
import { Api } from '../kube/api.ts'
import { Leases, Pods, type Lease, type Pod } from '../kube/objects.ts'
import { leaseLock } from '../lock/lease-lock.ts'
import { ApiServer, type TransportOptions } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { EventRecorder } from './events.ts'
import type { Log } from './log.ts'
import { Metrics } from './metrics.ts'
import { GroupOperator } from './operator.ts'
import { LeaderGroups } from './resources.ts'

export const NAMESPACE = 'shop'
export const ROLE = 'db.leadergroup.io/role'
const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {}, isEnabled: () => false }

/** Only for tests: the real operator over the in-memory API server, on virtual time. */
export class Rig {
  readonly clock = new VirtualClock()
  readonly server = new ApiServer(this.clock)
  readonly api = new Api(this.server.transport({ user: 'test' }), this.clock)
  readonly #running: { readonly stop: AbortController; readonly ended: Promise<void> }[] = []
  #seed = 1
  #addresses = 0

  random = (): number => {
    this.#seed = (this.#seed * 16807) % 2147483647
    return this.#seed / 2147483647
  }

  start(
    name: string,
    options: {
      elect?: boolean
      dryRun?: boolean
      namespaces?: readonly string[]
      before?: TransportOptions['before']
    } = {},
  ): { readonly stop: AbortController; readonly ended: Promise<void> } {
    const { clock, random } = this
    const { before } = options
    const api = new Api(this.server.transport({ user: name, ...(before ? { before } : {}) }), clock)
    const metrics = new Metrics(clock)
    const { dryRun = false } = options
    const events = new EventRecorder({ api, clock, log: SILENT, metrics, instance: name, dryRun })
    const lock = leaseLock(api, { name: 'leadergroup-operator', namespace: 'leadergroup-system', clock, random })
    const election = {
      name: 'leadergroup-operator',
      lock,
      identity: name,
      leaseDurationSeconds: 5,
      renewDeadlineSeconds: 3,
      retryPeriodSeconds: 1,
    }
    const operator = new GroupOperator({
      api,
      clock,
      random,
      metrics,
      events,
      dryRun,
      namespaces: options.namespaces ?? [],
      log: SILENT,
      election: options.elect === false ? undefined : election,
    })
    const stop = new AbortController()
    const running = { stop, ended: operator.run(stop.signal) }
    this.#running.push(running)
    return running
  }

  async createGroup(name = 'db', spec: object = {}): Promise<void> {
    const group = {
      apiVersion: 'leadergroup.io/v1alpha1',
      kind: 'LeaderGroup',
      metadata: { name },
      spec: { selector: { matchLabels: { app: name } }, ...spec },
    }
    await this.ok(this.api.create(LeaderGroups, NAMESPACE, group))
  }

  async createPod(name: string, labels: object = { app: 'db' }): Promise<Pod> {
    const containers = [{ name: 'db', image: 'db', ports: [{ name: 'sql', containerPort: 5432 }] }]
    await this.ok(
      this.api.create(Pods, NAMESPACE, { metadata: { name, labels }, spec: { nodeName: 'n1', containers } }),
    )
    this.#addresses += 1
    const podIPs = [{ ip: `10.0.${this.#addresses >> 8}.${this.#addresses & 255}` }]
    const key = { namespace: NAMESPACE, name }
    await this.ok(this.api.mergePatch(Pods, key, { status: { podIPs } }, { subresource: 'status' }))
    return this.setReady(name, true)
  }

  setReady(name: string, ready: boolean): Promise<Pod> {
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }]
    return this.ok(
      this.api.mergePatch(
        Pods,
        { namespace: NAMESPACE, name },
        { status: { phase: 'Running', conditions } },
        { subresource: 'status' },
      ),
    )
  }

  async deletePod(name: string): Promise<void> {
    await this.ok(this.api.delete(Pods, { namespace: NAMESPACE, name }, { gracePeriodSeconds: 0 }))
  }

  group(name = 'db'): Promise<LeaderGroup> {
    return this.ok(this.api.get(LeaderGroups, { namespace: NAMESPACE, name }))
  }

  lease(name = 'db'): Promise<Lease> {
    return this.ok(this.api.get(Leases, { namespace: NAMESPACE, name }))
  }

  async labelled(): Promise<readonly string[]> {
    const { items } = await this.ok(this.api.list(Pods, { namespace: NAMESPACE, labelSelector: `${ROLE}=leader` }))
    return items.map(({ metadata }) => metadata.name)
  }

  /** The most labels at one version of the store's history. */
  mostLabels(): number {
    const labelled = new Set<string>()
    let most = 0
    for (const { type, object } of this.server.history) {
      if (object.kind !== 'Pod') continue
      const { uid, labels } = object.metadata as Pod['metadata']
      if (type !== 'DELETED' && labels?.[ROLE] === 'leader') labelled.add(uid)
      else labelled.delete(uid)
      most = Math.max(most, labelled.size)
    }
    return most
  }

  writesOf(user: string): number {
    return this.server.history.filter((revision) => revision.user === user).length
  }

  async end(): Promise<void> {
    for (const { stop } of this.#running) stop.abort(new Error('the test is over'))
    await this.clock.advance(10_000)
    await Promise.all(this.#running.map(({ ended }) => ended))
  }

  async ok<T>(call: Promise<{ kind: 'ok'; object: T } | { kind: string; message: string }>): Promise<T> {
    const settled = await this.#drive(call)
    if (settled.kind !== 'ok' || !('object' in settled))
      throw new Error(`${settled.kind}: ${'message' in settled ? settled.message : ''}`)
    return settled.object
  }

  async #drive<T>(promise: Promise<T>): Promise<T> {
    await this.clock.settle()
    return promise
  }
}
