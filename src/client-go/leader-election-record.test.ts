import { strict as assert } from 'node:assert'
import { leaderElectionRecordToLeaseSpec, leaseSpecToLeaderElectionRecord } from './leader-election-record.ts'

const time = '2026-01-01T00:00:00.000000Z'

describe('a record in client-go’s form', () => {
  it('names the transitions otherwise, and has null for times that are not there', () => {
    const released = { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 3 }
    assert.deepEqual(leaseSpecToLeaderElectionRecord(released), {
      holderIdentity: '',
      leaseDurationSeconds: 1,
      leaderTransitions: 3,
      acquireTime: null,
      renewTime: null,
    })
  })

  for (const record of [
    { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 3 },
    { holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0, acquireTime: time, renewTime: time },
    { holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0, strategy: 'x/y', preferredHolder: 'b' },
  ]) {
    it(`loses nothing there and back: ${JSON.stringify(record)}`, () => {
      assert.deepEqual(leaderElectionRecordToLeaseSpec(leaseSpecToLeaderElectionRecord(record)), record)
    })
  }
})
