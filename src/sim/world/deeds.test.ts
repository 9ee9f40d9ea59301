import { strict as assert } from 'node:assert'
import type { Plan } from './plan.ts'
import { run } from './run.ts'

describe('what happens in a world', () => {
  it('passes over groups that a plan which was made shorter lacks', async () => {
    const clock = { offsetMillis: 0, rate: 1 }
    const end = { do: 'endPod', group: 'gone', who: 'leader', how: 'delete', millis: 1 } as const
    const plan: Plan = {
      seed: 1,
      network: { servers: 1, latencyMillis: 5, lagMillis: 5 },
      operators: [{ name: 'operator-a', clock }],
      groups: [
        { name: 'db', mode: 'Assign', spec: { mode: 'Assign', selector: { matchLabels: { 'app-db': 'yes' } } } },
      ],
      slots: [
        { name: 'db-0', groups: ['db'], keepsName: true, clock, startMillis: 1, recreateMillis: 1, stopMillis: 1 },
      ],
      events: [
        { at: 1_000, ...end },
        { at: 1_000, ...end, during: { group: 'gone', state: 'leaderless' } },
        { at: 2_000, do: 'hand', group: 'gone', what: 'label', millis: 1 },
      ],
      calmAt: 3_000,
    }
    const { violations, reached } = await run(plan)
    assert.deepEqual(violations, [])
    assert.deepEqual(
      reached.filter((what) => what.startsWith('leader ')),
      [],
    )
  })
})
