import { strict as assert } from 'node:assert'
import { decideAbsence, exclusiveMillis, provenMillis, type AbsenceObservation } from './decide-absence.ts'

const at = (monotonic: number, wall = monotonic) => ({ monotonic, wall })

const observed = (change: Partial<AbsenceObservation> = {}): AbsenceObservation => ({
  ttlMillis: 30_000,
  clockDrift: 0.2,
  absentAt: undefined,
  exists: false,
  readAt: 7_500,
  watch: 'open',
  watchAt: -Infinity,
  ...change,
})

describe('the absence of a lock', () => {
  for (const [what, o, now, proven, exclusive] of [
    ['is not proven before a read', observed(), at(0), 0, 0],
    ['is proven for half a ttl from the start of a read', observed({ absentAt: at(1_000) }), at(1_000), 15_000, 25_000],
    ['is used up with time', observed({ absentAt: at(1_000) }), at(15_999), 1, 10_001],
    ['is over after it', observed({ absentAt: at(1_000) }), at(16_000), 0, 10_000],
    [
      'is not proven while there is one, though nobody works yet',
      observed({ absentAt: at(0), exists: true }),
      at(5_000),
      0,
      20_000,
    ],
    ['counts time that only the wall clock has seen', observed({ absentAt: at(0) }), at(1_000, 9_000), 6_000, 16_000],
    ['does not count a wall clock that was set back', observed({ absentAt: at(0) }), at(1_000, -9_000), 14_000, 24_000],
  ] as const) {
    it(what, () => assert.deepEqual([provenMillis(o, now), exclusiveMillis(o, now)], [proven, exclusive]))
  }

  for (const [what, o, now, actions, wakeAt] of [
    ['waits for its next read', observed(), 7_499, [], 7_500],
    ['reads when that is due', observed(), 7_500, ['read'], 7_500],
    ['opens its watch first', observed({ watch: 'closed' }), 7_500, ['watch', 'read'], -Infinity],
    ['waits before it opens a watch that broke off', observed({ watch: 'closed', watchAt: 1_000 }), 0, [], 1_000],
    ['does without a watch', observed({ watch: 'none' }), 0, [], 7_500],
  ] as const) {
    it(what, () => {
      const decision = decideAbsence(o, now)
      assert.deepEqual([decision.actions, decision.wakeAt], [actions, wakeAt])
    })
  }
})
