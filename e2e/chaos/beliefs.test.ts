import assert from 'node:assert/strict'
import { Beliefs, type Witnessed } from './beliefs.ts'
import type { Kind } from './group-plan.ts'

const process = (identity: string, kind: Kind = 'library'): Witnessed => ({
  group: 'db',
  kind,
  identity,
  holder: identity,
  startedMillis: 0,
})

/** Each says at these times that it acts, in one term. */
function acted(...all: readonly (readonly [Witnessed, readonly number[]])[]): Beliefs {
  const beliefs = new Beliefs()
  for (const [witnessed, times] of all) {
    beliefs.started(witnessed)
    for (const at of times) beliefs.hear(witnessed, { event: 'acts', leader: '7', monotonicMillis: at })
  }
  return beliefs
}

const found = (beliefs: Beliefs): readonly string[] =>
  beliefs.findings().map(({ fromMillis, toMillis, excuse }) => `${fromMillis}-${toMillis} ${excuse ?? 'broken'}`)

describe('what processes believed', () => {
  it('is in order if one begins to act after the last act of the other', () => {
    assert.deepEqual(found(acted([process('a'), [10, 50]], [process('b'), [51, 90]])), [])
  })

  it('is broken if two acted at one time, be it two processes of one pod', () => {
    assert.deepEqual(found(acted([process('a#1'), [10, 50]], [process('a#2'), [40, 90]])), ['40-50 broken'])
  })

  it('is not broken between two groups', () => {
    const other = { ...process('b'), group: 'queue' }
    assert.deepEqual(found(acted([process('a'), [10, 50]], [other, [40, 90]])), [])
  })

  it('is excused for a while after a stranger wrote to the Lease', () => {
    for (const [atMillis, says] of [
      [9_000, 'a stranger wrote to the Lease'],
      [1_000, 'broken'],
      [20_000, 'broken'],
    ] as const) {
      const beliefs = acted([process('a'), [0, 10_500]], [process('b'), [10_000, 12_000]])
      beliefs.excuse({ group: 'db', atMillis })
      assert.deepEqual(found(beliefs), [`10000-10500 ${says}`])
    }
  })

  it('counts client-go apart, whose pauses are no acts', () => {
    const [a, b] = [process('a', 'client-go'), process('b')]
    const beliefs = acted([b, [40, 90]])
    beliefs.started(a)
    beliefs.hear(a, { event: 'leading', monotonicMillis: 10 })
    beliefs.paused(a, 20)
    beliefs.resumed(a, 60)
    beliefs.hear(a, { event: 'stopped', monotonicMillis: 70 })
    assert.deepEqual(found(beliefs), ['60-70 an elector of another project'])
  })
})
