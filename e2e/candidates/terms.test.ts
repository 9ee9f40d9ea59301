import assert from 'node:assert/strict'
import { type Term, checkTerms } from './terms.ts'

const term = (identity: string, fromMillis: number, toMillis: number): Term => ({ identity, fromMillis, toMillis })
const candidates = (...terms: readonly Term[]) => terms.map((each) => ({ terms: [each] }))

describe('the terms of candidates', () => {
  it('may follow each other at once', () => {
    const terms = checkTerms(candidates(term('b', 2, Infinity), term('a', 1, 2)))
    assert.deepEqual(
      terms.map(({ identity }) => identity),
      ['a', 'b'],
    )
  })

  const overlaps: readonly (readonly [string, readonly Term[], RegExp])[] = [
    ['two that lead', [term('a', 1, Infinity), term('b', 5, Infinity)], /b began to lead Infinity ms before a/],
    ['one within another', [term('a', 1, 9), term('b', 5, 6)], /b began to lead 4 ms before a had stopped/],
    [
      'the end of one and the beginning of another',
      [term('a', 1, 9), term('c', 8, 10)],
      /c began to lead 1 ms before a/,
    ],
  ]
  for (const [what, terms, message] of overlaps) {
    it(`may not overlap: ${what}`, () => assert.throws(() => checkTerms(candidates(...terms)), message))
  }
})
