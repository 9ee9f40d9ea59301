import assert from 'node:assert/strict'
import { decideOpen } from './open.ts'
import type { GroupObservation, ObservedLease, ObservedPod } from './observation.ts'
import {
  NOW,
  bornLease,
  enrolling,
  group,
  heldLease,
  inWords,
  leading,
  observation,
  pod,
  sealing,
  stamped,
  view,
  type GroupChange,
} from './fixtures.ts'

interface Extra {
  readonly group?: GroupChange
  readonly takenBackAt?: readonly number[]
  /** Unless told otherwise the group was read after the gate. */
  readonly groupReadAt?: number | undefined
  readonly wakeAt?: number
}

type Row = readonly [
  rule: string,
  pods: readonly ObservedPod[],
  gate: ObservedLease,
  listedAt: number | undefined,
  urgent: readonly string[],
  extra?: Extra,
]

/** The gate was seen at tick 20. */
const LISTED = 21
const [unread, confirmed] = [{}, { readAt: 21 }]
const born = bornLease(unread)
/** The mark says that we named db-0 for term 4; the Lease says something else. */
const taken = (change: Partial<ObservedLease> = {}): ObservedLease =>
  heldLease('db-0', 4, { holderIdentity: 'stranger', ...change })
const firstOf = (term: number): GroupChange => ({ status: { term } })
const enrolled = stamped(0)
const sealed = stamped(4)
const now = NOW.monotonic

const BIRTH: readonly Row[] = [
  ['lists all pods and stamps each that it knows', [pod('db-0')], born, undefined, ['listPods', enrolling('db-0')]],
  [
    'names a holder though an earlier Lease was taken back just now',
    [pod('db-0', enrolled)],
    bornLease(confirmed),
    LISTED,
    ['name db-0 for term 6'],
    { takenBackAt: [now] },
  ],
  [
    'names the first holder of a group without a status',
    [pod('db-0', enrolled)],
    bornLease(confirmed),
    LISTED,
    ['name db-0 for term 2'],
    { group: { status: undefined } },
  ],
  ['does not go by a list begun before the gate was seen', [pod('db-0', enrolled)], born, 20, ['listPods']],
  ['stamps pods that the list brought', [pod('db-0', enrolled), pod('db-1')], born, LISTED, [enrolling('db-1')]],
  [
    'takes labels off with the stamp',
    [pod('db-0', { role: 'leader', term: '4', ...enrolled })],
    born,
    LISTED,
    [enrolling('db-0', 'gate-1/4')],
  ],
  [
    'stamps also pods that are not selected but bear keys',
    [pod('db-0', { selected: false, term: '1' })],
    born,
    LISTED,
    [enrolling('db-0', 'gate-1/1')],
  ],
  [
    'and pods that go or have ended',
    [pod('db-0', { terminating: true, phase: 'Failed' })],
    born,
    LISTED,
    [enrolling('db-0')],
  ],
  [
    'replaces stamps of another gate only on a gate read after them',
    [pod('db-0', leading(4)), pod('db-1', stamped(3, 'gate-0'))],
    born,
    LISTED,
    [enrolling('db-0', 'gate-1/4'), 'readGate'],
  ],
  [
    'and then does, and keeps their terms',
    [pod('db-1', stamped(3, 'gate-0'))],
    bornLease(confirmed),
    LISTED,
    [enrolling('db-1', 'gate-1/3')],
  ],
  [
    'keeps the term of a label of another gate: where status was wiped as well nothing else tells it',
    [pod('db-0', { ...leading(4), ...stamped(0, 'gate-0') })],
    bornLease(confirmed),
    LISTED,
    [enrolling('db-0', 'gate-1/4')],
    { group: { status: undefined } },
  ],
  [
    'and goes on above it',
    [pod('db-0', stamped(4)), pod('db-1', enrolled)],
    born,
    LISTED,
    ['name db-0 for term 6'],
    { group: { status: undefined } },
  ],
  ['names the best pod two terms above status', [pod('db-1', enrolled)], born, LISTED, ['name db-1 for term 6']],
  ['names nobody without a list', [], born, undefined, ['listPods']],
  [
    'reads the group: an old status would let a term come again',
    [pod('db-0', enrolled)],
    born,
    LISTED,
    ['readGroup'],
    { groupReadAt: undefined },
  ],
  ['and not before the gate was seen', [pod('db-0', enrolled)], born, LISTED, ['readGroup'], { groupReadAt: 20 }],
  [
    'asks for all that it needs at once',
    [pod('db-0')],
    born,
    undefined,
    ['listPods', 'readGroup', enrolling('db-0')],
    { groupReadAt: undefined },
  ],
  ['rests when no pod can lead', [pod('db-0', { ...enrolled, ready: false })], born, LISTED, []],
  [
    'gives the term to the pod that led',
    [pod('db-1', enrolled), pod('db-0', enrolled)],
    born,
    LISTED,
    ['name db-0 for term 6'],
  ],
  [
    'unless it cannot lead',
    [pod('db-1', enrolled), pod('db-0', { ...enrolled, ready: false })],
    born,
    LISTED,
    ['name db-1 for term 6'],
  ],
  [
    'unless it is another of its name',
    [pod('db-1', enrolled), pod('db-0', { ...enrolled, uid: 'new', readyTime: '9' })],
    born,
    LISTED,
    ['name db-1 for term 6'],
  ],
  [
    'names the pod that led also while paused',
    [pod('db-0', enrolled), pod('db-1', enrolled)],
    born,
    LISTED,
    ['name db-0 for term 6'],
    { group: { spec: { paused: true } } },
  ],
  ['but no other', [pod('db-1', enrolled)], born, LISTED, [], { group: { spec: { paused: true } } }],
]

