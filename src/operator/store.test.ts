import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { KubeObject } from '../kube/objects.ts'
import { runs } from '../sim/runs.ts'
import { Deaths, Store, Ticks } from './store.ts'

type Thing = KubeObject & { readonly metadata: KubeObject['metadata'] }

function thing(name: string, version: number, { uid = `uid-${name}`, namespace = 'shop' } = {}): Thing {
  return { metadata: { name, namespace, uid, resourceVersion: String(version) } }
}

/**
 * A store with what it told: `after < before`, as versions. The sight of an object is what was known before, as a version
 * or a word, in front of the version; what died is told as its last sight.
 */
class Rig {
  readonly ticks = new Ticks()
  readonly deaths = new Deaths()
  readonly told: string[] = []
  readonly died: string[] = []
  readonly reads: (number | undefined)[] = []
  millis = 0
  readonly store = new Store<Thing, string>({
    ticks: this.ticks,
    deaths: this.deaths,
    see: ({ metadata }, before, { tick, millis, readMillis }) => {
      this.reads.push(readMillis)
      const known = typeof before === 'object' ? before.object.metadata.resourceVersion : before
      return `${known}→${metadata.resourceVersion} at ${tick}, ${millis} ms`
    },
    now: () => this.millis,
    died: ({ sight }) => this.died.push(sight),
    changed: (after, before) => {
      const [now, then] = [after, before].map((each) => each?.metadata.resourceVersion ?? '-')
      this.told.push(`${now}<${then}`)
    },
  })

  tellings(): readonly string[] {
    return this.told.splice(0)
  }

  sight(name = 'a'): string | undefined {
    return this.store.get('shop', name)?.sight
  }

  version(name = 'a', namespace = 'shop'): string | undefined {
    return this.store.get(namespace, name)?.object.metadata.resourceVersion
  }

  reset(version: number, objects: readonly Thing[], namespace?: string): void {
    this.store.change({ kind: 'reset', objects, resourceVersion: String(version) }, namespace)
  }
}

