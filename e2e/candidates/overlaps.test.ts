import assert from 'node:assert/strict'
import { type Believer, type Span, overlaps } from './overlaps.ts'

const span = (fromMillis: number, toMillis: number): Span => ({ fromMillis, toMillis })
const believer = (identity: string, term: Span, ...pauses: readonly Span[]): Believer => ({
  kind: 'leadergroup',
  terms: [{ identity, ...term }],
  pauses,
})

describe('the overlaps of candidates', () => {
  const cases: readonly (readonly [string, readonly Believer[], readonly string[]])[] = [
    ['who follow each other at once have none', [believer('a', span(0, 5)), believer('b', span(5, 9))], []],
    ['are laid on the older term', [believer('b', span(4, 9)), believer('a', span(0, 5))], ['a by b 4-5']],
    ['count for one that leads still', [believer('a', span(0, Infinity)), believer('b', span(5, 9))], ['a by b 5-9']],
    [
      'do not count while a process is stopped',
      [believer('a', span(0, 7), span(2, 6)), believer('b', span(4, 9))],
      ['a by b 6-7 after a pause'],
    ],
    ['end when a process that is stopped dies', [believer('a', span(0, 6), span(2, 6)), believer('b', span(4, 9))], []],
    [
      'of a pause before the term are not after a pause',
      [believer('a', span(5, 8), span(1, 2)), believer('b', span(7, 9))],
      ['a by b 7-8'],
    ],
  ]
  for (const [what, believers, expected] of cases) {
    it(what, () => {
      const found = overlaps(believers).map(({ identity, other, fromMillis, toMillis, wasPaused }) => {
        return `${identity} by ${other} ${fromMillis}-${toMillis}${wasPaused ? ' after a pause' : ''}`
      })
      assert.deepEqual(found, expected)
    })
  }
})
