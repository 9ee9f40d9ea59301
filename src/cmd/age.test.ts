import assert from 'node:assert/strict'
import { age } from './age.ts'

const NOW = Date.UTC(2026, 0, 3, 2, 5, 9)

describe('age', () => {
  const rows: readonly [string, string][] = [
    ['2026-01-03T02:05:09Z', 'just now'],
    ['2026-01-03T02:05:08.500000Z', 'just now'],
    ['2026-01-03T02:05:08.000000Z', '1s ago'],
    ['2026-01-03T02:04:09Z', '1m ago'],
    ['2026-01-03T02:04:08Z', '1m1s ago'],
    ['2026-01-03T00:05:09Z', '2h ago'],
    ['2026-01-02T23:00:00Z', '3h5m ago'],
    ['2026-01-01T00:00:00Z', '2d2h ago'],
    // Another machine's clock may be ahead of this one's.
    ['2026-01-03T02:06:00Z', 'just now'],
  ]
  for (const [stamp, expected] of rows) it(`${stamp} is ${expected}`, () => assert.equal(age(stamp, NOW), expected))
})
