import assert from 'node:assert/strict'
import { decideHeld } from './held.ts'
import type { ObservedLease, ObservedPod } from './observation.ts'
import {
  CONFIRMED,
  NOW,
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
  view,
  type GroupChange,
} from './fixtures.ts'

interface Extra {
  readonly gone?: readonly string[]
  readonly group?: GroupChange
  readonly wakeAt?: number
  readonly chores?: readonly string[]
}

/** The gate names db-0 for term 4. */
type Row = readonly [
  rule: string,
  pods: readonly ObservedPod[],
  gate: Partial<ObservedLease>,
  urgent: readonly string[],
  extra?: Extra,
]

const UNREAD = {}
/** Read before the pod was seen, or at the same tick: it says nothing of what happened since. */
const READ_BEFORE = { readAt: 9 }
const READ_AT_ONCE = { readAt: 10 }

const enrolled = stamped(0)
const unready = { ready: false }
const db1 = pod('db-1', enrolled)
const leader = pod('db-0', leading(4))
const paused: GroupChange = { spec: { paused: true } }
const NAME_DB1 = ['name db-1 for term 5']
const SEAL_DB0 = [sealing('db-0', 'gate-1/4')]

/** Status does not show the gate's term yet: its holder has not borne the label. */
const NOT_YET = { group: { status: { term: 3 } } } as const

const LABEL: readonly Row[] = [
  ['rests while the holder bears the label of its term', [leader, db1], UNREAD, []],
  [
    'labels the holder on a gate read after the pod',
    [pod('db-0', enrolled)],
    CONFIRMED,
    [labelling('db-0', 4)],
    NOT_YET,
  ],
  ['reads the gate before it labels', [pod('db-0', enrolled)], UNREAD, ['readGate'], NOT_YET],
  ['does not label on a gate read before the pod', [pod('db-0', enrolled)], READ_BEFORE, ['readGate'], NOT_YET],
  [
    'does not label on a gate read that began as the pod came',
    [pod('db-0', enrolled)],
    READ_AT_ONCE,
    ['readGate'],
    NOT_YET,
  ],
  [
    'does not put back a label that somebody took off, in a term that it has led',
    [pod('db-0', { ...leading(4), role: undefined })],
    CONFIRMED,
    [sealing('db-0', 'gate-1/4')],
  ],
  [
    'labels a holder when status shows its term, but of another pod',
    [pod('db-0', enrolled)],
    CONFIRMED,
    [labelling('db-0', 4)],
    { group: { status: { term: 4, holderUID: 'uid-of-another' } } },
  ],
  [
    'labels a holder that status shows in an earlier term',
    [pod('db-0', enrolled)],
    CONFIRMED,
    [labelling('db-0', 4)],
    { group: { status: { term: 3, holderUID: 'uid-db-0' } } },
  ],
  ['nor one that somebody changed', [pod('db-0', { ...leading(4), role: 'follower' })], UNREAD, SEAL_DB0],
  ['nor a term that somebody lowered', [pod('db-0', { ...leading(4), term: '3' })], UNREAD, SEAL_DB0],
  [
    'and goes above one that somebody raised: the pod may have used it',
    [pod('db-0', { ...leading(4), term: '9' })],
    UNREAD,
    [sealing('db-0', 'gate-1/9')],
  ],
  [
    'nor one of which only the annotation is left, whatever status says',
    [pod('db-0', { ...leading(4), role: undefined })],
    CONFIRMED,
    SEAL_DB0,
    NOT_YET,
  ],
  ['corrects a label', [pod('db-0', { ...enrolled, role: 'follower' })], CONFIRMED, [labelling('db-0', 4)], NOT_YET],
  [
    'corrects a term',
    [pod('db-0', { ...enrolled, role: 'leader', term: '3' })],
    CONFIRMED,
    [labelling('db-0', 4)],
    NOT_YET,
  ],
  ['names a sealed holder anew: a term is never resumed', [pod('db-0', stamped(4))], UNREAD, ['name db-0 for term 5']],
  ['names it above its own stamp', [pod('db-0', stamped(7))], UNREAD, ['name db-0 for term 8']],
  ['seals a holder without a stamp: it was never enrolled', [pod('db-0')], UNREAD, SEAL_DB0],
  ['also one that has not led', [pod('db-0')], CONFIRMED, SEAL_DB0, NOT_YET],
  [
    'seals a labelled holder whose stamp bars it from its term',
    [pod('db-0', { ...leading(4), ...stamped(4) })],
    UNREAD,
    SEAL_DB0,
  ],
  ['does not replace the stamp of another gate unread', [pod('db-0', stamped(9, 'gate-0'))], UNREAD, ['readGate']],
  ['nor on a read before the pod', [pod('db-0', stamped(9, 'gate-0'))], READ_BEFORE, ['readGate']],
  ['replaces the stamp of another gate once read', [pod('db-0', stamped(9, 'gate-0'))], CONFIRMED, SEAL_DB0],
  ['takes a malformed stamp for one of another gate', [pod('db-0', { sealed: 'gate-1/4x' })], UNREAD, ['readGate']],
  ['takes a stamp beyond the last term for malformed', [pod('db-0', stamped(2 ** 53 - 1))], CONFIRMED, SEAL_DB0],
]

