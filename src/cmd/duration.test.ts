import { strict as assert } from 'node:assert'
import { parseDuration } from './duration.ts'

describe('parseDuration', () => {
  const rows: readonly [string, number | undefined][] = [
    ['5s', 5],
    ['1500ms', 1.5],
    ['1.5s', 1.5],
    ['1m30s', 90],
    ['2h', 7200],
    ['100ms200ms', 0.3],
    ['0s', 0],
    ['5', undefined],
    ['s', undefined],
    ['', undefined],
    ['-5s', undefined],
    ['5 s', undefined],
    ['5d', undefined],
    ['1.s', undefined],
  ]
  for (const [text, seconds] of rows) {
    it(`${JSON.stringify(text)} is ${seconds ?? 'refused'}`, () => assert.equal(parseDuration(text), seconds))
  }
})
