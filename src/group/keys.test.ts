import assert from 'node:assert/strict'
import { INELIGIBLE_ANNOTATION, MODE_ANNOTATION, groupKeys, groupOfKey } from './keys.ts'

const ROWS: readonly (readonly [key: string, group: string | undefined])[] = [
  ['db.leadergroup.io/role', 'db'],
  ['db.leadergroup.io/term', 'db'],
  ['db.leadergroup.io/sealed', 'db'],
  ['a.b.leadergroup.io/role', 'a.b'],
  ['leadergroup.io.leadergroup.io/role', 'leadergroup.io'],
  ['__proto__.leadergroup.io/role', '__proto__'],
  ['db.leadergroup.io/rolex', undefined],
  ['db.leadergroup.io/', undefined],
  ['db.leadergroup.io', undefined],
  ['db.leadergroup.io/constructor', undefined],
  ['.leadergroup.io/role', undefined],
  ['leadergroup.io/role', undefined],
  ['dbxleadergroup.io/role', undefined],
  ['db.leadergroup.io.example.com/role', undefined],
  ['app', undefined],
  ['', undefined],
  [INELIGIBLE_ANNOTATION, undefined],
  [MODE_ANNOTATION, undefined],
]

describe('keys', () => {
  for (const [key, group] of ROWS) {
    it(`${key || 'the empty key'} is ${group === undefined ? 'no group’s' : `of ${group}`}`, () =>
      assert.equal(groupOfKey(key), group))
  }

  it('are each of the group that they are made for', () => {
    for (const name of ['db', 'a.b', 'x'.repeat(63), 'leadergroup.io']) {
      for (const key of Object.values(groupKeys(name))) assert.equal(groupOfKey(key), name)
    }
  })
})
