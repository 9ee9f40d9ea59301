import { strict as assert } from 'node:assert'
import type { Plan, PlannedEvent } from './plan.ts'
import { run } from './run.ts'
import type { Line } from './trace.ts'

const EXACT = { offsetMillis: 0, rate: 1 }
const TIMES = { startMillis: 10, recreateMillis: 100, stopMillis: 100 }
const TIMING = { leaseDurationSeconds: 5, renewDeadlineSeconds: 3, retryPeriodSeconds: 1 }
const CANDIDATE = { kind: 'library', lease: 'db', timing: TIMING, releases: true, identity: 'name_uid' } as const

/** A group whose one pod elects. */
function plan(events: readonly PlannedEvent[], spare: { spareClock?: typeof EXACT } = {}): Plan {
  const selector = { matchLabels: { 'app-db': 'yes' } }
  return {
    seed: 1,
    network: { servers: 1, latencyMillis: 5, lagMillis: 5 },
    operators: [{ name: 'operator-a', clock: EXACT }],
    groups: [
      { name: 'db', mode: 'Observe', spec: { mode: 'Observe', selector, failover: { releaseDeadHolder: true } } },
    ],
    slots: [{ name: 'db-0', groups: ['db'], keepsName: true, clock: EXACT, candidate: CANDIDATE, ...TIMES, ...spare }],
    events,
    calmAt: 30_000,
  }
}

async function told(...of: Parameters<typeof plan>): Promise<readonly Line[]> {
  const { violations, lines } = await run(plan(...of), { isTold: true })
  assert.deepEqual(violations, [])
  return lines
}

describe('the machine of a pod', () => {
  const off = { at: 5_000, do: 'endPod', group: 'db', who: 'leader', how: 'node', millis: 4_000 } as const

  it('runs nothing while it is off', async () => {
    const lines = await told([off])
    const starts = lines.filter(({ what }) => what.startsWith('starts to elect'))
    const recreated = lines.filter(({ what }) => what.startsWith('creates Pod'))
    assert.ok(recreated[1]!.at < 10_000, `recreated at ${recreated[1]?.at}`)
    assert.deepEqual(
      starts.map(({ at }) => at >= 13_000),
      [false, true],
    )
  })

  it('is on again when the last of several outages has ended', async () => {
    const lines = await told([off, { ...off, at: 12_500, who: 'all' }])
    const starts = lines.filter(({ what }) => what.startsWith('starts to elect'))
    assert.deepEqual(
      starts.map(({ at }) => at >= 20_500),
      [false, true],
    )
  })

  it('is left for another one while it is off', async () => {
    const lines = await told([off], { spareClock: { offsetMillis: -3_600_000, rate: 1 } })
    const starts = lines.filter(({ what }) => what.startsWith('starts to elect'))
    assert.deepEqual(
      starts.map(({ at }) => at >= 13_000),
      [false, false],
    )
    assert.ok(lines.some(({ who }) => who === 'system:node:node-db-0-spare'))
  })
})
