import assert from 'node:assert/strict'
import { decide } from './decide.ts'
import { electorsLease, followedObservation, vacantStatus } from './followed-fixtures.ts'
import type { GroupObservation } from './observation.ts'
import {
  CONFIRMED,
  GROUP_UID,
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
  unlabelling,
} from './fixtures.ts'

type Row = readonly [rule: string, observation: Partial<GroupObservation>, actions: readonly string[], wakeAt?: number]

const { memory } = observation()
const now = NOW.monotonic
const going = group({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })
const leader = pod('db-0', leading(4))
const held = heldLease('db-0', 4, CONFIRMED)
const fault = { urgent: true, forbidden: false, message: 'no answer' }

/** A group at rest: the status is what it should be. */
function settled(change: Partial<GroupObservation> = {}): GroupObservation {
  const o = observation({ lease: held, pods: [leader, pod('db-1', stamped())], ...change })
  return written(o)
}

/** After the status that the decision asks for is written. */
function written(o: GroupObservation): GroupObservation {
  const write = decide(o, NOW).actions.find(({ kind }) => kind === 'writeStatus')
  return write?.kind === 'writeStatus' ? { ...o, group: { ...o.group!, status: write.status } } : o
}

/** The Lease was made anew at these times, and is gone again. */
const deleted = (takenBackAt: readonly number[]): Partial<GroupObservation> => ({
  lease: undefined,
  pods: [leader],
  memory: { ...memory, takenBackAt },
})

const GATES: readonly Row[] = [
  ['creates the gate', {}, ['createGate']],
  ['creates none while it cannot even say so', { memory: { ...memory, fault } }, ['createGate', 'writeStatus']],
  ['makes one anew that was deleted', deleted([now - 1000]), ['createGate']],
  ['later each time', deleted([now - 5000, now - 1999]), ['writeStatus'], now + 1],
  [
    'at once while two pods bear the label',
    { ...deleted([now]), pods: [leader, pod('db-1', leading(4))] },
    ['createGate'],
  ],
  ['or a pod that a hand has labelled', { ...deleted([now]), pods: [pod('db-1', { role: 'leader' })] }, ['createGate']],
  ['at once for a new group', { ...deleted([now]), group: group({ status: undefined }) }, ['createGate']],
  ['deletes a gate without a readable mark', { lease: { ...held, mark: 'x' } }, ['deleteGate']],
  ['does nothing to pods meanwhile', { lease: { ...held, mark: 'x' }, pods: [leader, pod('db-1')] }, ['deleteGate']],
  [
    'stamps under a gate that was just born',
    { lease: bornLease(CONFIRMED), podsListedAt: 22, groupReadAt: 22, pods: [pod('a')] },
    [enrolling('a')],
  ],
  [
    'labels under a gate that names a holder',
    { lease: held, pods: [pod('db-0', stamped())], group: group({ status: { term: 3 } }) },
    [labelling('db-0', 4)],
  ],
]

const foreign = { ...held, ownerUID: 'another' }
const REFUSALS: readonly Row[] = [
  ['writes nothing but status', { lease: foreign, pods: [pod('db-0'), pod('db-1', stamped())] }, ['writeStatus']],
  ['takes labels off, and leaves the stamps', { lease: foreign, pods: [leader] }, [unlabelling('db-0')]],
  ['not before the Lease was read after the pod', { lease: { ...foreign, readAt: 10 }, pods: [leader] }, ['readGate']],
  [
    'each as soon as it may',
    { lease: foreign, pods: [leader, pod('db-1', { role: '', seenAt: 30 })] },
    [unlabelling('db-0'), 'readGate'],
  ],
  [
    'refuses groups among the nodes’ Leases',
    { namespace: 'kube-node-lease', lease: held, pods: [pod('db-0')] },
    ['writeStatus'],
  ],
]

const bearers = [leader, pod('db-1', stamped()), pod('db-2', { term: '' }), pod('db-3')]
const strips = ['db-0', 'db-1', 'db-2'].map(stripping)
const CLEANUP: readonly Row[] = [
  ['takes every key off when the group is being deleted', { group: going, lease: held, pods: bearers }, strips],
  ['and rests then', { group: going, lease: held, pods: [pod('db-3')] }, []],
  ['asks whether a group that it does not know is gone', { group: undefined, pods: bearers }, ['readGroup']],
  ['takes the keys off when that is proved', { group: undefined, groupAbsentAt: 11, pods: bearers }, strips],
  ['not off a pod seen since', { group: undefined, groupAbsentAt: 10, pods: bearers }, ['readGroup']],
  [
    'asks again for the one that came later',
    { group: undefined, groupAbsentAt: 11, pods: [leader, pod('db-1', { ...stamped(), seenAt: 12 })] },
    [stripping('db-0'), 'readGroup'],
  ],
  ['asks nothing when no pod bears keys', { group: undefined, pods: [pod('db-0')] }, []],
  [
    'goes by the group’s word, not by its namespace',
    { group: going, namespace: 'kube-node-lease', pods: [leader] },
    [stripping('db-0')],
  ],
]

