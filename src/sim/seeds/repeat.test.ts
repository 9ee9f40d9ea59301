import { strict as assert } from 'node:assert'
import { planOf } from '../world/make-plan.ts'
import { run } from '../world/run.ts'

describe('a seed', () => {
  for (const seed of [1, 2, 3]) {
    it(`gives one run, bit for bit: ${seed}`, async function () {
      this.timeout(120_000)
      const [once, again] = [await run(planOf(seed)), await run(planOf(seed), { isTold: true })]
      assert.equal(once.digest, again.digest)
      assert.equal(once.failovers, again.failovers)
    })
  }

  it('is not another', async function () {
    this.timeout(120_000)
    assert.notEqual((await run(planOf(1))).digest, (await run(planOf(2))).digest)
  })
})
