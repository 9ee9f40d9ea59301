import assert from 'node:assert/strict'
import type { RoutingWrite } from '../group/routing/routing-action.ts'
import { Api } from '../kube/api.ts'
import { EndpointSlices, Services, type EndpointSlice, type Service } from '../kube/objects.ts'
import type { Acted } from '../loop.ts'
import { PodTurns } from './pod-turns.ts'
import { ApiServer } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { actOnRouting } from './act-routing.ts'
import { Cache } from './cache.ts'

const NAMESPACE = 'shop'
const labels = { 'leadergroup.io/group': 'db', 'endpointslice.kubernetes.io/managed-by': 'leadergroup.io' }
const metadata = { name: 'db', namespace: NAMESPACE, labels, ownerReferences: [] }
const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec: { type: 'ClusterIP', ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }], sessionAffinity: 'None' },
} as const
const SLICE = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { ...metadata, name: 'db-leader-ipv4' },
  addressType: 'IPv4',
  endpoints: [],
  ports: [],
} as const
const SERVICE_KEY = { namespace: NAMESPACE, name: 'db' }
const SLICE_KEY = { namespace: NAMESPACE, name: 'db-leader-ipv4' }

describe('act on routing', () => {
  let cache: Cache
  let admin: Api
  let api: Api
  let took: number
  beforeEach(() => {
    const clock = new VirtualClock()
    const server = new ApiServer(clock)
    cache = new Cache(clock, () => undefined)
    admin = new Api(server.transport(), clock)
    api = new Api(server.transport({ user: 'op' }), clock)
    took = 0
  })

  function act(action: RoutingWrite): Promise<Acted> {
    const { signal } = new AbortController()
    const clock = new VirtualClock()
    const podTurns = new PodTurns(clock)
    return actOnRouting(
      { api, cache, clock, podTurns, namespace: NAMESPACE, name: 'db', signal, took: () => took++ },
      action,
    )
  }

  async function service(): Promise<Service> {
    const outcome = await admin.get(Services, SERVICE_KEY)
    assert.ok(outcome.kind === 'ok')
    return outcome.object
  }

  async function slice(): Promise<EndpointSlice> {
    const outcome = await admin.get(EndpointSlices, SLICE_KEY)
    assert.ok(outcome.kind === 'ok')
    return outcome.object
  }

  const knownService = (): string | undefined => cache.services.get(NAMESPACE, 'db')?.object.metadata.resourceVersion
  const knownSlice = (): string | undefined =>
    cache.slices.get(NAMESPACE, SLICE_KEY.name)?.object.metadata.resourceVersion

  it('knows what it has written, from the reply', async () => {
    assert.equal((await act({ kind: 'createService', service: SERVICE })).kind, 'done')
    assert.equal(knownService(), (await service()).metadata.resourceVersion)
    const { name, uid, resourceVersion } = (await service()).metadata
    const patch = { metadata: { labels: { team: 'a' } } }
    assert.equal((await act({ kind: 'patchService', name, uid, resourceVersion, patch })).kind, 'done')
    assert.equal(knownService(), (await service()).metadata.resourceVersion)
    assert.equal((await service()).metadata.labels?.['team'], 'a')

    assert.equal((await act({ kind: 'createSlice', slice: SLICE })).kind, 'done')
    const before = (await slice()).metadata
    const next = { ...SLICE, metadata: { ...SLICE.metadata, uid: before.uid, resourceVersion: before.resourceVersion } }
    const annotated = { ...next, metadata: { ...next.metadata, annotations: { a: 'b' } } }
    assert.equal((await act({ kind: 'replaceSlice', slice: annotated })).kind, 'done')
    assert.equal(knownSlice(), (await slice()).metadata.resourceVersion)
    assert.equal(took, 4)
  })

  it('reads what is there already: whoever made it, the next decision sees it', async () => {
    await admin.create(Services, NAMESPACE, { ...SERVICE, metadata: { name: 'db' } })
    await admin.create(EndpointSlices, NAMESPACE, SLICE)
    assert.equal((await act({ kind: 'createService', service: SERVICE })).kind, 'stale')
    assert.equal((await act({ kind: 'createSlice', slice: SLICE })).kind, 'stale')
    assert.deepEqual(
      [knownService(), knownSlice(), took],
      [(await service()).metadata.resourceVersion, (await slice()).metadata.resourceVersion, 0],
    )
  })

  it('conflicts with any version but the one that was decided on, and reads that', async () => {
    await admin.create(Services, NAMESPACE, SERVICE)
    await admin.create(EndpointSlices, NAMESPACE, SLICE)
    const [of, at] = [(await service()).metadata, (await slice()).metadata]
    await admin.mergePatch(Services, SERVICE_KEY, { metadata: { labels: { touched: 'x' } } })
    await admin.mergePatch(EndpointSlices, SLICE_KEY, { metadata: { labels: { touched: 'x' } } })
    const { name, uid, resourceVersion } = of
    const stale = { ...SLICE, metadata: { ...SLICE.metadata, uid: at.uid, resourceVersion: at.resourceVersion } }
    for (const action of [
      { kind: 'patchService', name, uid, resourceVersion, patch: { metadata: { labels: { a: 'b' } } } },
      { kind: 'deleteService', name, uid, resourceVersion },
      { kind: 'replaceSlice', slice: stale },
      { kind: 'deleteSlice', name: at.name, uid: at.uid, resourceVersion: at.resourceVersion },
    ] as const) {
      assert.equal((await act(action)).kind, 'stale', action.kind)
    }
    assert.deepEqual(
      [knownService(), knownSlice(), took],
      [(await service()).metadata.resourceVersion, (await slice()).metadata.resourceVersion, 0],
    )
  })

  it('never brings back what is gone, and learns that it is', async () => {
    await act({ kind: 'createSlice', slice: SLICE })
    const { name, uid, resourceVersion } = (await slice()).metadata
    await admin.delete(EndpointSlices, SLICE_KEY)
    const gone = { ...SLICE, metadata: { ...SLICE.metadata, uid, resourceVersion } }
    assert.equal((await act({ kind: 'replaceSlice', slice: gone })).kind, 'stale')
    assert.equal(knownSlice(), undefined)
    assert.equal((await admin.get(EndpointSlices, SLICE_KEY)).kind, 'notFound')
    assert.equal((await act({ kind: 'deleteSlice', name, uid, resourceVersion })).kind, 'done')
  })

  it('says that finalizers keep a slice, and waits for a Service that something holds', async () => {
    const finalizers = ['example.com/x']
    await admin.create(Services, NAMESPACE, { ...SERVICE, metadata: { ...SERVICE.metadata, finalizers } })
    await admin.create(EndpointSlices, NAMESPACE, { ...SLICE, metadata: { ...SLICE.metadata, finalizers } })
    const [of, at] = [(await service()).metadata, (await slice()).metadata]
    assert.equal((await act({ kind: 'deleteService', ...of })).kind, 'done')
    assert.notEqual(cache.services.get(NAMESPACE, 'db')?.object.metadata.deletionTimestamp, undefined)
    const acted = await act({ kind: 'deleteSlice', ...at })
    assert.ok(acted.kind === 'failed')
    assert.match(String(acted.error), /db-leader-ipv4 is deleted, but its finalizers keep it: remove them/)
  })
})
