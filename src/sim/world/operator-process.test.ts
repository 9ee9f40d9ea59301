import { strict as assert } from 'node:assert'
import type { Plan, PlannedEvent } from './plan.ts'
import { run } from './run.ts'

const EXACT = { offsetMillis: 0, rate: 1 }

/** One elected operator, and a group that is only there. */
function plan(events: readonly PlannedEvent[], calmAt = 40_000): Plan {
  const election = { leaseDurationSeconds: 15, renewDeadlineSeconds: 10, retryPeriodSeconds: 2 }
  const times = { startMillis: 10, recreateMillis: 100, stopMillis: 100 }
  return {
    seed: 1,
    network: { servers: 1, latencyMillis: 5, lagMillis: 5 },
    operators: [{ name: 'operator-a', clock: EXACT, election }],
    groups: [{ name: 'db', mode: 'Assign', spec: { mode: 'Assign', selector: { matchLabels: { 'app-db': 'yes' } } } }],
    slots: [{ name: 'db-0', groups: ['db'], keepsName: true, clock: EXACT, ...times }],
    events,
    calmAt,
  }
}

function late(at: number, millis: number): PlannedEvent {
  return {
    at,
    do: 'weather',
    which: 'acting',
    traffic: 'leases',
    probability: 1,
    effect: { kind: 'late', millis },
    millis: 3_000,
  }
}

async function told(events: readonly PlannedEvent[]): Promise<readonly string[]> {
  const { violations, lines } = await run(plan(events), { isTold: true })
  assert.deepEqual(violations, [])
  return lines.filter(({ who }) => /^(operator|fate)/.test(who)).map(({ who, what }) => `${who} ${what}`)
}

describe('a replica of the operator', () => {
  it('does not answer for what its earlier life sent, and what arrives late', async () => {
    const lines = await told([
      late(10_000, 4_000),
      { at: 12_500, do: 'operator', which: 'acting', how: 'kill', millis: 500 },
    ])
    const ends = lines.indexOf('operator-a/1 is killed')
    const isLate = (line: string): boolean => /^operator-a\/1 writes Lease .*leadergroup-operator/.test(line)
    assert.ok(lines.slice(ends).some(isLate), lines.join('\n'))
    assert.ok(lines.includes('operator-a/2 starts'))
  })

  it('is started again even if that is asked for while it is still about to stop', async () => {
    const lines = await told([
      late(10_000, 4_000),
      { at: 12_100, do: 'operator', which: 'acting', how: 'stop', millis: 1 },
    ])
    const stopped = lines.indexOf('operator-a/1 has stopped')
    assert.ok(stopped > lines.indexOf('operator-a/1 is asked to stop'))
    assert.equal(lines[stopped + 1], 'operator-a/2 starts')
  })

  it('is not killed after a write any more once faults have ended', async () => {
    const lines = await told([{ at: 39_999, do: 'killAfterWrite', which: 'acting', writes: 3, millis: 1 }])
    assert.ok(!lines.some((line) => line.endsWith('is killed')))
  })
})
