import assert from 'node:assert/strict'
import { decideFollowed } from './followed.ts'
import {
  LEASE_VERSION,
  bornStatus,
  electorsLease,
  followedObservation,
  heldStatus,
  leadingBy,
  readyIs,
  sealedAt,
  vacantStatus,
} from './followed-fixtures.ts'
import { GROUP_UID, NOW, enrolling, inWords, labelling, pod, sealing, stamped, stripping } from './fixtures.ts'
import { gateOf } from './gate/gate-of.ts'
import type { Election } from './election.ts'
import type { LeaderGroupSpec, LeaderGroupStatus } from './leadergroup.ts'
import type { GroupObservation, ObservedPod } from './observation.ts'

type Change = NonNullable<Parameters<typeof followedObservation>[0]>

type Row = readonly [
  rule: string,
  change: Change,
  urgent: readonly string[],
  reason: RegExp,
  chores?: readonly string[],
]

/** The group was seen at tick 20: it was read, or the pods were listed, since then. */
const CONFIRMED = { groupReadAt: 21 }
const LISTED = { podsListedAt: 21 }

const leader = pod('db-0', leadingBy(4))
const db1 = pod('db-1', sealedAt(0))
const sealed = pod('db-0', sealedAt(4))
/** Named, and not labelled yet. */
const named = pod('db-0', sealedAt(3))
const NOT_YET = { status: heldStatus('db-0', 4, readyIs('Unknown', 'Pending')) }
const VACANT = { status: vacantStatus(4), pods: [sealed, db1], lease: electorsLease('') }
const TO_DB1 = { lease: electorsLease('db-1', { resourceVersion: '300' }) }
const SEAL_DB0 = [sealing('db-0', `${GROUP_UID}/4`)]
const enrolled = (name: string, term = 0): string => enrolling(name, `${GROUP_UID}/${term}`)

const BIRTH: readonly Row[] = [
  ['lists the pods first', { status: {}, pods: [pod('db-0')] }, ['listPods'], /^status names no term yet: listing/],
  ['not by a list begun before', { status: {}, podsListedAt: 20 }, ['listPods'], /listing the pods$/],
  [
    'begins above nothing at 1',
    { status: {}, ...LISTED, pods: [pod('db-0')] },
    ['bear the gate at term 1'],
    /after term 1$/,
  ],
  [
    'begins above the term of status',
    { status: { term: 9 }, ...LISTED },
    ['bear the gate at term 10'],
    /after term 10$/,
  ],
  [
    'begins above every number that a pod bears, of whatever gate',
    { status: { term: 2 }, ...LISTED, pods: [pod('db-0', leadingBy(4)), pod('db-1', stamped(6, 'gate-0'))] },
    ['bear the gate at term 7'],
    /beginning after term 7$/,
  ],
  [
    'begins above a term annotation',
    { status: {}, ...LISTED, pods: [pod('db-0', { term: '8' })] },
    ['bear the gate at term 9'],
    /term 9$/,
  ],
  [
    'reads no Lease for that',
    { status: {}, ...LISTED, pods: [], lease: undefined },
    ['bear the gate at term 1'],
    /term 1$/,
  ],
  [
    'begins at the last term that there is',
    { status: { term: 2 ** 53 - 3 }, ...LISTED, pods: [] },
    [`bear the gate at term ${2 ** 53 - 2}`],
    /beginning/,
  ],
  [
    'does not begin beyond it: its mark could not be read again',
    { status: { term: 2 ** 53 - 2 }, ...LISTED, pods: [] },
    [],
    /no higher term exists: delete the group/,
  ],
]

