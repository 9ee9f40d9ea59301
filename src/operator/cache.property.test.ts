import assert from 'node:assert/strict'
import { Ajv } from 'ajv'
import * as fc from 'fast-check'
import { decide } from '../group/decide.ts'
import type { GroupAction } from '../group/decision.ts'
import { groupKeys } from '../group/keys.ts'
import { bearsKeys } from '../group/seal.ts'
import { leaseNameOf, modeOf } from '../group/spec.ts'
import { parseMark } from '../group/gate/gate.ts'
import type { GroupObservation } from '../group/observation.ts'
import { isOwnSlice } from '../group/routing/slice.ts'
import { serviceOfSliceName } from '../group/routing/slice-name.ts'
import type { KubeObject } from '../kube/objects.ts'
import { VirtualClock } from '../sim/clock.ts'
import { readCrd } from '../sim/custom-schema.ts'
import { runs } from '../sim/runs.ts'
import {
  anyGroupObject,
  anyLeaseObject,
  anyNodeObject,
  anyPodObject,
  anyServiceObject,
  anySliceObject,
} from './any-objects-fixtures.ts'
import { Cache } from './cache.ts'
import type { Store } from './store.ts'
import { trimEndpointSlice, trimGroup, trimLease, trimNode, trimPod, trimService, type CachedPod } from './trim.ts'

/** One thing that this process learns. */
type News =
  | { readonly store: Stored; readonly how: 'event' | 'read' | 'deleted' | 'listed'; readonly object: KubeObject }
  | { readonly gone: string; readonly uid: string }
  | { readonly absent: 'lease' | 'group'; readonly name: string }
  | { readonly listed: readonly CachedPod[] }

const TRIM = {
  pods: trimPod,
  groups: trimGroup,
  leases: trimLease,
  services: trimService,
  slices: trimEndpointSlice,
  nodes: trimNode,
} as const
type Stored = keyof typeof TRIM

function newsOf(store: Stored, objects: fc.Arbitrary<KubeObject>): fc.Arbitrary<News> {
  const how = fc.constantFrom(
    'event' as const,
    'event' as const,
    'read' as const,
    'deleted' as const,
    'listed' as const,
  )
  return fc.record({ store: fc.constant(store), how, object: objects })
}

const anyNews: fc.Arbitrary<News> = fc.oneof(
  { weight: 4, arbitrary: newsOf('pods', anyPodObject) },
  { weight: 3, arbitrary: newsOf('groups', anyGroupObject) },
  { weight: 3, arbitrary: newsOf('leases', anyLeaseObject) },
  newsOf('services', anyServiceObject),
  newsOf('slices', anySliceObject),
  newsOf('nodes', anyNodeObject),
  fc.record({ gone: fc.constantFrom('db-0', 'db-1', 'constructor'), uid: fc.constantFrom('u0', 'u1', 'constructor') }),
  fc.record({ absent: fc.constantFrom('lease', 'group'), name: fc.constantFrom('db', 'web', 'constructor') }),
  fc.record({ listed: fc.array(anyPodObject, { maxLength: 2 }) }),
)

/** Some of it in the order in which it comes to be, and then anything. */
const anyPast = fc
  .tuple(
    fc.constantFrom('event' as const, 'read' as const),
    anyGroupObject,
    fc.array(anyPodObject, { maxLength: 3 }),
    fc.option(anyLeaseObject, { nil: undefined }),
    fc.array(anyNews, { maxLength: 10 }),
  )
  .map(([how, group, pods, lease, news]): readonly News[] => [
    { store: 'groups', how: 'event', object: group },
    ...pods.map((object) => ({ store: 'pods', how: 'event', object }) as const),
    ...(lease ? [{ store: 'leases', how, object: lease } as const] : []),
    ...news,
  ])

function learn(cache: Cache, clock: VirtualClock, news: News): void {
  if ('gone' in news) return cache.podGone('shop', news.gone, news.uid)
  if ('listed' in news) return cache.podsListed('shop', news.listed.map(trimPod), cache.tick())
  if ('absent' in news) {
    const begunAt = cache.tick()
    if (news.absent === 'lease') cache.leaseAbsent('shop', news.name, begunAt)
    else cache.groupAbsent('shop', news.name, begunAt)
    return
  }
  const store = cache[news.store] as Store<KubeObject, unknown>
  const object = (TRIM[news.store] as (object: KubeObject) => KubeObject)(news.object)
  if (news.how === 'event') return store.apply(object)
  if (news.how === 'read') return store.apply(object, cache.tick(), clock.now())
  if (news.how === 'deleted') return store.change({ kind: 'delete', object })
  store.change({ kind: 'reset', objects: [object], resourceVersion: object.metadata.resourceVersion })
}