const STRAYS: readonly Row[] = [
  ['does not touch a stray on a gate that may be stale', [leader, pod('db-1', leading(3))], UNREAD, ['readGate']],
  ['nor on one read before it', [leader, pod('db-1', leading(3))], READ_BEFORE, ['readGate']],
  ['seals a stray', [leader, pod('db-1', leading(3))], CONFIRMED, [sealing('db-1', 'gate-1/4')]],
  ['whatever the label says', [leader, pod('db-1', { role: 'x' })], CONFIRMED, [sealing('db-1', 'gate-1/4')]],
  ['also one that bears but a term', [leader, pod('db-1', { term: '3' })], CONFIRMED, [sealing('db-1', 'gate-1/4')]],
  ['also of no value', [leader, pod('db-1', { role: '' })], CONFIRMED, [sealing('db-1', 'gate-1/4')]],
  [
    'also one that is not selected, and does not strip it in the same breath',
    [leader, pod('db-1', { ...leading(3), selected: false })],
    CONFIRMED,
    [sealing('db-1', 'gate-1/4')],
  ],
  ['never lowers a stamp', [leader, pod('db-1', { ...leading(10) })], CONFIRMED, [sealing('db-1', 'gate-1/10')]],
  [
    'seals those that it may, and reads for the others',
    [leader, pod('db-1', leading(3)), pod('db-2', { ...leading(3), seenAt: 22 })],
    CONFIRMED,
    [sealing('db-1', 'gate-1/4'), 'readGate'],
  ],
  [
    'seals strays before the gate advances',
    [pod('db-0', { ...unready, ...stamped(4) }), db1, pod('db-2', { role: 'leader' })],
    CONFIRMED,
    [sealing('db-2', 'gate-1/4')],
  ],
  [
    'seals strays before it labels',
    [pod('db-0', enrolled), pod('db-2', { role: 'leader' })],
    CONFIRMED,
    [sealing('db-2', 'gate-1/4')],
  ],
  [
    'seals a pod that was recreated under the holder’s name and is born with the label',
    [pod('db-0', { uid: 'uid-new', role: 'leader' })],
    CONFIRMED,
    [sealing('db-0', 'gate-1/4')],
  ],
]