const unenrolled = settled({ pods: [leader, pod('db-1')] })
const sealedTwice = { pods: [pod('db-0', stamped(4)), pod('db-1', stamped(4))] }
const ORDER: readonly Row[] = [
  ['rests in a quiet world', settled(), []],
  ['enrols beside the status', { lease: held, pods: [leader, pod('db-1')] }, [enrolling('db-1'), 'writeStatus']],
  [
    'lets nothing delay a failover',
    { ...unenrolled, pods: [{ ...leader, ready: false }, pod('db-1', stamped()), pod('db-2')] },
    [sealing('db-0', 'gate-1/4')],
  ],
  [
    'says why when it fails',
    {
      lease: held,
      pods: [pod('db-0', stamped())],
      group: group({ status: { term: 3 } }),
      memory: { ...memory, fault },
    },
    [labelling('db-0', 4), 'writeStatus'],
  ],
  [
    'but lets no failed chore hold a failover up',
    {
      ...unenrolled,
      pods: [{ ...leader, ready: false }, pod('db-1', stamped()), pod('db-2')],
      memory: { ...memory, fault: { ...fault, urgent: false }, putOff: { failures: 3, until: now + 1 } },
    },
    [sealing('db-0', 'gate-1/4')],
  ],
  [
    'puts chores off that have failed',
    { ...unenrolled, memory: { ...memory, putOff: { failures: 3, until: now + 500 } } },
    [],
    now + 500,
  ],
  [
    'and then tries them again',
    { ...unenrolled, memory: { ...memory, putOff: { failures: 3, until: now } } },
    [enrolling('db-1')],
  ],
  [
    'writes status before the next term',
    { lease: held, ...sealedTwice, group: group({ status: { term: 3 } }) },
    ['writeStatus'],
  ],
  [
    'also when chores are put off',
    {
      lease: held,
      pods: [...sealedTwice.pods, pod('db-2')],
      group: group({ status: { term: 3 } }),
      memory: { ...memory, putOff: { failures: 3, until: now + 500 } },
    },
    ['writeStatus'],
    now + 500,
  ],
  [
    'and only once',
    written(observation({ lease: held, ...sealedTwice, group: group({ status: { term: 3 } }) })),
    ['name db-0 for term 5'],
  ],
]

/** Another operator is at term 5 already, and its status came at tick 30. */
const ahead: Partial<GroupObservation> = {
  ...settled(),
  group: group({ status: { term: 5, holder: 'db-1', holderUID: 'uid-db-1' } }),
  groupSeenAt: 30,
}
const OVERTAKEN: readonly Row[] = [
  ['reads the gate before it writes over a later term', ahead, ['readGate']],
  ['also when the gate was read, but before that', { ...ahead, lease: { ...held, readAt: 30 } }, ['readGate']],
  ['and writes what is true when it has', { ...ahead, lease: { ...held, readAt: 31 } }, ['writeStatus']],
]

const justWritten = { ...memory, statusWrittenAt: now - 400 }
/** Status as it was with one pod fewer. */
const oneMore = { ...settled(), pods: [leader, pod('db-1', stamped()), pod('db-2', { ...stamped(), ready: false })] }
const other = group({ metadata: { generation: 2 } })
const RATE: readonly Row[] = [
  ['writes a changed count at once after a pause', oneMore, ['writeStatus']],
  ['at most every second', { ...oneMore, memory: justWritten }, [], now + 600],
  ['and then', { ...oneMore, memory: { ...memory, statusWrittenAt: now - 1000 } }, ['writeStatus']],
  [
    'but a new holder at once',
    { ...settled(), pods: [{ ...leader, term: '3' }], memory: { ...justWritten, fault } },
    [sealing('db-0', 'gate-1/4'), 'writeStatus'],
  ],
  [
    'a lost leader at once',
    { ...settled(), pods: [], gone: new Set(['uid-db-0']), memory: justWritten },
    ['writeStatus'],
  ],
  [
    'a new generation at once',
    { ...settled(), group: { ...other, status: settled().group!.status! }, memory: justWritten },
    ['writeStatus'],
  ],
  [
    'and the term that the next one waits for',
    { lease: held, ...sealedTwice, group: group({ status: { term: 3 } }), memory: justWritten },
    ['writeStatus'],
  ],
  [
    'a condition at most every second: an operator that acts beside it may write another one over it',
    { ...settled(), pods: [{ ...leader, ready: false }], memory: justWritten },
    [],
    now + 600,
  ],
  ['nothing when nothing changed', { ...settled(), memory: justWritten }, []],
]

