import assert from 'node:assert/strict'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { Lease, Pod } from '../kube/objects.ts'
import { VirtualClock } from '../sim/clock.ts'
import { Cache, keyOf, splitKey } from './cache.ts'

const KEY = 'shop/db'
const meta = (name: string, version: number, namespace = 'shop') => ({
  name,
  namespace,
  uid: `uid-${name}`,
  resourceVersion: String(version),
})

function pod(
  name: string,
  version: number,
  change: { app?: string; ready?: boolean; uid?: string; annotations?: Record<string, string> } = {},
): Pod {
  const { app = 'db', ready = true, uid = `uid-${name}`, annotations = {} } = change
  return {
    metadata: { ...meta(name, version), uid, labels: { app }, annotations },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }
}

function group(version: number, { uid = 'uid-db', generation = 1, app = 'db' } = {}): LeaderGroup {
  return { metadata: { ...meta('db', version), uid, generation }, spec: { selector: { matchLabels: { app } } } }
}

function lease(version: number, holder?: string): Lease {
  const annotations = holder === undefined ? {} : { 'leadergroup.io/gate': `${holder}_uid-${holder}/gate/4` }
  return {
    metadata: { ...meta('db', version), annotations },
    spec: { holderIdentity: holder ? `${holder}_uid-${holder}` : '' },
  }
}