const OPEN = { status: bornStatus(4), pods: [sealed, pod('db-1', sealedAt(4))] }
const ROUND: readonly Row[] = [
  ['lists before it names anybody', OPEN, ['listPods'], /^status was not written by the operator: stamping every pod/],
  ['not by a list as old as the gate', { ...OPEN, podsListedAt: 20 }, ['listPods'], /stamping every pod/],
  [
    'stamps every pod with the term of the mark',
    { ...OPEN, ...LISTED, pods: [pod('db-0', leadingBy(4)), db1, pod('db-2')] },
    ['db-0', 'db-1', 'db-2'].map((name) => sealing(name, `${GROUP_UID}/4`)),
    /stamping every pod/,
  ],
  [
    'leaves a pod alone that has nothing to do with the group but that the Lease names it',
    { ...OPEN, ...LISTED, lease: electorsLease('other', { readAt: 21 }), pods: [pod('other', { selected: false })] },
    ['name nobody after term 4'],
    /not selected by this group/,
  ],
  [
    'replaces a stamp of another gate only on a read after it',
    { ...OPEN, ...LISTED, pods: [pod('db-0', stamped(4, 'gate-0'))] },
    ['readGate'],
    /stamping every pod/,
  ],
  [
    'and then does',
    { ...OPEN, ...LISTED, ...CONFIRMED, pods: [pod('db-0', stamped(4, 'gate-0'))] },
    SEAL_DB0,
    /stamping every pod/,
  ],
  [
    'reads the Lease before it goes by it',
    { ...OPEN, ...LISTED },
    ['readLease'],
    /^db-0 holds Lease db as "db-0": reading the Lease again$/,
  ],
  [
    'names whom the Lease names, above the mark',
    { ...OPEN, ...LISTED, lease: electorsLease('db-1', { readAt: 21 }) },
    ['name db-1 for term 5'],
    /^db-1 holds Lease db as "db-1": naming db-1 for term 5$/,
  ],
  [
    'names nobody where the Lease does not',
    { ...OPEN, ...LISTED, lease: electorsLease('', { readAt: 21 }) },
    ['name nobody after term 4'],
    /^Lease db names no holder.*: nobody leads after term 4$/,
  ],
  [
    'names nobody without a Lease, once that is read',
    { ...OPEN, ...LISTED, lease: undefined },
    ['readLease'],
    /there is no Lease db/,
  ],
  [
    'and then does',
    { ...OPEN, ...LISTED, lease: undefined, leaseAbsentAt: 21 },
    ['name nobody after term 4'],
    /there is no Lease db/,
  ],
  [
    'names nobody where the holder was not seen to renew',
    {
      ...OPEN,
      ...LISTED,
      lease: electorsLease('db-0', { readAt: 21, sight: { seenAt: 20, sinceMillis: NOW.monotonic, changed: false } }),
    },
    ['name nobody after term 4'],
    /was not seen to renew/,
  ],
  [
    'and that only by a Lease that was read',
    {
      ...OPEN,
      ...LISTED,
      lease: electorsLease('db-0', { sight: { seenAt: 20, sinceMillis: NOW.monotonic, changed: false } }),
    },
    ['readLease'],
    /was not seen to renew.*: reading the Lease again$/,
  ],
  [
    'seals at the term that a stranger left in status, if that is higher',
    { ...OPEN, ...LISTED, status: heldStatus('db-0', 4, { term: 9 }) },
    ['db-0', 'db-1'].map((name) => sealing(name, `${GROUP_UID}/9`)),
    /stamping every pod/,
  ],
]

