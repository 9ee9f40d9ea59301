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

  describe('mode Observe', () => {
    const observing = (version: number, gate?: string): LeaderGroup => {
      const bare = group(version)
      return { ...bare, spec: { ...bare.spec, mode: 'Observe' }, ...(gate === undefined ? {} : { status: { gate } }) }
    }
    const heldBy = (version: number, holderIdentity: string): Lease => ({
      metadata: meta('db', version),
      spec: { holderIdentity },
    })
    const die = (name: string, version: number, change: { app?: string; uid?: string } = {}): void =>
      cache.pods.change({ kind: 'delete', object: pod(name, version, change) })
    const dead = (key = KEY): readonly string[] =>
      cache.observe(key).deletedPods.map(({ uid, resourceVersion }) => `${uid} ${resourceVersion}`)

    function followed(holder = 'db-0_x'): void {
      cache.groups.apply(observing(1))
      cache.leases.apply(heldBy(2, holder))
      cache.pods.apply(pod('db-0', 3))
      cache.pods.apply(pod('db-1', 4))
      wakes()
    }

    describe('the last state of a deleted pod', () => {
      it('is kept of the one that the Lease means, by whatever way', () => {
        for (const holder of ['db-0', 'db-0_x', 'uid-db-0']) {
          cache = new Cache(clock, (key) => woken.push(key))
          followed(holder)
          die('db-0', 7)
          assert.deepEqual(dead(), ['uid-db-0 7'])
          assert.equal(wakes(), KEY)
        }
      })

      it('is shown as such, and not among the pods', () => {
        followed()
        die('db-0', 7)
        const { deletedPods, gone } = cache.observe(KEY)
        assert.deepEqual(
          deletedPods.map(({ name, deleted, selected }) => [name, deleted, selected]),
          [['db-0', true, true]],
        )
        assert.deepEqual([pods(), gone.has('uid-db-0')], ['db-1', true])
        cache.pods.apply(pod('db-0', 9, { uid: 'new' }))
        assert.deepEqual([pods(), dead()], ['db-1 db-0', ['uid-db-0 7']])
        assert.ok(cache.observe(KEY).pods.every((each) => !each.deleted))
      })

      it('is not kept of another', () => {
        followed()
        die('db-1', 7)
        assert.deepEqual(dead(), [])
      })

      it('nor of a pod that is not selected', () => {
        followed()
        cache.pods.apply(pod('db-0', 5, { app: 'none' }))
        die('db-0', 7, { app: 'none' })
        assert.deepEqual(dead(), [])
      })

      it('nor without a holder, or a Lease', () => {
        followed('')
        die('db-0', 7)
        assert.deepEqual(dead(), [])
        cache.leaseAbsent('shop', 'db', cache.tick())
        die('db-1', 8)
        assert.deepEqual(dead(), [])
      })

      it('nor in mode Assign', () => {
        known()
        die('db-0', 7)
        assert.deepEqual(dead(), [])
      })

      it('nor of what a list lacks: that proves no death', () => {
        followed()
        cache.pods.change({ kind: 'reset', objects: [], resourceVersion: '9' })
        assert.deepEqual(dead(), [])
      })

      it('is kept of four, the last ones', () => {
        followed('db-0')
        for (let version = 10; version < 15; version++) die('db-0', version, { uid: `u${version}` })
        assert.deepEqual(dead(), ['u11 11', 'u12 12', 'u13 13', 'u14 14'])
      })

      it('goes with the group', () => {
        followed()
        die('db-0', 7)
        cache.groups.apply({ ...observing(8), metadata: { ...observing(8).metadata, generation: 2 } })
        assert.equal(dead().length, 1)
        cache.groups.apply({ ...observing(9), metadata: { ...observing(9).metadata, uid: 'new' } })
        assert.deepEqual(dead(), [])
      })
    })

    describe('a Lease that a quorum read did not find', () => {
      const absentAt = (): number | undefined => cache.observe(KEY).leaseAbsentAt

      it('is gone, and known to be absent since the read began', () => {
        followed()
        const begunAt = cache.tick()
        cache.leaseAbsent('shop', 'db', begunAt)
        const { lease: seen, gone } = cache.observe(KEY)
        assert.deepEqual([seen, gone.has('uid-db'), absentAt()], [undefined, true, begunAt])
      })

      it('is no longer absent when it comes', () => {
        followed()
        cache.leaseAbsent('shop', 'db', cache.tick())
        cache.leases.apply({ metadata: { ...meta('db', 9), uid: 'new' }, spec: { holderIdentity: 'db-1' } })
        assert.deepEqual([absentAt(), cache.observe(KEY).lease?.uid], [undefined, 'new'])
      })

      it('is another one than that of the same name elsewhere', () => {
        followed()
        cache.leaseAbsent('other', 'db', cache.tick())
        cache.leaseAbsent('shop', 'web', cache.tick())
        assert.equal(absentAt(), undefined)
      })
    })

    describe('a node that goes out of service', () => {
      const node = (version: number, out: boolean) => ({
        metadata: { ...meta('n', version), namespace: '' },
        ...(out ? ({ outOfService: true } as const) : {}),
      })

      it('wakes the groups of its pods, and shows them since when', () => {
        followed()
        cache.pods.apply({ ...pod('db-0', 5), spec: { nodeName: 'n' } })
        cache.nodes.apply(node(6, false))
        wakes()
        cache.nodes.apply(node(7, true))
        assert.equal(wakes(), KEY)
        const since = (): readonly string[] =>
          cache.observe(KEY).pods.map(({ name, outOfService: out }) => `${name} ${out?.seenAt} ${out?.witnessed}`)
        assert.deepEqual(since().toSorted(), ['db-0 7 true', 'db-1 undefined undefined'])
        cache.nodes.apply(node(8, true))
        assert.equal(wakes(), '')
        cache.nodes.apply(node(9, false))
        assert.equal(wakes(), KEY)
        assert.deepEqual(since().toSorted(), ['db-0 undefined undefined', 'db-1 undefined undefined'])
      })

      it('wakes nobody else', () => {
        followed()
        cache.pods.apply({ ...pod('x', 5, { app: 'none' }), spec: { nodeName: 'n' } })
        cache.pods.apply({ ...pod('db-0', 6), spec: { nodeName: 'm' } })
        wakes()
        cache.nodes.apply(node(7, true))
        assert.equal(wakes(), '')
      })
    })

    describe('a pod that nothing ties to the group but the gate in its status', () => {
      function named(lease?: Lease): void {
        cache.groups.apply(observing(1, 'x_uid-x/uid-db/4'))
        cache.pods.apply(pod('x', 3, { app: 'none' }))
        if (lease) cache.leases.apply(lease)
        wakes()
      }

      it('is shown, and its changes wake the group', () => {
        named()
        assert.equal(pods(), '(x)')
        cache.pods.apply(pod('x', 5, { app: 'none' }))
        assert.equal(wakes(), KEY)
        die('x', 6, { app: 'none' })
        assert.deepEqual([wakes(), pods()], [KEY, ''])
      })

      it('is shown whatever mark somebody has put on the Lease of the electors', () => {
        named(lease(4, 'db-9'))
        assert.equal(pods(), '(x)')
      })

      it('wakes it by the proof that it is gone, though it was never seen', () => {
        cache.groups.apply(observing(1, 'x_uid-x/uid-db/4'))
        wakes()
        cache.podGone('shop', 'x', 'uid-x')
        assert.equal(wakes(), KEY)
      })

      it('is not shown under another UID', () => {
        named()
        cache.pods.apply(pod('x', 5, { app: 'none', uid: 'new' }))
        assert.equal(pods(), '')
      })

      it('does not wake it any more once the gate names another', () => {
        named()
        cache.groups.apply(observing(5, 'db-0_uid-db-0/uid-db/5'))
        wakes()
        cache.pods.apply(pod('x', 6, { app: 'none' }))
        assert.deepEqual([wakes(), pods()], ['', ''])
      })
    })

    it('shows the pod of the Lease’s holder also when it is not selected, for those who ask why', () => {
      followed('other_x')
      cache.pods.apply(pod('other', 6, { app: 'none' }))
      assert.equal(pods(), 'db-0 db-1 (other)')
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
