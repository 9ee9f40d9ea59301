import { strict as assert } from 'node:assert'
import { assert as check, integer, property } from 'fast-check'
import { isAfter, isWholeSeconds, microTime } from './micro-time.ts'

describe('micro time', () => {
  for (const [wall, text] of [
    [0, '1970-01-01T00:00:00.000000Z'],
    [Date.UTC(2026, 10, 21, 5, 17, 25, 123) + 0.456, '2026-11-21T05:17:25.123456Z'],
    [Date.UTC(2024, 1, 29, 23, 59, 59, 999), '2024-02-29T23:59:59.999000Z'],
    [Date.UTC(2100, 1, 28, 24), '2100-03-01T00:00:00.000000Z'],
    [Date.UTC(2000, 1, 29), '2000-02-29T00:00:00.000000Z'],
    [-1, '1969-12-31T23:59:59.999000Z'],
  ] as const) {
    it(text, () => assert.equal(microTime(wall), text))
  }

  it('agrees with Date on every millisecond of four centuries', () => {
    check(
      property(integer({ min: Date.UTC(1900, 0), max: Date.UTC(2300, 0) }), (wall) => {
        assert.equal(microTime(wall), new Date(wall).toISOString().replace('Z', '000Z'))
      }),
    )
  })

  it('knows a plain Time, which hides what is below a second', () => {
    assert.deepEqual(
      ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00+02:00', '2026-01-01T00:00:00.000000Z'].map(isWholeSeconds),
      [true, true, false],
    )
  })

  it('orders in time', () => {
    assert.equal(isAfter(microTime(1.5), microTime(1)), true)
    assert.equal(isAfter(microTime(1), microTime(1)), false)
    assert.equal(isAfter(microTime(999), microTime(1_000)), false)
  })
})