const { schema } = readCrd(new URL('../../crds/leadergroup.yaml', import.meta.url), 'v1alpha1')
const admits = new Ajv({ strict: false, validateFormats: false }).compile(schema.properties!['status']!)

describe('what an operator decides on whatever the API server may hold', () => {
  it('is always decided, the same each time, and touches nothing but what is the group’s', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(anyPast, fc.nat(20_000), (all, millis) => {
        const clock = new VirtualClock()
        const cache = new Cache(clock, () => undefined)
        for (const news of all) learn(cache, clock, news)
        const now = { monotonic: millis, wall: '2026-01-01T00:01:40.000000Z' }
        for (const each of cache.keys()) {
          const o = cache.observe(each)
          assert.deepEqual(cache.observe(each), o)
          const { actions, wakeAt } = decide(o, now)
          assert.deepEqual(decide(cache.observe(each), now).actions, actions)
          assert.ok(wakeAt === undefined || wakeAt > millis)
          for (const action of actions) {
            check(o, action)
            seen.set(action.kind, (seen.get(action.kind) ?? 0) + 1)
          }
        }
      }),
      runs(400),
    )
    const kinds = ['patchPod', 'createGate', 'listPods', 'writeStatus', 'createService']
    for (const kind of kinds) assert.ok(seen.has(kind), `nothing ever asked for ${kind}, so nothing was shown of it`)
  })
})

/** I12, as far as one action shows it, and that the API server can take it. */
function check(o: GroupObservation, action: GroupAction): void {
  const { group } = o
  switch (action.kind) {
    case 'createGate':
      return assert.ok(group && modeOf(group) === 'Assign' && !o.lease)
    case 'advanceGate':
    case 'deleteGate': {
      assert.ok(group && modeOf(group) === 'Assign' && o.lease)
      const { name, uid, resourceVersion, ownerUID, ownerName, mode } = o.lease
      assert.equal(name, leaseNameOf(group))
      const isFormer = mode === 'Assign' && ownerName === `LeaderGroup ${group.metadata.name}`
      assert.ok(ownerUID === group.metadata.uid || (action.kind === 'deleteGate' && isFormer))
      return assert.deepEqual([action.uid, action.resourceVersion], [uid, resourceVersion])
    }
    case 'releaseLease':
      return assert.ok(group?.spec.failover?.releaseDeadHolder && modeOf(group) === 'Observe')
    case 'patchPod': {
      const pod = o.pods.find(({ uid }) => uid === action.pod.uid)
      assert.ok(pod)
      assert.deepEqual([action.pod.name, action.pod.resourceVersion], [pod.name, pod.resourceVersion])
      const mark = group && modeOf(group) === 'Observe' ? group.status?.gate : o.lease?.mark
      assert.ok(pod.selected || bearsKeys(pod) || parseMark(mark)?.holder?.uid === pod.uid)
      const own: readonly string[] = Object.values(groupKeys(o.name))
      for (const name of [...Object.keys(action.labels), ...Object.keys(action.annotations)])
        assert.ok(own.includes(name))
      return
    }
    case 'writeStatus': {
      assert.deepEqual([action.uid, action.resourceVersion], [group?.metadata.uid, group?.metadata.resourceVersion])
      assert.ok(admits(action.status), JSON.stringify([admits.errors, action.status]))
      const { holder, holderUID, candidates = 0, eligible = 0, history = [] } = action.status
      assert.equal(holder === undefined, holderUID === undefined)
      assert.ok(eligible <= candidates)
      for (const { endTime, reason } of history) assert.equal(endTime === undefined, reason === undefined)
      return
    }
    case 'createService':
      return assert.ok(wished(o, action.service.metadata.name) && action.service.metadata.namespace === o.namespace)
    case 'patchService':
    case 'deleteService': {
      const service = o.services.find(({ uid }) => uid === action.uid)
      assert.ok(service && service.ownerReferences.some(({ uid }) => uid === group?.metadata.uid))
      return assert.equal(action.resourceVersion, service.resourceVersion)
    }
    case 'createSlice':
    case 'replaceSlice': {
      const { metadata } = action.slice
      assert.ok(wished(o, serviceOfSliceName(metadata.name) ?? '') && metadata.namespace === o.namespace)
      const before = o.slices.find(({ uid }) => uid === metadata.uid)
      return assert.ok(action.kind === 'createSlice' || (before && isOwnSlice(before, o.name)))
    }
    case 'deleteSlice': {
      const slice = o.slices.find(({ uid }) => uid === action.uid)
      return assert.ok(slice && (isOwnSlice(slice, o.name) || group))
    }
    case 'readGate':
    case 'readLease':
    case 'readPod':
    case 'readGroup':
    case 'listPods':
      return
  }
}

function wished({ group }: GroupObservation, name: string): boolean {
  return group?.spec.services?.some((service) => service.name === name) ?? false
}
