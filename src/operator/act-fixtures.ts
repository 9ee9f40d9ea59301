import assert from 'node:assert/strict'
import type { AdvanceGate, GroupAction, PatchPod } from '../group/decision.ts'
import { Api } from '../kube/api.ts'
import { Leases, Pods, type KubeObject, type Lease, type Pod, type Resource } from '../kube/objects.ts'
import type { Transport, TransportRequest, TransportResponse } from '../kube/transport.ts'
import type { Acted } from '../loop.ts'
import { ApiServer } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { Actor } from './act.ts'
import { Cache } from './cache.ts'
import { LeaderGroups } from './resources.ts'
import { trimGroup, trimLease, trimPod } from './trim.ts'

export const NAMESPACE = 'shop'
export const KEY = 'shop/db'
export const LEASE = { namespace: NAMESPACE, name: 'db' }
export const SEALED = 'db.leadergroup.io/sealed'

/** `lose`: the server carries the request out, and its answer is lost. */
export type Fate = TransportResponse | 'lose' | undefined

/** Only for tests: one group, one pod and its actor, on the in-memory API server. The cache sees only what it is shown, and replies. */
export class Rig {
  readonly clock = new VirtualClock()
  readonly server = new ApiServer(this.clock)
  readonly admin = new Api(this.server.transport(), this.clock)
  readonly cache = new Cache(this.clock, () => undefined)
  readonly sent: string[] = []
  readonly authority = new AbortController()
  fate: (request: TransportRequest) => Fate = () => undefined
  readonly actor = new Actor(new Api(this.#transport(), this.clock), this.cache, this.clock)

  #transport(): Transport {
    const inner = this.server.transport({ user: 'op' })
    return {
      send: async (request) => {
        this.sent.push(`${request.method} ${request.path.split('?')[0]!.split('/').slice(-2).join('/')}`)
        const fate = this.fate(request)
        if (typeof fate === 'object') return fate
        const response = await inner.send(request)
        if (fate === 'lose') throw new Error('connection reset')
        return response
      },
    }
  }

  async begin(spec: object = {}): Promise<void> {
    const selector = { matchLabels: { app: 'db' } }
    await this.create(LeaderGroups, { metadata: { name: 'db' }, spec: { selector, ...spec } })
    await this.create(Pods, { metadata: { name: 'db-0', labels: { app: 'db' } }, spec: {} })
    await this.see()
  }

  /** The watches deliver everything. */
  async see(): Promise<void> {
    this.cache.groups.apply(trimGroup(await this.read(LeaderGroups, 'db')))
    this.cache.pods.apply(trimPod(await this.pod()))
    const lease = await this.admin.get(Leases, LEASE)
    if (lease.kind === 'ok') this.cache.leases.apply(trimLease(lease.object))
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: object): Promise<void> {
    const { group, version, kind } = resource
    const apiVersion = group === '' ? version : `${group}/${version}`
    const outcome = await this.admin.create(resource, NAMESPACE, { apiVersion, kind, ...object })
    assert.equal(outcome.kind, 'ok')
  }

  async read<T extends KubeObject>(resource: Resource<T>, name: string): Promise<T> {
    const outcome = await this.admin.get(resource, { namespace: NAMESPACE, name })
    assert.ok(outcome.kind === 'ok')
    return outcome.object
  }

  pod(): Promise<Pod> {
    return this.read(Pods, 'db-0')
  }

  lease(): Promise<Lease> {
    return this.read(Leases, 'db')
  }

  /** The Lease as the actor creates it. */
  async born(): Promise<Lease> {
    assert.equal((await this.act({ kind: 'createGate' })).kind, 'done')
    this.sent.length = 0
    return this.lease()
  }

  act(...actions: readonly GroupAction[]): Promise<Acted> {
    return this.actor.act(KEY, actions, 0, this.authority.signal)
  }

  async patch(change: Partial<PatchPod['pod']> = {}): Promise<PatchPod> {
    const { name, uid, resourceVersion } = (await this.pod()).metadata
    const pod = { name, uid, resourceVersion, ...change }
    return { kind: 'patchPod', step: 'enrol', pod, labels: {}, annotations: { [SEALED]: 'g/0' } }
  }

  async touchPod(): Promise<void> {
    await this.admin.mergePatch(
      Pods,
      { namespace: NAMESPACE, name: 'db-0' },
      { metadata: { labels: { touched: 'x' } } },
    )
  }

  async touchLease(): Promise<void> {
    await this.admin.mergePatch(Leases, LEASE, { spec: { holderIdentity: 'stranger' } })
  }

  async recreatePod(): Promise<void> {
    await this.admin.delete(Pods, { namespace: NAMESPACE, name: 'db-0' }, { gracePeriodSeconds: 0 })
    await this.create(Pods, { metadata: { name: 'db-0', labels: { app: 'db' } }, spec: {} })
  }

  seen(): { readonly pod: string | undefined; readonly lease: string | undefined; readonly leaseRead: boolean } {
    const { pods, lease } = this.cache.observe(KEY)
    return { pod: pods[0]?.resourceVersion, lease: lease?.resourceVersion, leaseRead: lease?.readAt !== undefined }
  }
}

export function answer(
  status: number,
  reason: string,
  headers: Readonly<Record<string, string>> = {},
): TransportResponse {
  const body = Buffer.from(JSON.stringify({ kind: 'Status', code: status, reason, message: 'no' }))
  return {
    status,
    headers,
    body: (async function* () {
      yield body
    })(),
  }
}

export async function advanceOf(rig: Rig, change: Partial<AdvanceGate> = {}): Promise<AdvanceGate> {
  const { uid, resourceVersion } = (await rig.lease()).metadata
  return {
    kind: 'advanceGate',
    uid,
    resourceVersion,
    holder: { name: 'db-0', uid: 'pod-uid' },
    term: 2 ** 40,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    takesBack: false,
    ...change,
  }
}
