import { strict as assert } from 'node:assert'
import { acquired, isReleased, isSameTerm, isSameWrite, released, renewed, type LeaseRecord } from './record.ts'

const WALL = Date.UTC(2026, 10, 21, 5, 17, 25, 123) + 0.456
const NOW = '2026-11-21T05:17:25.123456Z'

describe('lease record', () => {
  for (const [what, previous, number] of [
    ['the very first', undefined, 0],
    ['after a first term', 0, 1],
    ['after many', 41, 42],
    ['at the most that the field takes', 2 ** 31 - 1, 2 ** 31 - 1],
  ] as const) {
    it(`of a new term, ${what}: ${number} transitions`, () => {
      assert.deepEqual(acquired('a', 15, previous, WALL), {
        holderIdentity: 'a',
        leaseDurationSeconds: 15,
        acquireTime: NOW,
        renewTime: NOW,
        leaseTransitions: number,
      })
    })
  }

  it('of a renewal moves nothing but renewTime', () => {
    const first = acquired('a', 15, 3, WALL - 2_000)
    const term = { ...first, acquireTime: first.acquireTime ?? '' }
    assert.deepEqual(renewed(term, 15, WALL), { ...first, renewTime: NOW })
  })

  it('of a release keeps the transitions, and both times for the sake of validation', () => {
    const record = released(7, WALL)
    assert.deepEqual(record, {
      holderIdentity: '',
      leaseDurationSeconds: 1,
      acquireTime: NOW,
      renewTime: NOW,
      leaseTransitions: 7,
    })
    assert.deepEqual([isReleased(record), isReleased(acquired('a', 15, 7, WALL))], [true, false])
  })

  const base = acquired('a', 15, 3, WALL)
  for (const [what, change, sameTerm, sameWrite] of [
    ['nothing', {}, true, true],
    ['the microsecond of renewTime', { renewTime: '2026-11-21T05:17:25.123457Z' }, true, false],
    ['the duration', { leaseDurationSeconds: 16 }, true, false],
    ['acquireTime', { acquireTime: '2026-11-21T05:17:25.123457Z' }, false, false],
    ['transitions', { leaseTransitions: 5 }, false, false],
    ['the holder', { holderIdentity: 'a2' }, false, false],
  ] as readonly (readonly [string, Partial<LeaseRecord>, boolean, boolean])[]) {
    it(`with ${what} changed is ${sameWrite ? '' : 'not '}the same write and ${sameTerm ? '' : 'not '}the same term`, () => {
      const other = { ...base, ...change }
      assert.deepEqual([isSameTerm(base, other), isSameWrite(base, other)], [sameTerm, sameWrite])
    })
  }
})