const HELD: readonly Row[] = [
  ['rests while the holder of the Lease bears the label', {}, [], /^db-0 holds Lease db as "db-0"$/],
  [
    'rests whether its pod is ready or not',
    { pods: [{ ...leader, ready: false, terminating: true }, db1] },
    [],
    /holds/,
  ],
  [
    'labels the holder on a gate read after the pod',
    { ...NOT_YET, ...CONFIRMED, pods: [named] },
    [labelling('db-0', 4)],
    /labelling db-0/,
  ],
  ['reads the gate before it labels', { ...NOT_YET, pods: [named] }, ['readGate'], /labelling db-0/],
  [
    'does not label on a gate read as the pod came',
    { ...NOT_YET, groupReadAt: 10, pods: [named] },
    ['readGate'],
    /labelling/,
  ],
  [
    'does not put back a label that somebody took off, in a term that it has led',
    { ...CONFIRMED, pods: [named, db1] },
    SEAL_DB0,
    /somebody took its label off, or changed it, in term 4$/,
  ],
  [
    'nor when its Services are not ready',
    {
      ...CONFIRMED,
      status: heldStatus('db-0', 4, {
        conditions: [
          ...readyIs('True', 'LeaderElected').conditions!,
          { type: 'ServicesReady', status: 'False', reason: 'x', message: '', lastTransitionTime: '' },
        ],
      }),
      pods: [named, db1],
    },
    SEAL_DB0,
    /somebody took its label off, or changed it, in term 4$/,
  ],
  [
    'labels the holder of a status from which somebody took the conditions',
    { ...CONFIRMED, status: heldStatus('db-0', 4), pods: [named, db1] },
    [labelling('db-0', 4)],
    /labelling db-0, the holder of term 4$/,
  ],
  [
    'reads no older Lease again for a holder that stands',
    { ...CONFIRMED, pods: [leader, db1], lease: electorsLease('db-0', { resourceVersion: '199' }) },
    [],
    /db-0 holds Lease db/,
  ],
  [
    'corrects a term that it has not led in',
    { ...CONFIRMED, ...NOT_YET, pods: [{ ...leader, term: '3' }] },
    [labelling('db-0', 4)],
    /labelling db-0, the holder of term 4$/,
  ],
  [
    'names a sealed holder anew',
    { pods: [sealed, db1] },
    ['name db-0 for term 5'],
    /^db-0 lost term 4: naming db-0 for term 5$/,
  ],
  [
    'not on a Lease that is older than the gate',
    { pods: [sealed, db1], lease: electorsLease('db-0', { resourceVersion: '199' }) },
    ['readLease'],
    /reading the Lease again$/,
  ],
  [
    'takes no stamp of its own term beside a label',
    { pods: [{ ...leader, ...sealedAt(4) }] },
    SEAL_DB0,
    /do not fit term 4/,
  ],
  ['counts a pod whose stamp is gone as barred', { pods: [pod('db-0')] }, SEAL_DB0, /do not fit term 4/],
]

const MOVE: readonly Row[] = [
  ['seals the holder before another is named', TO_DB1, SEAL_DB0, /^db-1 holds Lease db as "db-1": sealing db-0$/],
  ['also one that is not labelled yet', { ...TO_DB1, ...NOT_YET, pods: [named, db1] }, SEAL_DB0, /sealing db-0$/],
  [
    'names it once that is sealed',
    { ...TO_DB1, pods: [sealed, db1] },
    ['name db-1 for term 5'],
    /naming db-1 for term 5$/,
  ],
  [
    'names it above every stamp in sight',
    { ...TO_DB1, pods: [sealed, pod('db-1', sealedAt(7))] },
    ['name db-1 for term 8'],
    /term 8$/,
  ],
  [
    'enrols it first where it came just now',
    { ...TO_DB1, pods: [sealed, pod('db-1')] },
    [enrolled('db-1')],
    /^db-1 holds Lease db as "db-1": enrolling it$/,
    [enrolled('db-1')],
  ],
  [
    'enrols the pod of another gate only on a read after it',
    { ...TO_DB1, pods: [sealed, pod('db-1', stamped(4, 'gate-0'))] },
    ['readGate'],
    /enrolling it$/,
    ['readGate'],
  ],
  [
    'asks whether a holder that it does not see is gone',
    { ...TO_DB1, pods: [db1] },
    ['read pod db-0 uid-db-0'],
    /asking whether the holder db-0 is gone/,
  ],
  [
    'names another when that is proved',
    { ...TO_DB1, pods: [db1], gone: new Set(['uid-db-0']) },
    ['name db-1 for term 5'],
    /naming db-1/,
  ],
  [
    'names nobody when the holder is gone and nobody follows',
    { lease: electorsLease('', { resourceVersion: '300' }), pods: [db1], gone: new Set(['uid-db-0']) },
    ['name nobody after term 4'],
    /nobody leads after term 4$/,
  ],
  [
    'seals the holder of a Lease that was released',
    { lease: electorsLease('', { resourceVersion: '300' }) },
    SEAL_DB0,
    /^Lease db names no holder.*: sealing db-0$/,
  ],
  [
    'and then names nobody',
    { lease: electorsLease(undefined, { resourceVersion: '300' }), pods: [sealed, db1] },
    ['name nobody after term 4'],
    /nobody leads after term 4$/,
  ],
  [
    'follows none of a LeaderGroup',
    { lease: electorsLease('db-0', { ownerName: 'LeaderGroup web' }) },
    SEAL_DB0,
    /belongs to LeaderGroup web/,
  ],
  [
    'nor one that mode Assign has marked',
    { lease: electorsLease('db-0', { mode: 'Assign', ownerName: 'Pod x' }) },
    SEAL_DB0,
    /belongs to Pod x/,
  ],
  ['but one with another owner', { lease: electorsLease('db-0', { ownerName: 'StatefulSet db' }) }, [], /db-0 holds/],
  [
    'goes by no Lease that is older than the gate',
    { lease: electorsLease('db-1', { resourceVersion: '199' }) },
    ['readLease'],
    /^db-1 holds Lease db as "db-1": reading the Lease again$/,
  ],
  [
    'unless it was read since',
    { lease: electorsLease('db-1', { resourceVersion: '199', readAt: 21 }) },
    SEAL_DB0,
    /sealing db-0$/,
  ],
  ['nor by another Lease', { lease: electorsLease('db-1', { uid: 'lease-2' }) }, ['readLease'], /reading/],
  ['nor by the lack of one', { lease: undefined }, ['readLease'], /^there is no Lease db.*: reading the Lease again$/],
  ['but by its deletion', { lease: undefined, gone: new Set(['lease-1']) }, SEAL_DB0, /sealing db-0$/],
]