const FAILOVER: readonly Row[] = [
  ['seals an unready holder before another is named', [{ ...leader, ...unready }, db1], UNREAD, SEAL_DB0],
  ['a terminating one', [{ ...leader, terminating: true }, db1], UNREAD, SEAL_DB0],
  ['one whose containers ended', [{ ...leader, phase: 'Succeeded' }, db1], UNREAD, SEAL_DB0],
  ['one that was excluded', [{ ...leader, excluded: true }, db1], UNREAD, SEAL_DB0],
  ['one that is no longer selected', [{ ...leader, selected: false }, db1], UNREAD, SEAL_DB0],
  ['one that was not labelled yet', [pod('db-0', { ...enrolled, ...unready }), db1], UNREAD, SEAL_DB0],
  [
    'does not take a sealed pod with a label for sealed',
    [pod('db-0', { ...unready, role: 'leader', ...stamped(4) }), db1],
    UNREAD,
    SEAL_DB0,
  ],
  [
    'does not take a stamp of the term before for a seal',
    [pod('db-0', { ...unready, ...stamped(3) }), db1],
    UNREAD,
    SEAL_DB0,
  ],
  [
    'does not take a stamp of another gate for a seal',
    [pod('db-0', { ...unready, ...stamped(4, 'gate-0') }), db1],
    CONFIRMED,
    SEAL_DB0,
  ],
  ['names another once the holder is sealed', [pod('db-0', { ...unready, ...stamped(4) }), db1], UNREAD, NAME_DB1],
  [
    'names no pod that was not enrolled, and enrols it',
    [pod('db-0', { ...unready, ...stamped(4) }), pod('db-1')],
    UNREAD,
    [],
    { chores: [enrolling('db-1')] },
  ],
  [
    'prefers an enrolled pod to a better one that is not',
    [pod('db-0', { ...unready, ...stamped(4) }), pod('db-1'), pod('db-2', enrolled)],
    UNREAD,
    ['name db-2 for term 5'],
    { chores: [enrolling('db-1')] },
  ],
  ['keeps the label on a holder that nobody can follow', [{ ...leader, ...unready }], UNREAD, []],
  ['keeps the label on one that terminates', [{ ...leader, terminating: true }], UNREAD, []],
  ['gives none to a holder that cannot lead', [pod('db-0', { ...enrolled, ...unready })], CONFIRMED, [], NOT_YET],
  [
    'bars it from a term in which somebody took its label off: status will not tell any more',
    [pod('db-0', { ...enrolled, ...unready })],
    UNREAD,
    SEAL_DB0,
  ],
  [
    'takes a wrong label off a holder that cannot lead',
    [pod('db-0', { ...leading(4), term: '3', ...unready })],
    UNREAD,
    SEAL_DB0,
  ],
  [
    'takes the label off a deselected holder also without a successor',
    [{ ...leader, selected: false }],
    UNREAD,
    SEAL_DB0,
  ],
  ['rests once that is sealed', [pod('db-0', { ...stamped(4), selected: false })], UNREAD, []],
  [
    'never goes back by itself: a better pod moves nobody',
    [
      { ...leader, revision: 'old' },
      pod('db-1', { ...enrolled, revision: 'new', creationTime: '2026-02-01T00:00:00Z' }),
    ],
    UNREAD,
    [],
  ],
  [
    'lets status show the term before the next one',
    [pod('db-0', { ...unready, ...stamped(4) }), db1],
    UNREAD,
    [],
    { group: { status: { term: 3 } } },
  ],
]

const GONE: readonly Row[] = [
  ['asks whether a holder that it does not see is gone', [db1], UNREAD, ['read pod db-0 uid-db-0']],
  ['names another when that is proved', [db1], UNREAD, NAME_DB1, { gone: ['uid-db-0'] }],
  ['does not take the death of another for a proof', [db1], UNREAD, ['read pod db-0 uid-db-0'], { gone: ['uid-db-1'] }],
  [
    'does not take a pod of the same name for the holder',
    [pod('db-0', { ...enrolled, uid: 'uid-new' })],
    UNREAD,
    ['read pod db-0 uid-db-0'],
  ],
  [
    'names a pod that was recreated under the holder’s name as any other',
    [pod('db-0', { ...enrolled, uid: 'uid-new' })],
    UNREAD,
    ['name db-0 for term 5'],
    { gone: ['uid-db-0'] },
  ],
  [
    'rests when the holder is gone and nobody can follow',
    [pod('db-1', { ...enrolled, ...unready })],
    UNREAD,
    [],
    {
      gone: ['uid-db-0'],
    },
  ],
]

const PAUSED: readonly Row[] = [
  ['keeps an unready holder', [{ ...leader, ...unready }, db1], UNREAD, [], { group: paused }],
  ['names nobody when the holder is gone', [db1], UNREAD, [], { group: paused, gone: ['uid-db-0'] }],
  ['still asks whether it is gone', [db1], UNREAD, ['read pod db-0 uid-db-0'], { group: paused }],
  [
    'still takes the label off a deselected holder',
    [{ ...leader, selected: false }, db1],
    UNREAD,
    SEAL_DB0,
    {
      group: paused,
    },
  ],
  [
    'still labels the holder',
    [pod('db-0', enrolled)],
    CONFIRMED,
    [labelling('db-0', 4)],
    { group: { ...paused, status: { term: 3 } } },
  ],
  ['still names a sealed holder anew', [pod('db-0', stamped(4))], UNREAD, ['name db-0 for term 5'], { group: paused }],
  [
    'still seals strays',
    [leader, pod('db-1', leading(3))],
    CONFIRMED,
    [sealing('db-1', 'gate-1/4')],
    {
      group: paused,
    },
  ],
  ['still enrols', [leader, pod('db-1')], UNREAD, [], { group: paused, chores: [enrolling('db-1')] }],
]

const tenSeconds: GroupChange = { spec: { failover: { notReadySeconds: 10 } } }
const unreadySince = (notReadySince: number): ObservedPod => ({ ...leader, ...unready, notReadySince })
const now = NOW.monotonic