describe('cache', () => {
  let clock: VirtualClock
  let cache: Cache
  let woken: string[]
  const wakes = (): string => [...new Set(woken.splice(0))].toSorted().join(' ')
  const pods = (): string =>
    cache
      .observe(KEY)
      .pods.map(({ name, selected }) => (selected ? name : `(${name})`))
      .join(' ')

  beforeEach(() => {
    clock = new VirtualClock()
    woken = []
    cache = new Cache(clock, (key) => woken.push(key))
  })

  function known(): void {
    cache.groups.apply(group(1))
    cache.leases.apply(lease(2, 'db-0'))
    cache.pods.apply(pod('db-0', 3))
    wakes()
  }

  it('shows a group with its pods and its Lease', () => {
    known()
    const {
      namespace,
      name,
      group: of,
      lease: seen,
      pods: [only],
      memory,
    } = cache.observe(KEY)
    assert.deepEqual([namespace, name, of?.metadata.uid], ['shop', 'db', 'uid-db'])
    assert.deepEqual([seen?.uid, seen?.seenAt, seen?.readAt], ['uid-db', 2, undefined])
    assert.deepEqual([only?.name, only?.seenAt, only?.selected, only?.ready], ['db-0', 3, true, true])
    assert.deepEqual(memory, { statusWrittenAt: undefined, takenBackAt: [], fault: undefined, putOff: undefined })
  })

  it('shows no Lease to a group that is not there', () => {
    cache.leases.apply(lease(2, 'db-0'))
    assert.equal(cache.observe(KEY).lease, undefined)
  })

  describe('wakes', () => {
    it('the group that a pod, a Lease or its own change concerns, and no other', () => {
      known()
      cache.groups.apply({
        ...group(4),
        metadata: { ...meta('web', 4), generation: 1 },
        spec: { selector: { matchLabels: { app: 'web' } } },
      })
      assert.equal(wakes(), 'shop/web')
      cache.pods.apply(pod('db-0', 5))
      assert.equal(wakes(), KEY)
      cache.pods.apply(pod('x', 6, { app: 'none' }))
      assert.equal(wakes(), '')
      cache.leases.apply(lease(7, 'db-0'))
      assert.equal(wakes(), KEY)
      cache.groups.apply(group(8))
      assert.equal(wakes(), KEY)
    })

    it('not the group of the same name in another namespace', () => {
      known()
      cache.pods.apply({ ...pod('db-0', 9), metadata: { ...pod('db-0', 9).metadata, namespace: 'other', uid: 'o' } })
      assert.equal(wakes(), '')
    })

    it('nobody for what it knew', () => {
      known()
      cache.pods.apply(pod('db-0', 3))
      cache.pods.apply(pod('db-0', 2), cache.tick())
      assert.equal(wakes(), '')
    })

    it('the group that waited for a gate read', () => {
      known()
      cache.leases.apply(lease(2, 'db-0'), cache.tick())
      assert.equal(wakes(), KEY)
      const {
        lease: seen,
        pods: [only],
      } = cache.observe(KEY)
      assert.ok(seen!.readAt! > only!.seenAt)
    })

    it('the group whose Lease names a pod that is proved gone, though it was never seen', () => {
      cache.groups.apply(group(1))
      cache.leases.apply(lease(2, 'db-9'))
      wakes()
      cache.podGone('shop', 'db-9', 'uid-db-9')
      assert.equal(wakes(), KEY)
      assert.ok(cache.observe(KEY).gone.has('uid-db-9'))
    })

    it('each group and each name that pods bear keys of, at the start', () => {
      known()
      cache.pods.apply(pod('x', 6, { app: 'none', annotations: { 'old.leadergroup.io/sealed': '' } }))
      assert.deepEqual([...cache.keys()], [KEY, 'shop/old'])
    })

    it('each name that slices bear the label of, at the start', () => {
      const labels = { 'leadergroup.io/group': 'gone' }
      cache.slices.apply({ metadata: { ...meta('gone-leader-ipv4', 3), labels }, addressType: 'IPv4' })
      assert.deepEqual([...cache.keys()], ['shop/gone'])
      assert.equal(wakes(), 'shop/gone')
    })

    it('the groups with pods on a node whose zone changes', () => {
      const node = (version: number, zone?: string) => ({
        metadata: { ...meta('n', version), namespace: '', labels: zone ? { 'topology.kubernetes.io/zone': zone } : {} },
      })
      known()
      cache.pods.apply({ ...pod('db-0', 4), spec: { nodeName: 'n' } })
      wakes()
      cache.nodes.apply(node(5))
      assert.equal(wakes(), '')
      cache.nodes.apply(node(6, 'a'))
      assert.equal(wakes(), KEY)
      assert.equal(cache.observe(KEY).pods[0]?.zone, 'a')
      cache.nodes.apply(node(7, 'a'))
      assert.equal(wakes(), '')
    })

    it('the group that wishes for a Service or is behind it, and shows it those', () => {
      const services = [{ name: 'db', role: 'Leader', ports: [{ port: 1 }] }] as const
      cache.groups.apply({ ...group(1), spec: { selector: { matchLabels: { app: 'db' } }, services } })
      wakes()
      cache.services.apply({ metadata: meta('db', 2) })
      assert.equal(wakes(), KEY)
      cache.services.apply({ metadata: meta('other', 3) })
      assert.equal(wakes(), '')
      const labels = { 'kubernetes.io/service-name': 'db' }
      cache.slices.apply({ metadata: { ...meta('db-x1', 4), labels }, addressType: 'IPv4', endpoints: null })
      assert.equal(wakes(), KEY)
      const { services: seen, slices } = cache.observe(KEY)
      assert.deepEqual([seen.map(({ name }) => name), slices.map(({ name }) => name)], [['db'], ['db-x1']])
      assert.deepEqual([slices[0]?.endpoints, slices[0]?.ports, seen[0]?.ports, seen[0]?.selector], [[], [], [], {}])
    })

    it('the group that a list took pods from', () => {
      known()
      cache.pods.change({ kind: 'reset', objects: [], resourceVersion: '9' })
      assert.deepEqual([wakes(), pods(), cache.observe(KEY).gone.size], [KEY, '', 0])
    })
  })

  describe('pods of a group', () => {
    it('are those that it selects, that bear its keys, and the one that its Lease names', () => {
      known()
      cache.pods.apply(pod('bearer', 5, { app: 'none', annotations: { 'db.leadergroup.io/sealed': '' } }))
      cache.pods.apply(pod('named', 6, { app: 'none' }))
      cache.pods.apply(pod('none', 7, { app: 'none' }))
      cache.leases.apply(lease(8, 'named'))
      assert.equal(pods(), 'db-0 (bearer) (named)')
    })

    it('do not hold a pod of the holder’s name with another UID', () => {
      known()
      cache.pods.apply(pod('named', 6, { app: 'none', uid: 'new' }))
      cache.leases.apply(lease(8, 'named'))
      assert.equal(pods(), 'db-0')
    })

    it('follow the selector', () => {
      known()
      cache.groups.apply(group(9, { generation: 2, app: 'web' }))
      assert.equal(pods(), '(db-0)')
    })
  })

  describe('a reading of a pod that was recreated', () => {
    it('proves the old one gone', () => {
      known()
      cache.podGone('shop', 'db-0', 'uid-db-0')
      cache.pods.apply(pod('db-0', 9, { uid: 'new' }), cache.tick())
      const {
        gone,
        pods: [only],
      } = cache.observe(KEY)
      assert.deepEqual([gone.has('uid-db-0'), only?.uid], [true, 'new'])
    })
  })

  describe('not ready', () => {
    const since = (): number | undefined => cache.observe(KEY).pods[0]?.notReadySince

    it('is timed from when it was first seen, until it is ready', async () => {
      known()
      assert.equal(since(), undefined)
      await clock.advance(500)
      cache.pods.apply(pod('db-0', 5, { ready: false }))
      await clock.advance(500)
      cache.pods.apply(pod('db-0', 6, { ready: false }))
      assert.equal(since(), 500)
      cache.pods.apply(pod('db-0', 7))
      assert.equal(since(), undefined)
    })

    it('is timed anew for a pod that was recreated', async () => {
      known()
      cache.pods.apply(pod('db-0', 5, { ready: false }))
      await clock.advance(500)
      cache.pods.apply(pod('db-0', 6, { ready: false, uid: 'new' }))
      assert.equal(since(), 500)
    })
  })

  describe('a list of a namespace', () => {
    it('is known by when it began', () => {
      known()
      const begunAt = cache.tick()
      cache.podsListed('shop', [pod('db-1', 9)], begunAt)
      assert.equal(cache.observe(KEY).podsListedAt, begunAt)
      assert.equal(pods(), 'db-0 db-1')
      assert.equal(cache.observe('other/db').podsListedAt, undefined)
    })
  })

  describe('memory', () => {
    it('is of one group', () => {
      known()
      cache.remember(KEY, { statusWrittenAt: 5 })
      cache.remember(KEY, { takenBackAt: [7] })
      assert.deepEqual(cache.observe(KEY).memory, {
        statusWrittenAt: 5,
        takenBackAt: [7],
        fault: undefined,
        putOff: undefined,
      })
      assert.deepEqual(cache.observe('shop/web').memory.takenBackAt, [])
    })

    it('stays when the group changes, and goes with it', () => {
      known()
      cache.remember(KEY, { statusWrittenAt: 5 })
      cache.groups.apply(group(9))
      assert.equal(cache.observe(KEY).memory.statusWrittenAt, 5)
      cache.groups.apply(group(10, { uid: 'new' }))
      assert.equal(cache.observe(KEY).memory.statusWrittenAt, undefined)
    })
  })

  describe('a group that a quorum read did not find', () => {
    it('is gone, and known to be absent since the read began', () => {
      known()
      const begunAt = cache.tick()
      cache.groupAbsent('shop', 'db', begunAt)
      const { group: of, groupAbsentAt } = cache.observe(KEY)
      assert.deepEqual([of, groupAbsentAt], [undefined, begunAt])
    })

    it('is not gone when it came while it was read', () => {
      const begunAt = cache.tick()
      known()
      cache.groupAbsent('shop', 'db', begunAt)
      assert.notEqual(cache.observe(KEY).group, undefined)
    })

    it('is no longer absent when it comes', () => {
      cache.groupAbsent('shop', 'db', cache.tick())
      known()
      assert.equal(cache.observe(KEY).groupAbsentAt, undefined)
    })
  })

  it('splits the keys that it makes', () => {
    assert.deepEqual(splitKey(keyOf('shop', 'a.b')), ['shop', 'a.b'])
    assert.deepEqual(splitKey(keyOf(undefined, 'db')), ['', 'db'])
  })
})