const EMPTY: readonly Row[] = [
  ['rests while nobody holds the Lease', VACANT, [], /^Lease db names no holder/],
  ['rests without a Lease, and reads none for that', { ...VACANT, lease: undefined }, [], /^there is no Lease db/],
  ['names whoever acquires it', { ...VACANT, ...TO_DB1 }, ['name db-1 for term 5'], /naming db-1 for term 5$/],
  [
    'names the one that led before in another term',
    { ...VACANT, lease: electorsLease('db-0') },
    ['name db-0 for term 5'],
    /naming db-0/,
  ],
  [
    'enrols it first',
    { ...VACANT, ...TO_DB1, pods: [pod('db-1')] },
    [enrolled('db-1')],
    /enrolling it$/,
    [enrolled('db-1')],
  ],
  [
    'goes by no Lease older than the gate',
    { ...VACANT, lease: electorsLease('db-1', { resourceVersion: '199' }) },
    ['readLease'],
    /reading/,
  ],
  [
    'takes every label off',
    { ...VACANT, ...CONFIRMED, pods: [{ ...leader, ...sealedAt(3) }] },
    SEAL_DB0,
    /db-0: status names nobody$/,
  ],
  ['not on a gate that may be stale', { ...VACANT, pods: [leader] }, ['readGate'], /status names nobody$/],
  ['enrols new pods', { ...VACANT, pods: [sealed, pod('db-1')] }, [], /names no holder/, [enrolled('db-1')]],
]

