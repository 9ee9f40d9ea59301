import assert from 'node:assert/strict'
import type { Lease, LeaseSpec } from '../src/kube/objects.ts'
import { checkLeaseHistory } from './lease-history.ts'

const LABELS = { team: 'storage' }
const TIME = Date.UTC(2026, 0, 1)

const held = (holderIdentity: string, millis: number, leaseTransitions: number): LeaseSpec => ({
  holderIdentity,
  leaseDurationSeconds: 3,
  acquireTime: new Date(TIME).toISOString(),
  renewTime: new Date(TIME + millis).toISOString(),
  leaseTransitions,
})

const lease = (spec: LeaseSpec, labels: Readonly<Record<string, string>> = LABELS): Lease =>
  ({ metadata: { name: 'db', resourceVersion: '7', labels }, spec }) as unknown as Lease

const first = lease(held('kubert-1', 0, 4))

describe('the history of a Lease that electors share', () => {
  const right: readonly (readonly [string, readonly Lease[]])[] = [
    ['a renewal', [first, lease(held('kubert-1', 1000, 4))]],
    ['another holder when the duration is over', [first, lease(held('fabric8-2', 3000, 5))]],
    ['another holder at once after a release', [lease({ leaseTransitions: 4 }), lease(held('fabric8-2', 10, 5))]],
    ['a holder that counts no transitions', [first, lease(held('client-python-2', 3000, 4))]],
    ['a holder that sees whole seconds', [first, lease(held('client-go-2', 2001, 5))]],
  ]
  for (const [what, leases] of right) {
    it(`may have ${what}`, () => assert.deepEqual(checkLeaseHistory(leases, { labels: LABELS }), []))
  }

  it('may have another elector that comes too early, and tells of it', () => {
    const [said] = checkLeaseHistory([first, lease(held('fabric8-2', 2998, 5))], { labels: LABELS })
    assert.match(said!, /taken 2 ms early/)
  })

  const wrong: readonly (readonly [string, readonly Lease[], RegExp])[] = [
    ['our elector too early', [first, lease(held('leadergroup-2', 2998, 5))], /taken 2 ms early/],
    ['a term that is not counted', [first, lease(held('leadergroup-2', 3000, 4))], /version 7/],
    ['a renewal that counts', [first, lease(held('kubert-1', 1000, 5))], /version 7/],
    ['a label that is lost', [first, lease(held('kubert-1', 1000, 4), {})], /version 7/],
  ]
  for (const [what, leases, message] of wrong) {
    it(`may not have ${what}`, () => assert.throws(() => checkLeaseHistory(leases, { labels: LABELS }), message))
  }
})