const PATIENCE: readonly Row[] = [
  ['waits', [unreadySince(now - 4000), db1], UNREAD, [], { group: tenSeconds, wakeAt: now + 6000 }],
  ['waits to the last', [unreadySince(now - 9999), db1], UNREAD, [], { group: tenSeconds, wakeAt: now + 1 }],
  ['ends in time', [unreadySince(now - 10_000), db1], UNREAD, SEAL_DB0, { group: tenSeconds }],
  ['does not wait unless told to', [unreadySince(now), db1], UNREAD, SEAL_DB0],
  [
    'does not wait for one that goes',
    [{ ...unreadySince(now), terminating: true }, db1],
    UNREAD,
    SEAL_DB0,
    { group: tenSeconds },
  ],
  [
    'labels meanwhile',
    [pod('db-0', { ...enrolled, ...unready, notReadySince: now })],
    CONFIRMED,
    [labelling('db-0', 4)],
    { group: { ...tenSeconds, status: { term: 3 } }, wakeAt: now + 10_000 },
  ],
  [
    'waits also while paused',
    [unreadySince(now), db1],
    UNREAD,
    [],
    {
      group: { spec: { ...tenSeconds.spec, paused: true } },
      wakeAt: now + 10_000,
    },
  ],
]

const CHORES: readonly Row[] = [
  ['enrols each new pod, ready or not', [leader, pod('db-1', unready)], UNREAD, [], { chores: [enrolling('db-1')] }],
  ['does not enrol pods that go', [leader, pod('db-1', { terminating: true })], UNREAD, []],
  [
    'nor pods that have ended',
    [leader, pod('db-1', { phase: 'Failed' }), pod('db-2', { phase: 'Succeeded' })],
    UNREAD,
    [],
  ],
  ['nor pods that are not selected', [leader, pod('db-1', { selected: false })], UNREAD, []],
  ['nor the holder', [{ ...leader, sealed: undefined }], UNREAD, []],
  [
    'enrols a pod of another gate only on a gate read after it',
    [leader, pod('db-1', stamped(3, 'gate-0')), pod('db-2')],
    UNREAD,
    [],
    { chores: [enrolling('db-2'), 'readGate'] },
  ],
  ['and then does', [leader, pod('db-1', stamped(3, 'gate-0'))], CONFIRMED, [], { chores: [enrolling('db-1')] }],
  [
    'takes all keys off pods that are no longer selected',
    [leader, pod('db-1', { ...enrolled, selected: false })],
    UNREAD,
    [],
    { chores: [stripping('db-1')] },
  ],
  ['but not off the holder', [pod('db-0', { ...stamped(4), selected: false })], UNREAD, []],
]

const TABLES: Readonly<Record<string, readonly Row[]>> = {
  'label and keep': LABEL,
  strays: STRAYS,
  'seal, then advance': FAILOVER,
  'a holder that is not there': GONE,
  paused: PAUSED,
  notReadySeconds: PATIENCE,
  chores: CHORES,
}

describe('a gate that names a holder', () => {
  for (const [table, rows] of Object.entries(TABLES)) {
    describe(table, () => {
      for (const [rule, pods, gate, urgent, extra = {}] of rows) {
        it(rule, () => {
          const o = observation({
            pods,
            group: group(extra.group),
            lease: heldLease('db-0', 4, gate),
            gone: new Set(extra.gone),
          })
          const election = decideHeld(view('held', o))
          assert.deepEqual(election.urgent.map(inWords), urgent, election.reason)
          assert.deepEqual(election.chores.map(inWords), extra.chores ?? [])
          assert.equal(election.wakeAt, extra.wakeAt)
          assert.notEqual(election.reason, '')
        })
      }
    })
  }

  it('binds each write to what it was decided on', () => {
    const lease = heldLease('db-0', 4, { ...CONFIRMED, resourceVersion: '777' })
    const seen = { resourceVersion: '66', uid: 'uid-1' }
    const sealed = pod('db-0', { ...unready, ...stamped(4) })
    const [advance] = decideHeld(view('held', observation({ pods: [sealed, db1], lease }))).urgent
    assert.ok(advance?.kind === 'advanceGate')
    assert.deepEqual([advance.uid, advance.resourceVersion], ['gate-1', '777'])
    assert.deepEqual(advance.holder, { name: 'db-1', uid: 'uid-db-1' })
    assert.equal(advance.acquireTime, NOW.wall)
    const [seal] = decideHeld(
      view('held', observation({ pods: [leader, pod('db-1', { ...seen, role: '' })], lease })),
    ).urgent
    assert.ok(seal?.kind === 'patchPod')
    assert.deepEqual(seal.pod, { name: 'db-1', ...seen })
  })
})
