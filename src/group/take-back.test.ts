import assert from 'node:assert/strict'
import { NOW, observation } from './fixtures.ts'
import { takesBackAt } from './take-back.ts'

const { memory } = observation()
const now = NOW.monotonic
/** Milliseconds from now at which the Lease may be put right again; it was so many milliseconds ago. */
const due = (...ago: readonly number[]): number => {
  const takenBackAt = ago.map((millis) => now - millis)
  return takesBackAt(observation({ memory: { ...memory, takenBackAt } }), NOW) - now
}

describe('taking a Lease back', () => {
  for (const [what, ago, expected] of [
    ['waits for nothing the first time', [], -Infinity],
    ['waits a second after the first time', [0], 1000],
    ['counts from the last time', [3000, 400], 1600],
    ['waits twice as long each time', [9000, 8000, 7000, 0], 8000],
    ['waits a minute at most', [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 60_000],
    ['forgets after ten minutes', [600_000], -Infinity],
    ['but not before', [599_999], 1000 - 599_999],
    ['counts only what it has not forgotten', [700_000, 600_000, 100], 900],
  ] as const) {
    it(what, () => assert.equal(due(...ago), expected))
  }
})