const unready = { ...leader, ready: false, notReadySince: now - 1000 }
const tenSeconds = group({ spec: { failover: { notReadySeconds: 10 } } })
const WAKES: readonly Row[] = [
  ['at the end of patience', settled({ group: tenSeconds, pods: [unready, pod('db-1', stamped())] }), [], now + 9000],
  [
    'at the earlier of two ends',
    {
      ...settled({ group: tenSeconds, pods: [unready, pod('db-1', stamped())] }),
      pods: [unready],
      memory: justWritten,
    },
    [],
    now + 600,
  ],
]

const TABLES: Readonly<Record<string, readonly Row[]>> = {
  'the gate': GATES,
  'what is not its own': REFUSALS,
  'clean-up': CLEANUP,
  'what goes first': ORDER,
  'what another operator has written': OVERTAKEN,
  'how often status is written': RATE,
  'when it wants to be asked again': WAKES,
}

describe('decide, for a group', () => {
  for (const [table, rows] of Object.entries(TABLES)) {
    describe(table, () => {
      for (const [rule, change, actions, wakeAt] of rows) {
        it(rule, () => {
          const decision = decide(observation(change), NOW)
          assert.deepEqual(decision.actions.map(inWords), actions, decision.reason)
          assert.equal(decision.wakeAt, wakeAt)
          assert.notEqual(decision.reason, '')
        })
      }
    })
  }

  it('counts the record of a term that the next one waits for among the steps, and chores not', () => {
    const waiting = { lease: held, pods: [...sealedTwice.pods, pod('db-2')], group: group({ status: { term: 3 } }) }
    const steps = (change: Partial<GroupObservation>): readonly string[] => {
      const { actions, urgent } = decide(observation(change), NOW)
      return [...actions.slice(0, urgent).map(inWords), '|', ...actions.slice(urgent).map(inWords)]
    }
    assert.deepEqual(steps(waiting), ['writeStatus', '|', enrolling('db-2')])
    assert.deepEqual(steps({ ...waiting, pods: [leader, pod('db-2')] }), ['|', enrolling('db-2'), 'writeStatus'])
  })

  it('binds a status write to the group as read', () => {
    const read = group({ metadata: { uid: 'group-1', resourceVersion: '99' } })
    const [write] = decide(observation({ lease: held, pods: [leader], group: read }), NOW).actions
    assert.ok(write?.kind === 'writeStatus')
    assert.deepEqual([write.uid, write.resourceVersion], ['group-1', '99'])
  })

  it('says in each write of the gate of mode Observe which version of the Lease it follows', () => {
    const lease = electorsLease('db-1', CONFIRMED)
    const pods = [pod('db-0', stamped(4, GROUP_UID)), pod('db-1', stamped(0, GROUP_UID))]
    const status = vacantStatus(4, { leaseVersion: 'lease-1/150' })
    const [write] = decide(followedObservation({ status, lease, pods, ...CONFIRMED }), NOW).actions
    assert.ok(write?.kind === 'writeStatus' && write.gate?.holder?.name === 'db-1')
    assert.equal(write.status.leaseVersion, 'lease-1/200')
  })

  it('takes a status for the same whatever the order of its keys', () => {
    const o = settled()
    const status = Object.fromEntries(Object.entries(o.group!.status!).toReversed())
    assert.deepEqual(decide({ ...o, group: { ...o.group!, status } }, NOW).actions, [])
  })

  it('writes a status again from which somebody took something, or to which somebody added', () => {
    const o = settled()
    for (const status of [{}, { ...o.group!.status, gate: 'x' }, { ...o.group!.status, history: [] }]) {
      const { actions } = decide({ ...o, group: { ...o.group!, status } }, NOW)
      assert.deepEqual(
        actions.map(({ kind }) => kind),
        ['writeStatus'],
      )
    }
  })
})
