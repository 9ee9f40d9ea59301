import { strict as assert } from 'node:assert'
import { planOf } from '../world/make-plan.ts'
import { run } from '../world/run.ts'

/** A share of what `npm run sim` plays: other seeds than its first, so that the two say more than one. */
const FIRST = 10_001
const TESTS = 8
const SEEDS_EACH = 5

describe('simulated worlds', () => {
  for (let test = 0; test < TESTS; test++) {
    const first = FIRST + test * SEEDS_EACH
    it(`break no rule: seeds ${first} to ${first + SEEDS_EACH - 1}`, async function () {
      this.timeout(600_000)
      let failovers = 0
      for (let seed = first; seed < first + SEEDS_EACH; seed++) {
        const { violations, ...outcome } = await run(planOf(seed))
        assert.deepEqual(violations, [], `npm run sim -- --seed ${seed}`)
        failovers += outcome.failovers
      }
      assert.ok(failovers > SEEDS_EACH, `${failovers} failovers: nothing has happened`)
    })
  }
})
