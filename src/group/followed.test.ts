import assert from 'node:assert/strict'
import { GROUP_UID, NOW, bornLease, group, inWords, observation, pod, stamped } from './fixtures.ts'
import { decideFollowed } from './followed.ts'
import type { ObservedLease } from './observation.ts'
import { statusGate } from './status-gate.ts'

/** db-0 holds the Lease, and its record changed under our eyes; status names db-0 for term 4, following version 40. */
function urgent(lease: Partial<ObservedLease>, sealed: number): readonly string[] {
  const followed = group({
    spec: { mode: 'Observe' },
    status: {
      gate: `db-0_uid-db-0/${GROUP_UID}/4`,
      term: 4,
      holder: 'db-0',
      holderUID: 'uid-db-0',
      leaseVersion: 'lease-1/40',
    },
  })
  const o = observation({
    group: followed,
    groupSeenAt: 5,
    groupReadAt: 30,
    pods: [pod('db-0', stamped(sealed, GROUP_UID))],
    lease: {
      ...bornLease({ ownerUID: undefined, ownerName: undefined, mode: undefined, mark: undefined, uid: 'lease-1' }),
      holderIdentity: 'db-0',
      sight: { seenAt: 20, sinceMillis: NOW.monotonic, changed: true },
      ...lease,
    },
  })
  const gate = statusGate(o, followed)
  assert.equal(gate.kind, 'held')
  return decideFollowed({ o, group: followed, gate, now: NOW }).urgent.map(inWords)
}

describe('the holder of the Lease is the one that status names', () => {
  it('labels it in its term on what the watch shows', () => {
    assert.deepEqual(urgent({ resourceVersion: '40' }, 3), ['label db-0: role=leader term=4'])
  })

  it('names it anew, once it was sealed, only after a read of the Lease that began after that was seen', () => {
    assert.deepEqual(urgent({ resourceVersion: '40' }, 4), ['readLease'])
    assert.deepEqual(urgent({ resourceVersion: '40', readAt: 9 }, 4), ['readLease'])
    assert.deepEqual(urgent({ resourceVersion: '40', readAt: 11 }, 4), ['name db-0 for term 5'])
  })
})
