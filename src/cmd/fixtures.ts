/** Only for tests: an in-memory cluster whose operator runs when it is told to, and then until nothing is left to do. */
import assert from 'node:assert/strict'
import { microTime } from '../election/micro-time.ts'
import { decide } from '../group/decide.ts'
import { Api } from '../kube/api.ts'
import { EndpointSlices, Leases, Pods, Services, type Lease, type Pod } from '../kube/objects.ts'
import type { TransportRequest, TransportResponse } from '../kube/transport.ts'
import { Actor } from '../operator/act.ts'
import { Cache, keyOf } from '../operator/cache.ts'
import { LeaderGroups } from '../operator/resources.ts'
import { trimEndpointSlice, trimGroup, trimLease, trimPod, trimService } from '../operator/trim.ts'
import { ApiServer } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'

export const NEVER = new AbortController().signal

/** More rounds than any change takes. */
const ROUNDS = 50

export class Scene {
  readonly clock = new VirtualClock()
  readonly server = new ApiServer(this.clock)
  readonly admin = new Api(this.server.transport(), this.clock)
  /** What the command under test gets instead of the server's answer. */
  instead: (request: TransportRequest) => TransportResponse | undefined = () => undefined
  /** As the command under test asks. */
  readonly api = new Api(
    this.server.transport({ user: 'person', before: (request) => Promise.resolve(this.instead(request)) }),
    this.clock,
  )

  async createGroup(name = 'db', spec: object = {}, namespace = 'shop'): Promise<void> {
    const object = {
      apiVersion: 'leadergroup.io/v1alpha1',
      kind: 'LeaderGroup',
      metadata: { name },
      spec: { selector: { matchLabels: { app: name } }, ...spec },
    }
    done(await this.admin.create(LeaderGroups, namespace, object))
  }

  /** Ready for as long as it exists, unless it is not ready. */
  async createPod(name: string, ready = true, labels: object = { app: 'db' }, namespace = 'shop'): Promise<void> {
    done(await this.admin.create(Pods, namespace, { metadata: { name, labels }, spec: { nodeName: 'n1' } }))
    await this.setReady(name, ready, namespace)
  }

  async setReady(name: string, ready: boolean, namespace = 'shop'): Promise<void> {
    const lastTransitionTime = `${microTime(this.clock.wallNow()).slice(0, 19)}Z`
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime }]
    const status = { phase: 'Running', podIP: `10.0.0.${10 + Number(/\d+$/.exec(name)?.[0] ?? 0)}`, conditions }
    done(await this.admin.mergePatch(Pods, { namespace, name }, { status }, { subresource: 'status' }))
  }

  async patchPod(name: string, metadata: object, namespace = 'shop'): Promise<void> {
    done(await this.admin.mergePatch(Pods, { namespace, name }, { metadata }))
  }

  async patchGroup(spec: object): Promise<void> {
    done(await this.admin.mergePatch(LeaderGroups, { namespace: 'shop', name: 'db' }, { spec }))
  }

  async deletePod(name: string): Promise<void> {
    done(await this.admin.delete(Pods, { namespace: 'shop', name }, { gracePeriodSeconds: 0 }))
  }

  async deleteGroup(name = 'db', namespace = 'shop'): Promise<void> {
    done(await this.admin.delete(LeaderGroups, { namespace, name }))
  }

  async pod(name: string, namespace = 'shop'): Promise<Pod> {
    return done(await this.admin.get(Pods, { namespace, name }))
  }

  async lease(name = 'db', namespace = 'shop'): Promise<Lease | undefined> {
    const found = await this.admin.get(Leases, { namespace, name })
    return found.kind === 'notFound' ? undefined : done(found)
  }

  /** An elector writes the Lease, before or after the operator has first seen it. */
  async elect(holderIdentity: string): Promise<void> {
    const time = microTime(this.clock.wallNow())
    const found = await this.lease()
    const leaseTransitions = found ? (found.spec?.leaseTransitions ?? 0) + 1 : 0
    const spec = { holderIdentity, leaseDurationSeconds: 15, acquireTime: time, renewTime: time, leaseTransitions }
    if (found) done(await this.admin.mergePatch(Leases, { namespace: 'shop', name: 'db' }, { spec }))
    else done(await this.admin.create(Leases, 'shop', { metadata: { name: 'db' }, spec }))
  }

  /** The operator starts, does all that is due for one group, and stops. `meanwhile`: once it has listed everything. */
  async operate(name = 'db', namespace = 'shop', meanwhile?: () => Promise<void>): Promise<void> {
    const cache = new Cache(this.clock, () => undefined)
    const actor = new Actor(this.admin, cache, this.clock)
    for (const pod of done(await this.admin.list(Pods, { namespace })).items) cache.pods.apply(trimPod(pod))
    const { items, resourceVersion } = done(await this.admin.list(Leases, { namespace }))
    cache.leases.change({ kind: 'reset', objects: items.map(trimLease), resourceVersion })
    for (const service of done(await this.admin.list(Services, { namespace })).items) {
      cache.services.apply(trimService(service))
    }
    for (const slice of done(await this.admin.list(EndpointSlices, { namespace })).items) {
      cache.slices.apply(trimEndpointSlice(slice))
    }
    for (const group of done(await this.admin.list(LeaderGroups, { namespace })).items) {
      cache.groups.apply(trimGroup(group))
    }
    await meanwhile?.()
    for (const lease of done(await this.admin.list(Leases, { namespace })).items) cache.leases.apply(trimLease(lease))
    for (let round = 0; round < ROUNDS; round++) {
      const now = { monotonic: this.clock.now() + round * 1000, wall: microTime(this.clock.wallNow()) }
      const { actions, urgent } = decide(cache.observe(keyOf(namespace, name)), now)
      if (actions.length === 0) return
      const acted = await actor.act(keyOf(namespace, name), actions, urgent, NEVER)
      assert.notEqual(acted.kind, 'failed', JSON.stringify(acted))
    }
    assert.fail('the operator does not come to rest')
  }
}

export function forbidden(message: string): TransportResponse {
  return answer(403, { kind: 'Status', code: 403, reason: 'Forbidden', message })
}

/** As a server answers for a type that it does not know. */
export function unknownType(): TransportResponse {
  return answer(404, { kind: 'Status', code: 404, reason: 'NotFound', message: 'the server could not find it' })
}

function answer(status: number, body: object): TransportResponse {
  return { status, headers: {}, body: once(Buffer.from(JSON.stringify(body))) }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes
}

export function done<T>(outcome: { kind: 'ok'; object: T } | { kind: string; message: string }): T {
  if (outcome.kind !== 'ok' || !('object' in outcome)) {
    throw new Error(`${outcome.kind}: ${'message' in outcome ? outcome.message : ''}`)
  }
  return outcome.object
}