const UNSEEN = { seenAt: 20, sinceMillis: NOW.monotonic - 4000, changed: false }
const DOUBT: readonly Row[] = [
  [
    'lets a label stand',
    { lease: electorsLease('db-0', { sight: UNSEEN }) },
    [],
    /db-0 holds Lease db, but was not seen to renew it/,
  ],
  [
    'gives none, not even to the holder of the gate',
    { ...NOT_YET, ...CONFIRMED, pods: [named], lease: electorsLease('db-0', { sight: UNSEEN }) },
    [],
    /not seen/,
  ],
  [
    'bars the holder from a term in which somebody took its label off: status will not tell any more',
    { pods: [named, db1], lease: electorsLease('db-0', { sight: UNSEEN }) },
    SEAL_DB0,
    /somebody took its label off, or changed it, in term 4$/,
  ],
  [
    'also one of which only the annotation tells it',
    { ...NOT_YET, pods: [{ ...leader, role: undefined }, db1], lease: electorsLease('db-0', { sight: UNSEEN }) },
    SEAL_DB0,
    /somebody took its label off, or changed it, in term 4$/,
  ],
  ['names nobody', { ...VACANT, lease: electorsLease('db-0', { sight: UNSEEN }) }, [], /not seen to renew/],
  [
    'takes the label off another pod, once the Lease is read',
    { lease: electorsLease('db-1', { sight: UNSEEN }) },
    ['readLease'],
    /reading/,
  ],
  [
    'and then does',
    { lease: electorsLease('db-1', { sight: UNSEEN, readAt: 21 }) },
    SEAL_DB0,
    /db-1 holds.*sealing db-0$/,
  ],
  [
    'reads a Lease whose time is over',
    { lease: electorsLease('db-0', { sight: { ...UNSEEN, changed: true, sinceMillis: NOW.monotonic - 15_000 } }) },
    ['readLease'],
    /reading the Lease again$/,
  ],
  [
    'also where nobody is named',
    { ...VACANT, lease: electorsLease('db-0', { sight: { ...UNSEEN, sinceMillis: NOW.monotonic - 15_000 } }) },
    ['readLease'],
    /reading the Lease again$/,
  ],
  [
    'takes the label off when the read shows the same',
    {
      lease: electorsLease('db-0', {
        sight: { ...UNSEEN, changed: true, sinceMillis: NOW.monotonic - 15_000 },
        readMillis: NOW.monotonic,
        readAt: 21,
      }),
    },
    SEAL_DB0,
    /"db-0" has not renewed Lease db for 15 s.*: sealing db-0$/,
  ],
]

const STRAYS: readonly Row[] = [
  [
    'seals a stray',
    { ...CONFIRMED, pods: [leader, pod('db-1', leadingBy(3))] },
    [sealing('db-1', `${GROUP_UID}/4`)],
    /off db-1: status names db-0$/,
  ],
  ['not on a gate that may be stale', { pods: [leader, pod('db-1', leadingBy(3))] }, ['readGate'], /off db-1/],
  [
    'before the gate moves',
    { ...TO_DB1, ...CONFIRMED, pods: [sealed, db1, pod('db-2', { role: 'leader' })] },
    [sealing('db-2', `${GROUP_UID}/4`)],
    /off db-2/,
  ],
  [
    'before the holder is labelled',
    { ...NOT_YET, ...CONFIRMED, pods: [named, pod('db-2', { role: 'x' })] },
    [sealing('db-2', `${GROUP_UID}/4`)],
    /off db-2/,
  ],
  [
    'and before that the one that the Lease names',
    { ...TO_DB1, ...CONFIRMED, pods: [sealed, pod('db-1', leadingBy(3))] },
    [sealing('db-1', `${GROUP_UID}/4`)],
    /off db-1/,
  ],
]

const CHORES: readonly Row[] = [
  ['enrols new pods', { pods: [leader, pod('db-1')] }, [], /holds/, [enrolled('db-1')]],
  [
    'takes the keys off pods that are no longer selected',
    { pods: [leader, { ...db1, selected: false }] },
    [],
    /holds/,
    [stripping('db-1')],
  ],
  [
    'does neither to a pod that only the Lease names',
    { pods: [leader, pod('other', { selected: false })] },
    [],
    /holds/,
  ],
]

