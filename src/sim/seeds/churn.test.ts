import { strict as assert } from 'node:assert'
import type { Plan, PlannedEvent } from '../world/plan.ts'
import { run } from '../world/run.ts'

/** More than an operator acts for at a time. */
const GROUPS = 80
const CHURN_MILLIS = { from: 5_000, until: 35_000, every: 900 }
const QUIET = 'quiet'
const EXACT = { offsetMillis: 0, rate: 1 }

/**
 * L4: no group starves under the churn of others. In all groups but one somebody labels a second pod again and again, which
 * is urgent each time, over a network that is so slow that there is always more of it than the operator does at a time. The
 * other one loses its leader once. There is no fault, so it has to be well, status included, within the bound, while the
 * others go on.
 */
function churn(): Plan {
  const names = [QUIET, ...Array.from({ length: GROUPS - 1 }, (_, index) => `busy-${index}`)]
  return {
    seed: 1,
    network: { servers: 1, latencyMillis: 400, lagMillis: 5 },
    operators: [{ name: 'operator-a', clock: EXACT }],
    groups: names.map((name) => ({ name, mode: 'Assign', spec: specOf(name) })),
    slots: names.flatMap((group) => [0, 1].map((index) => slotOf(group, index))),
    events: names.flatMap(eventsOf).toSorted((a, b) => a.at - b.at),
    calmAt: CHURN_MILLIS.until + 1_000,
  }
}

function specOf(name: string): object {
  return { mode: 'Assign', selector: { matchLabels: { [`app-${name}`]: 'yes' } } }
}

function slotOf(group: string, index: number): Plan['slots'][number] {
  const times = { startMillis: 10, recreateMillis: 100, stopMillis: 100 }
  return { name: `${group}-${index}`, groups: [group], keepsName: true, clock: EXACT, ...times }
}

function eventsOf(group: string, index: number): readonly PlannedEvent[] {
  const { from, until, every } = CHURN_MILLIS
  // Ready again when all is over: that would be a disturbance of its own.
  if (group === QUIET) return [{ do: 'endPod', group, who: 'leader', how: 'unready', at: 2 * from, millis: until }]
  const times = Array.from(
    { length: Math.floor((until - from) / every) },
    (_, turn) => from + turn * every + index * 10,
  )
  return times.map((at) => ({ do: 'hand', group, what: 'label', at, millis: 0 }))
}

describe('a group among many that somebody disturbs all the time', () => {
  it('is well within the bound', async function () {
    this.timeout(600_000)
    const outcome = await run(churn(), { bounds: { recoveryMillis: 20_000, slowestRate: 1 } })
    assert.deepEqual(outcome.violations, [])
    assert.ok(outcome.writes > GROUPS * 40, `${outcome.writes} writes: the others were not busy`)
  })
})
