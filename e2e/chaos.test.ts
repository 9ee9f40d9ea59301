/**
 * A short run of `npm run chaos`: the same faults, processes and checks, and programs on client-go left out. `CHAOS_SEED` repeats a
 * plan of faults.
 */
import assert from 'node:assert/strict'
import { planOf } from './chaos/plan.ts'
import { formatReport } from './chaos/report.ts'
import { runChaos } from './chaos/run.ts'

const SEED = Number(process.env['CHAOS_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))
/** In the first one operator acts, in the second both do. */
const STORMS = 2
const STORM_MILLIS = 20_000
/** Nearly all of it is waiting; a machine that is busy has fewer. */
const LEAST_FAILOVERS = 10

describe('chaos', () => {
  it('leaders end all the time while everything fails, and no promise is broken', async function () {
    this.timeout(600_000)
    const plan = planOf({ seed: SEED, storms: STORMS, stormMillis: STORM_MILLIS, groups: 4, clientGo: false })
    const report = await runChaos({ plan, millis: Infinity, signal: new AbortController().signal })
    const text = formatReport(report)
    console.log(`      ${text.split('\n')[0]}`)
    assert.deepEqual(report.violations, [], text)
    assert.ok(report.failovers.total >= LEAST_FAILOVERS, text)
    assert.equal(report.rounds.length, STORMS, text)
  })
})
