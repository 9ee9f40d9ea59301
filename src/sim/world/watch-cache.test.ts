import { strict as assert } from 'node:assert'
import { VirtualClock } from '../clock.ts'
import { findResourceType } from '../resource-types.ts'
import { Store } from '../store.ts'
import type { StoredObject } from '../stored-object.ts'
import { WatchCache } from './watch-cache.ts'

const PODS = findResourceType('', 'v1', 'pods')!
const LEASES = findResourceType('coordination.k8s.io', 'v1', 'leases')!

function object(name: string): StoredObject {
  return { apiVersion: 'v1', kind: 'Any', metadata: { name, uid: name, resourceVersion: '', creationTimestamp: '' } }
}

describe('the watch caches of a server', () => {
  let clock: VirtualClock
  let store: Store
  let pods: WatchCache
  let leases: WatchCache
  let seen: string[]

  beforeEach(() => {
    clock = new VirtualClock()
    store = new Store()
    seen = []
    pods = new WatchCache(store, PODS, clock, () => 50)
    leases = new WatchCache(store, LEASES, clock, () => 10)
    for (const cache of [pods, leases]) cache.onCommit(({ object: { metadata } }) => seen.push(metadata.name))
  })

  function put(type: typeof PODS, name: string): void {
    store.put(type, object(name), { user: 'u', at: clock.now() })
  }

  it('show events of two types in any order, and those of one in their own', async () => {
    put(PODS, 'pod-1')
    put(LEASES, 'lease')
    put(PODS, 'pod-2')
    await clock.advance(100)
    assert.deepEqual(seen, ['lease', 'pod-1', 'pod-2'])
  })

  it('know nothing of what is still to come, in lists and in what is asked for since', async () => {
    put(LEASES, 'lease')
    await clock.advance(10)
    put(PODS, 'pod')
    assert.deepEqual([pods.revision, pods.list(PODS), pods.since(0)], [store.revision - 1, [], []])
    assert.deepEqual(leases.since(0).length, 1)
    await clock.advance(50)
    assert.deepEqual([pods.revision, pods.list(PODS).length, pods.since(0).length], [store.revision, 1, 1])
  })

  it('go on with the store while nothing of their type happens', async () => {
    put(LEASES, 'lease')
    assert.equal(pods.revision, store.revision)
  })

  it('stay where they are while they stand still, whatever the others do', async () => {
    pods.freeze()
    const frozenAt = pods.revision
    put(LEASES, 'lease')
    put(PODS, 'pod')
    await clock.advance(1_000)
    assert.deepEqual([pods.revision, seen], [frozenAt, ['lease']])
    pods.thaw()
    assert.deepEqual([pods.revision, seen], [store.revision, ['lease', 'pod']])
  })
})
