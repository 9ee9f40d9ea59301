import assert from 'node:assert/strict'
import { assert as check, boolean, constantFrom, integer, option, property, record, array } from 'fast-check'
import { runs } from '../../sim/runs.ts'
import type { DeathProof } from './death.ts'
import type { FollowedPod } from './follow.ts'
import { at, lease, pod, type LeaseChange } from './follow-fixtures.ts'
import type { HolderWay } from './holder.ts'
import { releaseOf, type Release } from './release.ts'

const proof = (by: DeathProof['by'], seenAt = 30, witnessed = true): DeathProof => ({ by, seenAt, witnessed })
const EARLIER = at('11:59:59.999999')
const DOWN = { node: 'n', seenAt: 30, witnessed: true }
const RELEASE = { name: 'db', uid: 'lease-1', resourceVersion: '200', holderIdentity: 'p' }

/** This version of the Lease came at tick 20. It was acquired at 12:05, and the pod has run since 12:00. */
type Row = readonly [rule: string, proofs: readonly DeathProof[], by: HolderWay, change: LeaseChange, released: boolean]

const ROWS: readonly Row[] = [
  ['a container that ended after the renewal', [proof('restarted')], 'name', {}, true],
  ['… recognised by a prefix', [proof('restarted')], 'prefix', {}, true],
  ['… recognised by its UID', [proof('restarted')], 'uid', {}, true],
  ['… recognised by its IP', [proof('restarted')], 'ip', {}, false],
  ['… before our eyes were open', [proof('restarted', 30, false)], 'name', {}, false],
  ['… before this version came', [proof('restarted', 19)], 'name', {}, false],
  ['… before the metadata were changed', [proof('restarted', 30)], 'name', { seenAt: 31 }, false],
  ['… that an earlier pod of the name acquired', [proof('restarted')], 'name', { acquireTime: EARLIER }, false],
  ['… or one of the prefix', [proof('restarted')], 'prefix', { acquireTime: EARLIER }, false],
  ['a standstill alone', [proof('standstill')], 'name', {}, false],
  ['a standstill beside a full proof', [proof('standstill'), proof('restarted')], 'name', {}, true],
  [
    'a full proof that is too early, beside one that is not',
    [proof('restarted', 19), proof('restarted')],
    'name',
    {},
    true,
  ],
  ['no proof', [], 'name', {}, false],
]

describe('the release of a dead holder’s Lease', () => {
  for (const [rule, proofs, by, change, released] of ROWS) {
    it(`${released ? 'on' : 'not on'} ${rule}`, () =>
      assert.deepEqual(releaseOf(lease('p', change), { pod: pod('p'), by }, proofs), released ? RELEASE : undefined))
  }

  describe('whose node is out of service', () => {
    const released = (change: Partial<FollowedPod>, ...proofs: readonly DeathProof[]): Release | undefined =>
      releaseOf(lease('p'), { pod: pod('p', { outOfService: DOWN, ...change }), by: 'name' }, proofs)

    it('once reads have confirmed it, of this node and this pod', () =>
      assert.deepEqual(released({}, proof('outOfService')), {
        ...RELEASE,
        confirm: { node: 'n', pod: { name: 'p', uid: 'uid-of-p' } },
      }))
    it('not when that was so before this version came', () =>
      assert.equal(released({}, proof('outOfService', 19)), undefined))
    it('not when nothing can confirm it: the pod is gone', () =>
      assert.equal(released({ deleted: true }, proof('outOfService')), undefined))
    it('at once when its container has ended as well', () =>
      assert.deepEqual(released({ deleted: true }, proof('outOfService'), proof('restarted')), RELEASE))
  })

  it('not of one that nobody holds', () => {
    for (const holder of ['', null, undefined]) {
      assert.equal(releaseOf(lease(holder), { pod: pod('p'), by: 'name' }, [proof('restarted')]), undefined)
    }
  })

  it('never without each of its conditions', () => {
    const anyProof = record({
      by: constantFrom<DeathProof['by'][]>('restarted', 'standstill', 'outOfService'),
      seenAt: integer({ min: 0, max: 40 }),
      witnessed: boolean(),
    })
    const ways = constantFrom<HolderWay[]>('name', 'prefix', 'uid', 'ip')
    check(
      property(option(constantFrom('', 'p')), ways, array(anyProof, { maxLength: 3 }), (holder, by, proofs) => {
        const sufficient = proofs.filter((each) => each.by !== 'standstill' && each.witnessed && each.seenAt > 20)
        const expected = holder === 'p' && by !== 'ip' && sufficient.length > 0
        assert.equal(
          releaseOf(lease(holder), { pod: pod('p', { outOfService: DOWN }), by }, proofs) !== undefined,
          expected,
        )
      }),
      runs(1000),
    )
  })
})
