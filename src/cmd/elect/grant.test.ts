import { strict as assert } from 'node:assert'
import type { EndReason } from '../../election/observation.ts'
import { DEFAULT_TIMING, inMillis } from '../../election/timing.ts'
import { due, grantOf, lastGrant, lookAt, type Grant } from './grant.ts'

const WALL = Date.UTC(2026, 0, 1)
/** `monotonic`, and how far the wall clock has jumped. */
const at = (monotonic: number, jump = 0) => ({ monotonic, wall: WALL + monotonic + jump })
const GRANT: Grant = { tellAt: 10_000, killAt: 12_500, offset: WALL, mostJump: 2_500 }

describe('grant of a command', () => {
  it('lasts until no other clock can have counted a lease duration', () => {
    assert.deepEqual(grantOf(10_000, at(0), inMillis(DEFAULT_TIMING)), GRANT)
    assert.equal(grantOf(3_000, at(7_000), inMillis(DEFAULT_TIMING)).killAt, 12_500)
  })

  it('leaves no time after the deadline when the durations leave none', () => {
    const timing = inMillis({ ...DEFAULT_TIMING, leaseDurationSeconds: 12 })
    const { tellAt, killAt } = grantOf(10_000, at(0), timing)
    assert.deepEqual([tellAt, killAt], [10_000, 10_000])
  })

  const last: readonly [EndReason, number, number][] = [
    ['deadline', 10_000, 12_500],
    ['limit', 4_000, 12_500],
    ['stepDown', 4_000, 12_500],
    ['aborted', 4_000, 12_500],
    ['done', 4_000, 12_500],
    ['taken', 4_000, 5_000],
    ['changed', 4_000, 5_000],
    // Never later than it was.
    ['taken', 12_000, 12_500],
    ['suspended', 4_000, 4_000],
  ]
  for (const [reason, now, killAt] of last) {
    it(`${reason} at ${now}: killed at ${killAt}`, () => {
      assert.deepEqual(lastGrant(GRANT, reason, at(now)), { ...GRANT, tellAt: now, killAt })
    })
  }

  const dues: readonly [number, number, boolean, ReturnType<typeof due>][] = [
    [0, 0, false, 'nothing'],
    [9_999, 0, false, 'nothing'],
    [10_000, 0, false, 'tell'],
    [10_000, 0, true, 'nothing'],
    [12_499, 0, true, 'nothing'],
    [12_500, 0, true, 'kill'],
    // Whoever was stopped may have told nobody.
    [12_500, 0, false, 'kill'],
    [1_000, 2_500, false, 'nothing'],
    [1_000, 2_501, false, 'kill'],
    [1_000, -2_501, false, 'kill'],
    [11_000, 3_600_000, true, 'kill'],
  ]
  for (const [now, jump, isTold, expected] of dues) {
    it(`at ${now}, wall clock off by ${jump}, ${isTold ? 'told' : 'not told'}: ${expected}`, () => {
      assert.equal(due(GRANT, isTold, at(now, jump)), expected)
    })
  }

  const looks: readonly [number, boolean, number][] = [
    [0, false, 500],
    [9_800, false, 10_000],
    [10_000, true, 10_500],
    [12_300, true, 12_500],
  ]
  for (const [now, isTold, expected] of looks) {
    it(`is looked at again at ${expected}, from ${now}`, () => assert.equal(lookAt(GRANT, isTold, at(now)), expected))
  }

  it('is killed in time when it may be killed before it is told', () => {
    assert.equal(lookAt({ ...GRANT, killAt: 9_900 }, false, at(9_800)), 9_900)
  })
})
