import assert from 'node:assert/strict'
import { assert as check, constant, double, integer, oneof, option, property, string } from 'fast-check'
import { lease, type LeaseChange } from './follow-fixtures.ts'
import { silenceOf, sightOf, type LeaseRecord, type Silence } from './silence.ts'

const live = (seconds: number): Silence => ({ state: 'live', wakeAt: 100_000 + seconds * 1000 })
const unproven = (seconds: number): Silence => ({ state: 'unproven', wakeAt: 100_000 + seconds * 1000 })
const FIRST_SIGHT = { sight: { changed: false } }

/** The record came at 100 s. */
type Row = readonly [rule: string, holder: string | null | undefined, change: LeaseChange, now: number, is: Silence]

const ROWS: readonly Row[] = [
  ['a holder is live when its record has just changed', 'a', {}, 100_000, live(15)],
  ['… and until the last moment', 'a', {}, 114_999.9, live(15)],
  ['at the end of its time it is overdue', 'a', {}, 115_000, { state: 'overdue' }],
  ['a read that began before does not prove it', 'a', { readMillis: 114_999.9 }, 120_000, { state: 'overdue' }],
  ['a read that began then proves it', 'a', { readMillis: 115_000 }, 115_001, { state: 'expired' }],
  ['a record from before our time is unproven', 'a', FIRST_SIGHT, 100_000, unproven(15)],
  ['… and becomes overdue as well', 'a', FIRST_SIGHT, 115_000, { state: 'overdue' }],
  ['… and expires', 'a', { ...FIRST_SIGHT, readMillis: 115_000 }, 115_000, { state: 'expired' }],
  ['renewTime says nothing, however old', 'a', { renewTime: '1970-01-01T00:00:00.000000Z' }, 100_000, live(15)],
  ['the duration is the record’s own: 1 s', 'a', { leaseDurationSeconds: 1 }, 100_000, live(1)],
  ['no duration counts as 15 s', 'a', { leaseDurationSeconds: null }, 100_000, live(15)],
  ['0 counts as 15 s', 'a', { leaseDurationSeconds: 0 }, 100_000, live(15)],
  ['less than 0 counts as 15 s', 'a', { leaseDurationSeconds: -1 }, 100_000, live(15)],
  ['the longest duration is 68 years', 'a', { leaseDurationSeconds: 2 ** 31 - 1 }, 9e9, live(2 ** 31 - 1)],
  ['what is longer still is cut', 'a', { leaseDurationSeconds: Infinity }, 9e9, live(2 ** 31 - 1)],
  ['an empty holder has released', '', {}, 100_000, { state: 'released' }],
  ['a null one has, too', null, {}, 100_000, { state: 'released' }],
  ['an absent one has, too', undefined, {}, 100_000, { state: 'released' }],
  ['released is released at first sight', '', FIRST_SIGHT, 900_000, { state: 'released' }],
  ['a blank is a holder', ' ', {}, 100_000, live(15)],
]

describe('silence', () => {
  for (const [rule, holder, change, now, is] of ROWS) {
    it(rule, () => assert.deepEqual(silenceOf(lease(holder, change), now), is))
  }

  it('is told of any record, with a finite time to wake at', () => {
    const duration = option(oneof(integer(), double(), constant(Infinity)))
    check(
      property(option(string()), duration, double({ noNaN: true }), (holder, leaseDurationSeconds, now) => {
        const silence = silenceOf(lease(holder, { leaseDurationSeconds }), now)
        assert.equal(silence.state === 'released', !holder)
        if ('wakeAt' in silence) assert.ok(Number.isFinite(silence.wakeAt) && silence.wakeAt > now)
      }),
    )
  })

  it('of one record only ever grows', () => {
    const order = ['live', 'overdue', 'expired']
    const millis = integer({ min: 100_000, max: 200_000 })
    const readings = property(millis, millis, option(millis), (a, b, readMillis) => {
      const [earlier, later] = [Math.min(a, b), Math.max(a, b)].map((now) =>
        order.indexOf(silenceOf(lease('a', { readMillis: readMillis ?? undefined }), now).state),
      )
      assert.ok(earlier! <= later!)
    })
    check(readings)
  })
})

const record: LeaseRecord & { uid: string } = {
  uid: 'lease-1',
  holderIdentity: 'a',
  leaseDurationSeconds: 15,
  acquireTime: '2026-01-01T12:00:00.000000Z',
  renewTime: '2026-01-01T12:00:02.000000Z',
  leaseTransitions: 1,
}
const before = { ...record, sight: { seenAt: 5, sinceMillis: 500, changed: false } }
const NOW = { tick: 9, millis: 900 }
const CHANGED = { seenAt: 9, sinceMillis: 900, changed: true }

describe('sight of a record', () => {
  it('at the start is no change', () =>
    assert.deepEqual(sightOf(undefined, record, NOW), { seenAt: 9, sinceMillis: 900, changed: false }))
  it('that appears where there was none is one', () => assert.deepEqual(sightOf('absent', record, NOW), CHANGED))
  it('stays while only the metadata change', () => assert.deepEqual(sightOf(before, record, NOW), before.sight))
  it('stays while the server only writes preferredHolder', () =>
    assert.deepEqual(sightOf(before, { ...record, preferredHolder: 'b' } as typeof record, NOW), before.sight))
  it('does not tell a null holder from an empty one', () => {
    const empty = { ...before, holderIdentity: '' }
    assert.deepEqual(sightOf(empty, { ...record, holderIdentity: null }, NOW), before.sight)
  })
  for (const [what, change] of [
    ['a renewal, to the microsecond', { renewTime: '2026-01-01T12:00:02.000001Z' }],
    ['another holder', { holderIdentity: 'b' }],
    ['another term', { acquireTime: '2026-01-01T12:00:01.000000Z' }],
    ['another count', { leaseTransitions: 2 }],
    ['another duration', { leaseDurationSeconds: 16 }],
    ['a Lease that was made anew', { uid: 'lease-2' }],
  ] as const) {
    it(`changes with ${what}`, () => assert.deepEqual(sightOf(before, { ...record, ...change }, NOW), CHANGED))
  }
})
