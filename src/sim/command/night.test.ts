import { strict as assert } from 'node:assert'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Night } from './night.ts'
import type { Played } from './worker.ts'

const DAY_MILLIS = 86_400_000

function played(seed: number, rule?: string): Played {
  const violations = rule === undefined ? [] : [{ rule, text: 'broken' }]
  return { seed, digest: '', violations, failovers: 10, simulatedMillis: 30 * DAY_MILLIS, writes: 0, reached: [] }
}

describe('a night of simulation', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'night-'))
    file = join(folder, 'of', 'simulation.json')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('begins where it is told when there was none before', () => {
    assert.equal(Night.open(file, 7).nextSeed, 7)
  })

  it('goes on behind the last seed below which none is missing', () => {
    const night = Night.open(file, 1)
    for (const seed of [2, 1, 4]) night.played(played(seed))
    night.save()
    const next = Night.open(file, 1)
    assert.equal(next.nextSeed, 3)
    assert.equal(next.line(), 'all nights: 2 seeds, 20 failovers, 0.164 simulated years; the next begins at seed 3')
  })

  it('counts a seed once that was played when the last night was killed', () => {
    const killed = Night.open(file, 1)
    killed.played(played(1))
    killed.save()
    killed.played(played(2))
    const next = Night.open(file, 1)
    for (const seed of [2, 3]) next.played(played(seed))
    assert.match(next.line(), /^all nights: 3 seeds, 30 failovers/)
  })

  it('remembers seeds that failed', () => {
    const night = Night.open(file, 1)
    for (const [seed, rule] of [[1], [2, 'I3'], [3, 'L1']] as const) night.played(played(seed, rule))
    night.save()
    assert.match(Night.open(file, 1).line(), /; seeds that failed: 2, 3; the next begins at seed 4$/)
  })

  it('does not begin anew over a file that is spoilt', () => {
    writeFileSync(join(folder, 'spoilt'), '{"nextSeed":')
    assert.throws(() => Night.open(join(folder, 'spoilt'), 1), /cannot be read; delete it to begin anew/)
  })
})