const TAKEN: readonly Row[] = [
  [
    'seals every pod below the mark’s term',
    [pod('db-0', leading(4)), pod('db-1', enrolled)],
    taken(),
    LISTED,
    [sealing('db-0', 'gate-1/4'), sealing('db-1', 'gate-1/4')],
  ],
  ['lists before it names anybody', [pod('db-0', sealed)], taken(), undefined, ['listPods']],
  [
    'takes it back without a look at the group: the mark tells the term',
    [pod('db-0', sealed)],
    taken(),
    LISTED,
    ['name db-0 for term 5, taking it back'],
    { groupReadAt: undefined },
  ],
  ['takes the Lease back', [pod('db-0', sealed)], taken(), LISTED, ['name db-0 for term 5, taking it back']],
  [
    'also one that was emptied',
    [pod('db-0', sealed)],
    taken({ holderIdentity: '' }),
    LISTED,
    ['name db-0 for term 5, taking it back'],
  ],
  [
    'also one that names a pod of ours under our mark of another',
    [pod('db-1', sealed)],
    taken({ holderIdentity: 'db-1_uid-db-1' }),
    LISTED,
    ['name db-1 for term 5, taking it back'],
  ],
  [
    'lets status show the term before the next one',
    [pod('db-0', sealed)],
    taken(),
    LISTED,
    [],
    {
      group: firstOf(3),
    },
  ],
  [
    'waits a second before it is taken back again',
    [pod('db-0', sealed)],
    taken(),
    LISTED,
    [],
    {
      takenBackAt: [now - 400],
      wakeAt: now + 600,
    },
  ],
  [
    'and no longer',
    [pod('db-0', sealed)],
    taken(),
    LISTED,
    ['name db-0 for term 5, taking it back'],
    {
      takenBackAt: [now - 1000],
    },
  ],
  [
    'then two',
    [pod('db-0', sealed)],
    taken(),
    LISTED,
    [],
    { takenBackAt: [now - 9000, now - 400], wakeAt: now + 1600 },
  ],
  [
    'then four',
    [pod('db-0', sealed)],
    taken(),
    LISTED,
    [],
    {
      takenBackAt: [now - 9000, now - 5000, now - 400],
      wakeAt: now + 3600,
    },
  ],
  [
    'at most a minute',
    [pod('db-0', sealed)],
    taken(),
    LISTED,
    [],
    {
      takenBackAt: Array.from({ length: 10 }, () => now),
      wakeAt: now + 60_000,
    },
  ],
  [
    'forgets after ten minutes',
    [pod('db-0', sealed)],
    taken(),
    LISTED,
    ['name db-0 for term 5, taking it back'],
    {
      takenBackAt: [now - 600_001, now - 600_000],
    },
  ],
  [
    'does not list while it waits, however often the Lease is renewed meanwhile',
    [pod('db-0', sealed)],
    taken(),
    undefined,
    [],
    { takenBackAt: [now - 400], wakeAt: now + 600 },
  ],
  [
    'lists when the wait is over',
    [pod('db-0', sealed)],
    taken(),
    undefined,
    ['listPods'],
    { takenBackAt: [now - 1000] },
  ],
  [
    'seals at once, however often it was taken',
    [pod('db-0', leading(4))],
    taken(),
    LISTED,
    [sealing('db-0', 'gate-1/4')],
    {
      takenBackAt: [now],
    },
  ],
]

const TABLES: Readonly<Record<string, readonly Row[]>> = { 'just born': BIRTH, 'written by somebody else': TAKEN }

describe('a gate that names nobody of ours', () => {
  for (const [table, rows] of Object.entries(TABLES)) {
    describe(table, () => {
      for (const [rule, pods, lease, podsListedAt, urgent, extra = {}] of rows) {
        it(rule, () => {
          const { memory } = observation()
          const o: GroupObservation = observation({
            pods,
            lease,
            podsListedAt,
            groupReadAt: 'groupReadAt' in extra ? extra.groupReadAt : LISTED,
            group: group(extra.group),
            memory: { ...memory, takenBackAt: extra.takenBackAt ?? [] },
          })
          const election = decideOpen(view('open', o))
          assert.deepEqual(election.urgent.map(inWords), urgent, election.reason)
          assert.deepEqual(election.chores, [])
          assert.equal(election.wakeAt, extra.wakeAt)
        })
      }
    })
  }

  const REASONS: readonly (readonly [ObservedLease, RegExp])[] = [
    [born, /^the Lease is new: naming/],
    [taken(), /^stranger took the Lease: naming/],
    [taken({ holderIdentity: undefined }), /^the Lease was emptied by somebody else: naming/],
  ]
  for (const [lease, expected] of REASONS) {
    it(`says why: ${expected.source}`, () => {
      const o = observation({ pods: [pod('db-0', sealed)], lease, podsListedAt: LISTED, groupReadAt: LISTED })
      assert.match(decideOpen(view('open', o)).reason, expected)
    })
  }
})
