import assert from 'node:assert/strict'
import { electorsLease } from '../followed-fixtures.ts'
import { isFresh, leaseVersionOf } from './lease-version.ts'
import type { ObservedLease } from '../observation.ts'

const GROUP_SEEN = 20
const LISTED = { seenAt: 20, sinceMillis: 0, changed: false }

interface View {
  readonly lease?: ObservedLease
  readonly leaseAbsentAt?: number
  readonly gone?: readonly string[]
}

const lease = (change: Partial<ObservedLease> = {}): View => ({ lease: electorsLease('db-0', change) })
/** As this process found it, and never changed since. */
const listed = (change: Partial<ObservedLease> = {}): View => lease({ sight: LISTED, ...change })

/** The last gate write, seen at tick 20, followed version 200 of lease-1, unless the row says otherwise. */
const ROWS: readonly (readonly [string, View, expected: boolean, leaseVersion?: string | undefined])[] = [
  ['the version that the gate follows', lease(), true],
  ['a newer one', lease({ resourceVersion: '1000' }), true],
  ['an older one', lease({ resourceVersion: '199' }), false],
  ['an older one of fewer digits', lease({ resourceVersion: '99' }), false],
  ['an older one that was read before the gate was seen', lease({ resourceVersion: '199', readAt: 19 }), false],
  ['an older one that was read as the gate came', lease({ resourceVersion: '199', readAt: 20 }), false],
  ['an older one that was read since: the Lease was put back', lease({ resourceVersion: '199', readAt: 21 }), true],
  ['the version that the gate follows, only listed', listed(), false],
  ['a newer one, only listed', listed({ resourceVersion: '201' }), false],
  ['a newer one, only listed, but read at some time', listed({ resourceVersion: '201', readAt: 2 }), true],
  ['the same, listed and read since', listed({ readAt: 21 }), true],
  ['another Lease', lease({ uid: 'lease-2', resourceVersion: '900' }), false],
  ['another Lease, read before the gate was seen', lease({ uid: 'lease-2', readAt: 20 }), false],
  ['another Lease, read since', lease({ uid: 'lease-2', resourceVersion: '9', readAt: 21 }), true],
  ['any Lease where the gate has followed none', lease(), false, '-'],
  ['any Lease at the first decision', lease(), false, undefined],
  ['any Lease at the first decision, read since', lease({ readAt: 21 }), true, undefined],
  ['any Lease where it cannot be read what the gate follows', lease(), false, 'lease-1/x'],
  ['a Lease where more is written than what the gate follows', lease(), false, 'lease-1/200/'],
  ['a Lease where more is written before what the gate follows', lease(), false, '/lease-1/200'],
  ['no Lease', {}, false],
  ['no Lease, where the one that the gate follows is proved gone', { gone: ['lease-1'] }, true],
  ['no Lease, where another is gone', { gone: ['lease-2'] }, false],
  ['no Lease, which was read before the gate was seen', { leaseAbsentAt: 19 }, false],
  ['no Lease, which was read as the gate came', { leaseAbsentAt: 20 }, false],
  ['no Lease, which was read since', { leaseAbsentAt: 21 }, true],
  ['no Lease, as the gate follows', {}, false, '-'],
  ['no Lease, as the gate follows and was read since', { leaseAbsentAt: 21 }, true, '-'],
  ['a Lease that came since a read found none', { ...lease({ uid: 'lease-2' }), leaseAbsentAt: 21 }, false],
]

describe('the Lease that a gate write follows', () => {
  for (const [what, { lease: seen, leaseAbsentAt, gone }, expected, ...version] of ROWS) {
    it(`${what} is ${expected ? 'fresh' : 'to be read'}`, () => {
      const o = { lease: seen, leaseAbsentAt, groupSeenAt: GROUP_SEEN, gone: new Set(gone) }
      const [leaseVersion] = version.length > 0 ? version : ['lease-1/200']
      assert.equal(isFresh(o, leaseVersion === undefined ? undefined : { leaseVersion }), expected)
    })
  }

  it('is written as UID and version, or as none', () => {
    assert.equal(leaseVersionOf({ lease: electorsLease('x') }), 'lease-1/200')
    assert.equal(leaseVersionOf({ lease: undefined }), '-')
  })
})
