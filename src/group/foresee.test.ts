import assert from 'node:assert/strict'
import {
  CONFIRMED,
  NOW,
  bornLease,
  enrolling,
  group,
  heldLease,
  inWords,
  labelling,
  leading,
  observation,
  pod,
  sealing,
  stamped,
  stripping,
} from './fixtures.ts'
import { foresee, without } from './foresee.ts'
import type { GroupObservation } from './observation.ts'

type Row = readonly [what: string, observation: Partial<GroupObservation>, writes: readonly string[], end: string]

const leader = pod('db-0', leading(4))
const held = heldLease('db-0', 4, CONFIRMED)
const led = observation({ lease: held, pods: [leader, pod('db-1', stamped())] })
const READS = ['readGate', 'readGroup', 'readPod', 'listPods']

function writesOf(o: GroupObservation): readonly string[] {
  const { actions } = foresee(o, NOW)
  return actions.filter(({ kind }) => ![...READS, 'writeStatus'].includes(kind)).map(inWords)
}

describe('foresee', () => {
  const rows: readonly Row[] = [
    ['a group at rest', led, [], 'db-0 leads in term 4'],
    [
      'a group from its birth',
      { group: group({ status: undefined }), pods: [pod('a'), pod('b', { ready: false })] },
      ['createGate', enrolling('a', 'unborn/0'), enrolling('b', 'unborn/0'), 'name a for term 2', labelling('a', 2)],
      'a leads in term 2',
    ],
    [
      'a leader that is not ready',
      { lease: held, pods: [{ ...leader, ready: false }, pod('db-1', stamped())] },
      [sealing('db-0', 'gate-1/4'), 'name db-1 for term 5', labelling('db-1', 5)],
      'db-1 leads in term 5',
    ],
    [
      'a holder that is not among the pods',
      { lease: held, pods: [pod('db-1', stamped())] },
      ['name db-1 for term 5', labelling('db-1', 5)],
      'db-1 leads in term 5',
    ],
    [
      'a successor that is not enrolled',
      { lease: held, pods: [pod('db-1')], gone: new Set(['uid-db-0']) },
      [enrolling('db-1'), 'name db-1 for term 5', labelling('db-1', 5)],
      'db-1 leads in term 5',
    ],
    [
      'a mark that cannot be read',
      { lease: { ...held, mark: 'x' }, pods: [leader] },
      ['deleteGate', 'createGate', enrolling('db-0', 'unborn/0'), 'name db-0 for term 6', labelling('db-0', 6)],
      'db-0 leads in term 6',
    ],
    [
      'an elector that took the Lease',
      { lease: { ...held, holderIdentity: 'java' }, pods: [leader] },
      [sealing('db-0', 'gate-1/4'), 'name db-0 for term 5, taking it back', labelling('db-0', 5)],
      'db-0 leads in term 5',
    ],
    ['a group that is gone', { group: undefined, pods: [leader] }, [stripping('db-0')], 'no such group'],
    ['a Lease of somebody else', { lease: bornLease({ ownerUID: 'x' }), pods: [pod('a')] }, [], 'not this group'],
  ]
  for (const [what, change, writes, end] of rows) {
    it(`plays ${what} to its end`, () => {
      const o = observation(change)
      assert.deepEqual(writesOf(o), writes)
      const foresight = foresee(o, NOW)
      assert.ok(foresight.reason.includes(end), foresight.reason)
      assert.deepEqual(foresee(foresight.end, NOW).actions, [], 'the end is at rest')
    })
  }

  it('says why the first write is made', () => {
    const { begins, reason } = foresee(without(led, leader), NOW)
    assert.deepEqual([begins, reason], ['db-0 is gone: naming db-1 for term 5', 'db-1 leads in term 5'])
  })

  it('tells when the next decision is due by time', () => {
    const waiting = { ...leader, ready: false, notReadySince: NOW.monotonic - 1000 }
    const spec = { failover: { notReadySeconds: 30 } }
    const o = observation({ group: group({ spec }), lease: held, pods: [waiting, pod('db-1', stamped())] })
    assert.equal(foresee(o, NOW).wakeAt, NOW.monotonic + 29_000)
  })

  it('leaves what it plays from as it was', () => {
    const before = structuredClone(led)
    foresee(without(led, leader), NOW)
    assert.deepEqual(led, before)
  })
})
