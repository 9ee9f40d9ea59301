import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { isNewer } from './version.ts'

describe('versions', () => {
  it('compare as the integers that they are', () => {
    const big = fc.bigInt({ min: 0n, max: 2n ** 70n })
    fc.assert(fc.property(big, big, (a, b) => assert.equal(isNewer(String(a), String(b)), a > b)))
  })

  it('of the same number are not newer', () => assert.equal(isNewer('10', '10'), false))
  it('with more digits are newer', () => assert.equal(isNewer('10', '9'), true))
  it('of any number are newer than none', () => assert.equal(isNewer('1', ''), true))
})