/** Its container ended after the renewal, before our eyes. */
const dead = (change: Partial<ObservedPod> = {}): ObservedPod => {
  const end = { finishedAt: 1_767_225_665, seenAt: 30, witnessed: true }
  return { ...leader, electing: [{ name: 'app', state: 'running', end }], ...change }
}
const RELEASES: { readonly spec: Partial<LeaderGroupSpec> } = { spec: { failover: { releaseDeadHolder: true } } }
const RELEASE = 'release Lease db 200 of db-0'
const DEATH: readonly Row[] = [
  [
    'takes the label off a dead holder',
    { pods: [dead(), db1] },
    SEAL_DB0,
    /^pod db-0 led and is dead.*waiting.*: sealing db-0$/,
  ],
  [
    'and empties the Lease as it does',
    { ...RELEASES, pods: [dead(), db1] },
    [RELEASE, ...SEAL_DB0],
    /dead.*emptying the Lease: sealing db-0$/,
  ],
  [
    'empties it also when the label is off',
    { ...RELEASES, pods: [dead({ role: undefined, term: undefined, ...sealedAt(4) })] },
    [RELEASE, 'name nobody after term 4'],
    /emptying/,
  ],
  [
    'and when nobody is named',
    {
      ...VACANT,
      ...RELEASES,
      lease: electorsLease('db-0'),
      pods: [dead({ role: undefined, term: undefined, ...sealedAt(4) })],
    },
    [RELEASE],
    /emptying/,
  ],
  [
    'knows the last state of a pod that was deleted',
    { ...RELEASES, pods: [db1], deletedPods: [dead({ deleted: true })], gone: new Set(['uid-db-0']) },
    [RELEASE, 'name nobody after term 4'],
    /dead.*emptying/,
  ],
  [
    'but does not take the deletion for a proof',
    { ...RELEASES, pods: [db1], deletedPods: [{ ...leader, deleted: true }], gone: new Set(['uid-db-0']) },
    ['name nobody after term 4'],
    /was deleted: waiting until the Lease expires/,
  ],
]

const TABLES: Readonly<Record<string, readonly Row[]>> = {
  'status that names no term': BIRTH,
  'status that was written by somebody else': ROUND,
  'the holder stays': HELD,
  'the Lease changes hands': MOVE,
  'nobody leads': EMPTY,
  'a holder that was not seen to renew': DOUBT,
  strays: STRAYS,
  chores: CHORES,
  'a dead holder': DEATH,
}

function decided(o: GroupObservation): Election {
  const group = o.group!
  const gate = gateOf(o, group)
  if (gate.kind === 'foreign' || gate.kind === 'spoiled') throw new TypeError(`a gate that is ${gate.kind}`)
  return decideFollowed({ o, group, gate, now: NOW })
}

describe('mode Observe, from step to step', () => {
  for (const [table, rows] of Object.entries(TABLES)) {
    describe(table, () => {
      for (const [rule, change, urgent, reason, chores = []] of rows) {
        it(rule, () => {
          const election = decided(followedObservation(change))
          assert.deepEqual(election.urgent.map(inWords), urgent, election.reason)
          assert.match(election.reason, reason)
          assert.deepEqual(election.chores.map(inWords), chores)
          assert.equal(election.wakeAt, election.follow?.wakeAt)
        })
      }
    })
  }

  it('wakes when the holder’s time is over', () => {
    assert.equal(decided(followedObservation()).wakeAt, NOW.monotonic + 11_000)
    assert.equal(decided(followedObservation(VACANT)).wakeAt, undefined)
  })

  it('binds each write to what it was decided on', () => {
    const [release, seal] = decided(
      followedObservation({ ...RELEASES, pods: [dead({ resourceVersion: '66' }), db1] }),
    ).urgent
    assert.deepEqual(release, {
      kind: 'releaseLease',
      name: 'db',
      uid: 'lease-1',
      resourceVersion: '200',
      holderIdentity: 'db-0',
    })
    assert.ok(seal?.kind === 'patchPod')
    assert.deepEqual(seal.pod, { name: 'db-0', uid: 'uid-db-0', resourceVersion: '66' })
    const [name] = decided(followedObservation({ ...VACANT, ...TO_DB1 })).urgent
    const holder = { name: 'db-1', uid: 'uid-db-1' }
    assert.deepEqual(name, { kind: 'writeGate', write: { holder, gateUID: GROUP_UID, term: 5 } })
  })

  it('knows the holder by the identity that status remembers', () => {
    const before: LeaderGroupStatus = heldStatus('db-0', 4, { holderIdentity: 'db-0_x' })
    const lease = electorsLease('db-0_x', { sight: UNSEEN, acquireTime: '2025-12-31T00:00:00.000000Z' })
    assert.equal(decided(followedObservation({ status: before, lease, ...CONFIRMED })).follow?.target.kind, 'stay')
    const another = { ...before, holderIdentity: 'db-0' }
    assert.equal(decided(followedObservation({ status: another, lease, ...CONFIRMED })).follow?.target.kind, 'nobody')
    assert.equal(before.leaseVersion, LEASE_VERSION)
  })
})
