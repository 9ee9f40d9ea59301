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
} from '../fixtures.ts'
import {
  electorsLease,
  followedObservation,
  heldStatus,
  leadingBy,
  readyIs,
  sealedAt,
  vacantStatus,
} from '../followed-fixtures.ts'
import { foresee, without } from './foresee.ts'
import type { GroupObservation } from '../observation.ts'

type Row = readonly [what: string, observation: Partial<GroupObservation>, writes: readonly string[], end: string]

const leader = pod('db-0', leading(4))
const held = heldLease('db-0', 4, CONFIRMED)
const led = observation({ lease: held, pods: [leader, pod('db-1', stamped())] })
const READS = ['readGate', 'readLease', 'readGroup', 'readPod', 'listPods']

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
      ['deleteGate', 'createGate', enrolling('db-0', 'unborn/4'), 'name db-0 for term 6', labelling('db-0', 6)],
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

describe('foresee, in mode Observe', () => {
  /** All writes but those of status that leave the gate as it is. */
  function steps(o: GroupObservation): readonly string[] {
    return foresee(o, NOW).actions.flatMap((action) => {
      if (READS.includes(action.kind)) return []
      if (action.kind !== 'writeStatus') return [inWords(action)]
      return action.gate ? [inWords({ kind: 'writeGate', write: action.gate })] : []
    })
  }

  const SEAL_DB0 = sealing('db-0', 'group-1/4')
  const end = { finishedAt: 1_767_225_665, seenAt: 30, witnessed: true }
  const dead = pod('db-0', { ...leadingBy(4), electing: [{ name: 'app', state: 'running', end }] })
  const stopped = pod('db-0', { ...leadingBy(4), electing: [{ name: 'app', state: 'ended', end }] })
  const db1 = pod('db-1', sealedAt(0))
  const releases = { failover: { releaseDeadHolder: true } }
  const led = followedObservation()

  const rows: readonly (readonly [what: string, o: GroupObservation, writes: readonly string[], end: RegExp])[] = [
    ['a group at rest', led, [], /^db-0 holds Lease db as "db-0"$/],
    [
      'a group from its birth',
      followedObservation({ status: {}, pods: [pod('db-0'), pod('db-1')] }),
      [
        'bear the gate at term 1',
        sealing('db-0', 'group-1/1'),
        sealing('db-1', 'group-1/1'),
        'name db-0 for term 2',
        labelling('db-0', 2),
      ],
      /^db-0 holds Lease db/,
    ],
    [
      'a group from its birth, before its Lease',
      followedObservation({ status: {}, pods: [pod('db-0')], lease: undefined }),
      ['bear the gate at term 1', sealing('db-0', 'group-1/1'), 'name nobody after term 1'],
      /^there is no Lease db/,
    ],
    [
      'a Lease that changes hands',
      followedObservation({ lease: electorsLease('db-1', { resourceVersion: '300' }) }),
      [SEAL_DB0, 'name db-1 for term 5', labelling('db-1', 5)],
      /^db-1 holds Lease db as "db-1"$/,
    ],
    [
      'a Lease that goes to a pod that came just now',
      followedObservation({
        lease: electorsLease('db-2', { resourceVersion: '300' }),
        pods: [...led.pods, pod('db-2')],
      }),
      [SEAL_DB0, enrolling('db-2', 'group-1/0'), 'name db-2 for term 5', labelling('db-2', 5)],
      /^db-2 holds Lease db as "db-2"$/,
    ],
    [
      'a Lease that is released',
      followedObservation({ lease: electorsLease('', { resourceVersion: '300' }) }),
      [SEAL_DB0, 'name nobody after term 4'],
      /^Lease db names no holder: the next one to acquire it leads$/,
    ],
    [
      'a Lease that is acquired',
      followedObservation({ status: vacantStatus(4), pods: [pod('db-0', sealedAt(4)), db1] }),
      ['name db-0 for term 5', labelling('db-0', 5)],
      /^db-0 holds Lease db/,
    ],
    [
      'a dead holder',
      followedObservation({ pods: [dead, db1] }),
      [SEAL_DB0, 'name nobody after term 4'],
      /^pod db-0 led and is dead.*: waiting until the Lease expires or is acquired$/,
    ],
    [
      'a dead holder whose Lease is to be emptied',
      followedObservation({ spec: releases, pods: [dead, db1] }),
      ['release Lease db 200 of db-0', SEAL_DB0, 'name nobody after term 4'],
      /^Lease db names no holder/,
    ],
    [
      'a deleted holder: it may live on',
      without(led, led.pods[0]!),
      ['name nobody after term 4'],
      /^pod db-0, which holds the Lease, was deleted: waiting until the Lease expires$/,
    ],
    [
      'a deleted holder that was shown dead',
      without(followedObservation({ spec: releases, pods: [stopped, db1] }), stopped),
      ['release Lease db 200 of db-0', 'name nobody after term 4'],
      /^Lease db names no holder/,
    ],
    [
      'a label that was taken off',
      followedObservation({ pods: [pod('db-0', sealedAt(3)), db1] }),
      [SEAL_DB0, 'name db-0 for term 5', labelling('db-0', 5)],
      /^db-0 holds Lease db/,
    ],
    [
      'a label that somebody put on another pod, once the gate is read',
      followedObservation({ pods: [...led.pods, pod('db-2', leadingBy(3))] }),
      [sealing('db-2', 'group-1/4')],
      /^db-0 holds Lease db/,
    ],
    [
      'a status that somebody else wrote',
      followedObservation({ status: heldStatus('db-0', 4, { ...readyIs('True', 'LeaderElected'), holder: 'db-1' }) }),
      [SEAL_DB0, sealing('db-1', 'group-1/4'), 'name db-0 for term 5', labelling('db-0', 5)],
      /^db-0 holds Lease db/,
    ],
  ]
  for (const [what, o, writes, reason] of rows) {
    it(`plays ${what} to its end`, () => {
      assert.deepEqual(steps(o), writes)
      const foresight = foresee(o, NOW)
      assert.match(foresight.reason, reason)
      assert.deepEqual(foresee(foresight.end, NOW).actions, [], 'the end is at rest')
    })
  }

  it('takes the Lease for expired when its time is over', () => {
    const { end: rest, wakeAt } = foresee(led, NOW)
    assert.equal(wakeAt, NOW.monotonic + 11_000)
    const { reason } = foresee(rest, { ...NOW, monotonic: wakeAt })
    assert.match(reason, /^"db-0" has not renewed Lease db for 15 s/)
  })

  it('knows no fault any more once something has succeeded', () => {
    const fault = { urgent: true, forbidden: true, message: 'leases is forbidden' }
    const { end: rest } = foresee({ ...led, memory: { ...led.memory, fault } }, NOW)
    assert.equal(rest.memory.fault, undefined)
  })
})
