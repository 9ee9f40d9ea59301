import assert from 'node:assert/strict'
import { formatSliceName, isLeaderSliceName, parseSliceName, type SliceName } from './slice-name.ts'

const NAMES: readonly (readonly [SliceName, string])[] = [
  [{ role: 'leader', family: 'IPv4' }, 'db-leader-ipv4'],
  [{ role: 'leader', family: 'IPv6' }, 'db-leader-ipv6'],
  [{ role: 'follower', family: 'IPv4', index: 0 }, 'db-follower-ipv4-0'],
  [{ role: 'follower', family: 'IPv6', index: 12 }, 'db-follower-ipv6-12'],
]

const STRANGERS = [
  'db',
  'db-',
  'db-leader',
  'db-x7k2p',
  'db-leader-ipv5',
  'db-follower-ipv4',
  'db-follower-ipv4-01',
].concat(['db-follower-ipv4--1', 'xdb-leader-ipv4', 'db-ro-leader-ipv4', 'db-leader-ipv4-0', 'db-leader-ipv4\n'])

describe('the name of a slice', () => {
  for (const [name, text] of NAMES) {
    it(`${text} is read as it was written`, () => {
      assert.equal(formatSliceName('db', name), text)
      assert.deepEqual(parseSliceName('db', text), name)
      assert.equal(isLeaderSliceName(text), name.role === 'leader')
    })
  }

  for (const text of STRANGERS) {
    it(`${JSON.stringify(text)} is none of db's`, () => assert.equal(parseSliceName('db', text), undefined))
  }

  it('is short enough for the longest name of a Service', () => {
    const name = formatSliceName('a'.repeat(63), { role: 'follower', family: 'IPv6', index: 99_999 })
    assert.ok(name.length <= 253)
  })
})
