import assert from 'node:assert/strict'
import { likeliest } from './likeliest.ts'

describe('likeliest', () => {
  const rows: readonly [string, readonly string[], readonly string[]][] = [
    ['db', [], []],
    ['databse', ['queue', 'database', 'db'], ['database', 'db', 'queue']],
    ['db', ['bb', 'ab', 'dbs'], ['ab', 'bb', 'dbs']],
    ['a', ['a6', 'a5', 'a4', 'a3', 'a2', 'a1'], ['a1', 'a2', 'a3', 'a4', 'a5']],
  ]
  for (const [meant, names, expected] of rows) {
    it(`${meant} may mean ${expected.join(', ') || 'nothing'}`, () => {
      assert.deepEqual(likeliest(meant, names), expected)
    })
  }
})