describe('store', () => {
  let rig: Rig
  beforeEach(() => {
    rig = new Rig()
  })

  it('tells of each change', () => {
    rig.store.change({ kind: 'apply', object: thing('a', 5) })
    rig.store.change({ kind: 'apply', object: thing('a', 6) })
    rig.store.change({ kind: 'delete', object: thing('a', 7) })
    assert.deepEqual(rig.tellings(), ['5<-', '6<5', '7<6', '-<7'])
    assert.deepEqual([...rig.store.all()], [])
  })

  it('never goes back to an older version, of whatever length', () => {
    rig.store.apply(thing('a', 10))
    rig.store.apply(thing('a', 9))
    rig.store.apply(thing('a', 9), rig.ticks.next())
    assert.deepEqual([rig.version(), rig.tellings()], ['10', ['10<-']])
  })

  it('is the same in whatever order versions arrive', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 120 }), fc.boolean()), { minLength: 1 }), (arrivals) => {
        const one = new Rig()
        for (const [version, read] of arrivals)
          one.store.apply(thing('a', version), read ? one.ticks.next() : undefined)
        assert.equal(one.version(), String(Math.max(...arrivals.map(([version]) => version))))
      }),
      runs(50),
    )
  })

  it('keeps namespaces apart', () => {
    rig.store.apply(thing('a', 5))
    rig.store.apply(thing('a', 6, { namespace: 'other', uid: 'b' }))
    assert.deepEqual([rig.version(), rig.version('a', 'other')], ['5', '6'])
    assert.deepEqual(
      [...rig.store.all('other')].map(({ metadata }) => metadata.uid),
      ['b'],
    )
    assert.equal([...rig.store.all()].length, 2)
  })

  describe('death', () => {
    it('is not undone by a late reply or a late event, of any version', () => {
      rig.store.apply(thing('a', 5))
      rig.store.gone(thing('a', 6))
      rig.store.apply(thing('a', 5), 1)
      rig.store.apply(thing('a', 9))
      rig.reset(10, [thing('a', 9)])
      assert.equal(rig.version(), undefined)
      assert.ok(rig.deaths.uids.has('uid-a'))
    })

    it('is no matter of a pod recreated under the name', () => {
      rig.store.apply(thing('a', 5))
      rig.store.apply(thing('a', 8, { uid: 'new' }))
      rig.tellings()
      rig.store.gone(thing('a', 6))
      assert.equal(rig.version(), '8')
      // Who waits for the proof is told all the same.
      assert.deepEqual(rig.tellings(), ['8<6'])
    })

    it('is known of objects that were never kept', () => {
      rig.store.gone(thing('a', 6))
      assert.deepEqual([rig.tellings(), rig.deaths.uids.has('uid-a')], [['-<6'], true])
    })

    it('is not proved by another object of the same name', () => {
      rig.store.apply(thing('a', 5))
      rig.store.apply(thing('a', 8, { uid: 'new' }))
      assert.deepEqual([rig.version(), rig.deaths.uids.size], ['8', 0])
    })

    it('is proved by a quorum read that found none, of what was seen before the read began', () => {
      rig.store.apply(thing('a', 5))
      const begunAt = rig.ticks.next()
      rig.store.absent('shop', 'a', begunAt)
      assert.deepEqual([rig.version(), rig.deaths.uids.has('uid-a')], [undefined, true])
    })

    it('is not, of what came while it was read', () => {
      const begunAt = rig.ticks.next()
      rig.store.apply(thing('a', 5))
      rig.store.absent('shop', 'a', begunAt)
      rig.store.absent('shop', 'b', begunAt)
      assert.deepEqual([rig.version(), rig.deaths.uids.size], ['5', 0])
    })

    it('is remembered of the last twenty thousand', () => {
      for (let number = 0; number <= 20_000; number++) rig.deaths.add(String(number))
      assert.deepEqual(
        [rig.deaths.uids.size, rig.deaths.uids.has('0'), rig.deaths.uids.has('1')],
        [20_000, false, true],
      )
    })
  })

  describe('a list', () => {
    it('drops what it lacks, without a proof that it is gone', () => {
      rig.store.apply(thing('a', 5))
      rig.store.apply(thing('b', 6))
      rig.tellings()
      rig.reset(9, [thing('b', 8)])
      assert.deepEqual([rig.version('a'), rig.version('b')], [undefined, '8'])
      assert.deepEqual([rig.tellings(), rig.deaths.uids.size], [['-<5', '8<6'], 0])
    })

    it('does not drop what a reply showed that is newer than the list', () => {
      rig.store.apply(thing('a', 10), 1)
      rig.reset(9, [])
      assert.equal(rig.version(), '10')
    })

    it('of one namespace says nothing of another', () => {
      rig.store.apply(thing('a', 5))
      rig.store.apply(thing('b', 6, { namespace: 'other' }))
      rig.reset(9, [], 'other')
      assert.deepEqual([rig.version('a'), rig.version('b', 'other')], ['5', undefined])
    })

    it('lets what it lacked come back by an event, not by a reply that is older', () => {
      rig.store.apply(thing('a', 5))
      rig.reset(9, [])
      rig.store.apply(thing('a', 5), rig.ticks.next())
      assert.equal(rig.version(), undefined)
      rig.store.apply(thing('a', 10), rig.ticks.next())
      assert.equal(rig.version(), '10')
    })

    it('of another namespace makes no reply too old', () => {
      rig.reset(9, [], 'other')
      rig.store.apply(thing('a', 5), rig.ticks.next())
      assert.equal(rig.version(), '5')
    })

    it('finds a pod that was recreated', () => {
      rig.store.apply(thing('a', 5))
      rig.reset(9, [thing('a', 8, { uid: 'new' })])
      assert.equal(rig.store.get('shop', 'a')?.object.metadata.uid, 'new')
    })
  })

  describe('a write of ours', () => {
    /** Versions and ticks: when it was seen, and since when nobody else has touched it. */
    const kept = (): readonly (string | number | undefined)[] => {
      const { object, seenAt, untouchedSince } = rig.store.get('shop', 'a')!
      return [object.metadata.resourceVersion, seenAt, untouchedSince]
    }
    const write = (version: number): (() => void) => {
      const base = rig.store.get('shop', 'a')!
      const begunAt = rig.ticks.next()
      return () => rig.store.replaced(base, thing('a', version), begunAt)
    }

    it('leaves it untouched by others since it was seen before, and so do more of them', () => {
      rig.store.apply(thing('a', 5))
      assert.deepEqual(kept(), ['5', 1, undefined])
      write(6)()
      assert.deepEqual(kept(), ['6', 3, 1])
      write(7)()
      assert.deepEqual(kept(), ['7', 5, 1])
    })

    it('does so also when its event comes before its reply', () => {
      rig.store.apply(thing('a', 5))
      const reply = write(6)
      rig.store.apply(thing('a', 6))
      assert.deepEqual(kept(), ['6', 3, undefined])
      reply()
      assert.deepEqual(kept(), ['6', 3, 1])
      assert.equal(rig.store.get('shop', 'a')?.readAt, 2)
    })

    it('says nothing of what somebody else made of it since', () => {
      rig.store.apply(thing('a', 5))
      const reply = write(6)
      rig.store.apply(thing('a', 7))
      reply()
      assert.deepEqual(kept(), ['7', 3, undefined])
    })

    it('is over with the next write of somebody else', () => {
      rig.store.apply(thing('a', 5))
      write(6)()
      rig.store.apply(thing('a', 7), rig.ticks.next())
      assert.deepEqual(kept(), ['7', 5, undefined])
    })
  })

  describe('the sight of an object', () => {
    it('begins with nothing known, when no list was seen', () => {
      rig.store.apply(thing('a', 5))
      assert.equal(rig.sight(), 'undefined→5 at 1, 0 ms')
    })

    it('begins with nothing known also in the first list', () => {
      rig.reset(9, [thing('a', 5)])
      assert.equal(rig.sight(), 'undefined→5 at 1, 0 ms')
    })

    it('begins with its absence, when a list did not show it', () => {
      rig.reset(4, [])
      rig.store.change({ kind: 'apply', object: thing('a', 5) })
      rig.reset(9, [thing('a', 5), thing('b', 8)])
      assert.deepEqual([rig.sight(), rig.sight('b')], ['absent→5 at 1, 0 ms', 'absent→8 at 2, 0 ms'])
    })

    it('begins with its absence also when a reply shows it first', () => {
      rig.reset(4, [])
      rig.store.apply(thing('a', 5), rig.ticks.next())
      assert.equal(rig.sight(), 'absent→5 at 2, 0 ms')
    })

    it('begins with its absence when the list was of its namespace, and not when it was of another', () => {
      rig.reset(4, [], 'shop')
      rig.store.apply(thing('a', 5))
      rig.store.apply(thing('b', 6, { namespace: 'other' }))
      assert.equal(rig.sight(), 'absent→5 at 1, 0 ms')
      assert.equal(rig.store.get('other', 'b')?.sight, 'undefined→6 at 2, 0 ms')
      rig.reset(9, [thing('c', 8, { namespace: 'other' })], 'other')
      assert.equal(rig.store.get('other', 'c')?.sight, 'undefined→8 at 3, 0 ms')
    })

    it('goes on from what was kept, of whatever UID', () => {
      rig.store.apply(thing('a', 5))
      rig.millis = 70
      rig.store.apply(thing('a', 6))
      assert.equal(rig.sight(), '5→6 at 2, 70 ms')
      rig.store.apply(thing('a', 7, { uid: 'new' }))
      assert.equal(rig.sight(), '6→7 at 3, 70 ms')
    })

    it('stays as it is for what was known, and for what is older', () => {
      rig.store.apply(thing('a', 5))
      rig.millis = 70
      rig.store.apply(thing('a', 5))
      rig.store.apply(thing('a', 4), rig.ticks.next())
      assert.deepEqual([rig.sight(), rig.reads], ['undefined→5 at 1, 0 ms', [undefined]])
    })

    it('learns of a read of what was known, and when it began, as of when it was first seen', () => {
      rig.store.apply(thing('a', 5))
      rig.store.apply(thing('a', 5), rig.ticks.next(), 40)
      rig.store.apply(thing('a', 6), rig.ticks.next())
      assert.deepEqual(rig.reads, [undefined, 40, undefined])
      assert.equal(rig.sight(), '5→6 at 4, 0 ms')
      rig.store.apply(thing('a', 6), rig.ticks.next(), 60)
      assert.equal(rig.sight(), '6→6 at 4, 0 ms')
    })
  })

  describe('the last of an object', () => {
    it('is what the event of its deletion shows', () => {
      rig.store.apply(thing('a', 5))
      rig.store.change({ kind: 'delete', object: thing('a', 7) })
      assert.deepEqual(rig.died, ['5→7 at 2, 0 ms'])
    })

    it('is what was kept, when a read found none', () => {
      rig.store.apply(thing('a', 5))
      rig.store.absent('shop', 'a', rig.ticks.next())
      assert.deepEqual(rig.died, ['undefined→5 at 1, 0 ms'])
    })

    it('is told before the change', () => {
      const told: string[] = []
      const store = new Store<Thing>({
        ticks: rig.ticks,
        deaths: rig.deaths,
        see: () => undefined,
        now: () => 0,
        changed: (after) => told.push(after ? 'changed' : 'dropped'),
        died: () => told.push('died'),
      })
      store.change({ kind: 'delete', object: thing('a', 7) })
      assert.deepEqual(told, ['changed', 'died', 'dropped'])
    })

    it('is told once', () => {
      rig.store.change({ kind: 'delete', object: thing('a', 7) })
      rig.store.change({ kind: 'delete', object: thing('a', 7) })
      rig.store.gone(thing('a', 7))
      assert.deepEqual(rig.died, ['undefined→7 at 1, 0 ms'])
    })

    it('is not told of what was never kept, of another UID, or of what a list lacks', () => {
      rig.store.gone(thing('b', 7))
      rig.store.apply(thing('a', 8, { uid: 'new' }))
      rig.store.change({ kind: 'delete', object: thing('a', 6) })
      rig.reset(9, [])
      assert.deepEqual([rig.died, rig.version()], [[], undefined])
    })
  })

  describe('ticks', () => {
    const kept = (): readonly [number | undefined, number | undefined] => {
      const { seenAt, readAt } = rig.store.get('shop', 'a')!
      return [seenAt, readAt]
    }

    it('say when a version was first seen, whoever shows it again', () => {
      rig.store.apply(thing('a', 5))
      rig.store.apply(thing('a', 5))
      assert.deepEqual(kept(), [1, undefined])
      assert.deepEqual(rig.tellings(), ['5<-'])
    })

    it('say when the last read of a version began, and tell of it', () => {
      rig.store.apply(thing('a', 5))
      const [first, second] = [rig.ticks.next(), rig.ticks.next()]
      rig.store.apply(thing('a', 5), second)
      rig.store.apply(thing('a', 5), first)
      rig.store.apply(thing('a', 5))
      assert.deepEqual(kept(), [1, second])
      assert.deepEqual(rig.tellings(), ['5<-', '5<5'])
    })

    it('a read of one version says nothing of the next', () => {
      rig.store.apply(thing('a', 5), rig.ticks.next())
      rig.store.apply(thing('a', 6))
      assert.deepEqual(kept(), [3, undefined])
    })

    it('a read of an older version says nothing of the present one', () => {
      rig.store.apply(thing('a', 6))
      rig.store.apply(thing('a', 5), rig.ticks.next())
      assert.deepEqual(kept(), [1, undefined])
    })

    it('a reply is seen when it arrives, and read when it began', () => {
      const begunAt = rig.ticks.next()
      rig.ticks.next()
      rig.store.apply(thing('a', 5), begunAt)
      assert.deepEqual(kept(), [3, 1])
    })
  })
})
