import assert from 'node:assert/strict'
import { decide } from './decide.ts'
import type { LeaderGroupHistoryEntry, LeaderGroupStatus } from './leadergroup.ts'
import type { ObservedLease, ObservedPod } from './observation.ts'
import { statusOf } from './status.ts'
import {
  GROUP_UID,
  NOW,
  bornLease,
  group,
  heldLease,
  leading,
  observation,
  pod,
  stamped,
  type GroupChange,
} from './fixtures.ts'
import type { Follow, NobodyReason } from './follow/follow.ts'
import {
  ACQUIRED,
  bornStatus,
  electorsLease,
  followedObservation,
  heldStatus,
  sealedAt,
  vacantStatus,
} from './followed-fixtures.ts'
import { gateOf } from './gate/gate-of.ts'
import { leaseGate } from './gate/lease-gate.ts'
import { leaseNameOf } from './spec.ts'

interface World {
  readonly group?: GroupChange
  readonly lease?: ObservedLease | undefined
  readonly pods?: readonly ObservedPod[]
  readonly gone?: readonly string[]
}

const THEN = '2025-12-31T00:00:00.000000Z'
const NAMED = '2026-01-01T00:00:30.000000Z'
const leader = pod('db-0', leading(4))

const term = (holder: string, number: number, reason?: string): LeaderGroupHistoryEntry => ({
  holder,
  term: number,
  acquireTime: THEN,
  ...(reason ? { endTime: THEN, reason } : {}),
})
/** Before: db-0 leads in term 4. */
const db0Led: GroupChange = { status: { term: 4, holder: 'db-0', holderUID: 'uid-db-0', history: [term('db-0', 4)] } }
const db1Leads: World = { group: db0Led, lease: heldLease('db-1', 5) }

function statusIn(world: World): LeaderGroupStatus {
  const lease = 'lease' in world ? world.lease : heldLease('db-0', 4)
  const o = observation({ lease, pods: world.pods ?? [leader], gone: new Set(world.gone) })
  return statusOf(o, group(world.group), leaseGate(lease, GROUP_UID), { reason: 'why' }, [], NOW)
}

describe('status', () => {
  it('says who leads, in which term, since when, among how many', () => {
    const { conditions, history, ...status } = statusIn({
      pods: [leader, pod('db-1', stamped()), pod('db-2', { ready: false }), pod('db-3', { selected: false })],
    })
    assert.deepEqual(status, {
      observedGeneration: 1,
      holder: 'db-0',
      holderUID: 'uid-db-0',
      holderIdentity: 'db-0_uid-db-0',
      acquireTime: NAMED,
      transitions: 4,
      term: 4,
      candidates: 3,
      eligible: 2,
      leaseName: 'db',
    })
    assert.deepEqual(
      conditions?.map(({ type, status: value }) => [type, value]),
      [['Ready', 'True']],
    )
    assert.deepEqual(history, [{ holder: 'db-0', term: 4, acquireTime: NAMED }])
  })

  const HOLDERS: readonly (readonly [string, World, string | undefined])[] = [
    ['a holder that is not labelled yet', { pods: [pod('db-0', stamped())] }, undefined],
    ['a holder that is sealed', { pods: [pod('db-0', stamped(4))] }, undefined],
    ['a label of an earlier term', { pods: [pod('db-0', leading(3))] }, undefined],
    ['a label that the gate does not name', { pods: [pod('db-1', leading(4))] }, undefined],
    ['a holder that is gone', { pods: [] }, undefined],
    ['a leader that is not ready', { pods: [{ ...leader, ready: false }] }, 'db-0'],
    ['a gate that a stranger took', { lease: heldLease('db-0', 4, { holderIdentity: 'x' }) }, undefined],
    ['a gate that is another’s', { lease: heldLease('db-0', 4, { ownerUID: 'x' }) }, undefined],
    ['no gate', { lease: undefined }, undefined],
  ]
  for (const [what, world, holder] of HOLDERS) {
    it(`${what}: ${holder ?? 'nobody'} leads`, () => {
      const status = statusIn(world)
      assert.deepEqual([status.holder, status.holderUID], holder ? [holder, `uid-${holder}`] : [undefined, undefined])
      assert.deepEqual(Object.hasOwn(status, 'acquireTime'), holder !== undefined)
    })
  }

  const NUMBERS: readonly (readonly [string, World, number | undefined, number | undefined])[] = [
    ['the gate’s', {}, 4, 4],
    ['never lower than before', { group: { status: { term: 9 } } }, 9, 4],
    [
      'of a gate that was taken: its mark',
      { lease: heldLease('db-0', 7, { holderIdentity: 'x', transitions: 99 }) },
      7,
      99,
    ],
    ['of a gate just born: as before', { lease: bornLease() }, 4, 0],
    ['without a gate: as before', { lease: undefined, group: { status: { term: 4, transitions: 3 } } }, 4, 3],
    ['of a gate that is another’s: as before', { lease: heldLease('db-0', 8, { ownerUID: 'x' }) }, 4, 0],
    ['of a spoiled gate: as before', { lease: heldLease('db-0', 8, { mark: 'x' }) }, 4, 0],
    ['beyond 32 bits', { lease: heldLease('db-0', 2 ** 40) }, 2 ** 40, 2 ** 31 - 1],
    ['of a new group', { lease: undefined, group: { status: undefined } }, 0, 0],
  ]
  for (const [what, world, term, transitions] of NUMBERS) {
    it(`term and transitions, ${what}: ${term}, ${transitions}`, () => {
      const status = statusIn(world)
      assert.deepEqual([status.term, status.transitions], [term, transitions])
    })
  }

  it('is the same again once it is written', () => {
    for (const world of [{}, { pods: [] }, { lease: undefined }, db1Leads] satisfies World[]) {
      const status = statusIn(world)
      assert.deepEqual(statusIn({ ...world, group: { status } }), status)
    }
  })

  it('names the Lease of the spec, or else of the group’s name', () => {
    assert.equal(leaseNameOf(group()), 'db')
    assert.equal(leaseNameOf(group({ spec: { leaseName: 'other' } })), 'other')
  })
})

const ended = ({ reason }: LeaderGroupHistoryEntry): string => (reason === undefined ? '' : ` until ${reason}`)

type HistoryRow = readonly [what: string, world: World, entries: readonly string[], endTime?: string]

const HISTORY: readonly HistoryRow[] = [
  ['a first term', { group: { status: undefined } }, ['db-0#4']],
  ['a term that lasts', { group: db0Led }, ['db-0#4']],
  ['a new term', { ...db1Leads, pods: [pod('db-0', { ready: false })] }, ['db-1#5', 'db-0#4 until PodNotReady'], NAMED],
  ['after a pod that is gone', { ...db1Leads, pods: [] }, ['db-1#5', 'db-0#4 until PodDeleted'], NAMED],
  [
    'after a pod that was recreated',
    { ...db1Leads, pods: [pod('db-0', { uid: 'new' })] },
    ['db-1#5', 'db-0#4 until PodDeleted'],
  ],
  [
    'after one that goes',
    { ...db1Leads, pods: [pod('db-0', { terminating: true })] },
    ['db-1#5', 'db-0#4 until PodTerminating'],
  ],
  [
    'after one that ended',
    { ...db1Leads, pods: [pod('db-0', { phase: 'Failed' })] },
    ['db-1#5', 'db-0#4 until PodNotRunning'],
  ],
  [
    'after one that was excluded',
    { ...db1Leads, pods: [pod('db-0', { excluded: true })] },
    ['db-1#5', 'db-0#4 until PodExcluded'],
  ],
  [
    'after one that was deselected',
    { ...db1Leads, pods: [pod('db-0', { selected: false })] },
    ['db-1#5', 'db-0#4 until PodNotSelected'],
  ],
  ['after one that could still lead', { ...db1Leads, pods: [pod('db-0')] }, ['db-1#5', 'db-0#4 until LeaseChanged']],
  [
    'after a holder that never bore its label, and that status does not name',
    {
      lease: heldLease('db-1', 5),
      pods: [pod('db-0', { ready: false })],
      group: { status: { term: 4, history: [term('db-0', 4)] } },
    },
    ['db-1#5', 'db-0#4 until PodNotReady'],
  ],
  [
    'the same pod again',
    { group: db0Led, lease: heldLease('db-0', 5), pods: [pod('db-0')] },
    ['db-0#5', 'db-0#4 until LeaseChanged'],
  ],
  [
    'a term whose label is still to come',
    { group: db0Led, pods: [pod('db-0', { ...stamped(), ready: false })] },
    ['db-0#4'],
  ],
  [
    'a holder that is gone without a successor',
    { group: db0Led, pods: [], gone: ['uid-db-0'] },
    ['db-0#4 until PodDeleted'],
    NOW.wall,
  ],
  [
    'a holder that is gone before its term was recorded',
    { ...db1Leads, pods: [pod('db-0', { ready: false })], gone: ['uid-db-1'] },
    ['db-1#5 until PodDeleted', 'db-0#4 until PodNotReady'],
    NAMED,
  ],
  ['one that is not known to be gone', { group: db0Led, pods: [] }, ['db-0#4']],
  [
    'one that was deselected and sealed',
    { group: db0Led, pods: [pod('db-0', { ...stamped(4), selected: false })] },
    ['db-0#4 until PodNotSelected'],
  ],
  [
    'a Lease that was taken',
    { group: db0Led, lease: heldLease('db-0', 4, { holderIdentity: 'x' }), pods: [pod('db-0')] },
    ['db-0#4 until LeaseChanged'],
  ],
  ['a Lease that is gone', { group: db0Led, lease: undefined, pods: [pod('db-0')] }, ['db-0#4 until LeaseChanged']],
  [
    'an end stays as it was recorded',
    { group: { status: { term: 4, history: [term('db-0', 4, 'PodDeleted')] } }, pods: [], gone: ['uid-db-0'] },
    ['db-0#4 until PodDeleted'],
    THEN,
  ],
  ['nothing', { group: { status: undefined }, lease: undefined }, []],
]

describe('status.history', () => {
  for (const [what, world, entries, endTime] of HISTORY) {
    it(`${what}: ${entries.join(', ') || 'none'}`, () => {
      const { history = [] } = statusIn(world)
      assert.deepEqual(
        history.map((entry) => `${entry.holder}#${entry.term}${ended(entry)}`),
        entries,
      )
      if (endTime !== undefined) assert.equal(history.at(-1)?.endTime, endTime)
      for (const entry of history) assert.equal(entry.endTime === undefined, entry.reason === undefined)
    })
  }

  it('keeps the last ten terms, the newest first', () => {
    const history = Array.from({ length: 10 }, (_, back) =>
      term('db-0', 4 - back, back > 0 ? 'PodNotReady' : undefined),
    )
    const status = statusIn({ lease: heldLease('db-1', 5), pods: [], group: { status: { term: 4, history } } })
    assert.equal(status.history?.length, 10)
    assert.deepEqual(status.history?.map(({ term: number }) => number).slice(0, 2), [5, 4])
  })
})

type Change = NonNullable<Parameters<typeof followedObservation>[0]>

/** What status says where the Lease leads to this target: to db-0, unless told otherwise. */
function followedStatus(change: Change = {}, target?: Follow<ObservedPod>['target']): LeaderGroupStatus {
  const o = followedObservation(change)
  const to = target ?? { kind: 'holder', pod: pod('db-0'), message: 'it holds' }
  return statusOf(o, o.group!, gateOf(o, o.group!), { reason: 'why', follow: { target: to } }, [], NOW)
}

const nobodyHolds = (reason: NobodyReason): Follow<ObservedPod>['target'] => ({
  kind: 'nobody',
  reason,
  message: 'why',
})
const STAYS = { kind: 'stay', message: 'why' } as const
const MARK = 'db-0_uid-db-0/group-1/4'
const HELD = { gate: MARK, term: 4, holder: 'db-0', holderUID: 'uid-db-0' }

describe('status in mode Observe', () => {
  it('says what the gate says, and beside it what the holder wrote', () => {
    const { conditions, history, ...status } = followedStatus()
    assert.deepEqual(status, {
      observedGeneration: 1,
      ...HELD,
      holderIdentity: 'db-0',
      acquireTime: ACQUIRED,
      transitions: 3,
      leaseVersion: 'lease-1/200',
      candidates: 2,
      eligible: 2,
      leaseName: 'db',
    })
    assert.deepEqual(
      conditions?.map(({ type, status: value, reason }) => [type, value, reason]),
      [['Ready', 'True', 'LeaderElected']],
    )
    assert.deepEqual(history, [{ holder: 'db-0', term: 4, acquireTime: ACQUIRED }])
  })

  const GATES: readonly (readonly [string, LeaderGroupStatus, Partial<LeaderGroupStatus>])[] = [
    [
      'that holds, whether its pod is labelled or not',
      heldStatus('db-1', 4),
      { holder: 'db-1', holderUID: 'uid-db-1' },
    ],
    ['that nobody holds', vacantStatus(4), { gate: '-/group-1/4', term: 4 }],
    ['that is just born', bornStatus(4), { gate: '-/-/4', term: 4 }],
    [
      'that a stranger wrote: nothing agrees with its mark',
      heldStatus('db-0', 4, { holder: 'x' }),
      { gate: '-/-/4', term: 4 },
    ],
    ['that a stranger counted up', heldStatus('db-0', 4, { term: 9 }), { gate: '-/-/9', term: 9 }],
    ['that cannot be read: the term is kept', { gate: 'x', term: 4, holder: 'db-0' }, { term: 4 }],
    ['that is not there', {}, { term: 0 }],
  ]
  for (const [what, status, expected] of GATES) {
    it(`shows a gate ${what}`, () => {
      const { gate, term, holder, holderUID } = followedStatus({ status, lease: undefined })
      const { gate: mark = gate, term: number = term, ...named } = expected
      assert.deepEqual([gate, term], [mark, number])
      assert.deepEqual({ holder, holderUID }, { holder: undefined, holderUID: undefined, ...named })
    })
  }

  it('leaves identity and time out where nobody is named', () => {
    const status = followedStatus({ status: vacantStatus(4, { holderIdentity: 'db-0', acquireTime: THEN }) })
    assert.deepEqual([status.holderIdentity, status.acquireTime, status.transitions], [undefined, undefined, 3])
  })

  const RENEWED = '2026-01-01T00:01:30.000000Z'
  /** [what, what the Lease says, what status said, identity and time then, where the Lease leads to] */
  const RECORDS: readonly (readonly [
    what: string,
    lease: Partial<ObservedLease>,
    before: LeaderGroupStatus,
    expected: readonly [string | undefined, string | undefined],
    target?: Follow<ObservedPod>['target'],
  ])[] = [
    ['keeps the time while identity and transitions stay', { acquireTime: RENEWED }, {}, ['db-0', ACQUIRED]],
    ['takes the time of another identity', { acquireTime: RENEWED, holderIdentity: 'db-0_x' }, {}, ['db-0_x', RENEWED]],
    ['takes the time of another acquisition', { acquireTime: RENEWED, transitions: 4 }, {}, ['db-0', RENEWED]],
    ['takes its own where the Lease has none', { acquireTime: undefined, transitions: 4 }, {}, ['db-0', NOW.wall]],
    [
      'and keeps that',
      { acquireTime: undefined, transitions: 4 },
      { transitions: 4, acquireTime: THEN },
      ['db-0', THEN],
    ],
    [
      'keeps what it said once the record is not the holder’s any more',
      { holderIdentity: 'db-1', transitions: 4, acquireTime: RENEWED },
      {},
      ['db-0', ACQUIRED],
      { kind: 'holder', pod: pod('db-1'), message: 'it holds' },
    ],
    ['nor while it is not proved whose it is', { transitions: 4, acquireTime: RENEWED }, {}, ['db-0', ACQUIRED], STAYS],
    [
      'nor when it was emptied',
      { holderIdentity: '', transitions: 4 },
      {},
      ['db-0', ACQUIRED],
      nobodyHolds('LeaseReleased'),
    ],
    ['keeps what is missing missing', {}, { holderIdentity: 'db-0' }, ['db-0', ACQUIRED]],
  ]
  for (const [what, lease, before, expected, target] of RECORDS) {
    it(what, () => {
      const status = heldStatus('db-0', 4, before)
      const o = { status, lease: electorsLease(lease.holderIdentity ?? 'db-0', lease) }
      const { holderIdentity, acquireTime } = followedStatus(o, target)
      assert.deepEqual([holderIdentity, acquireTime], expected)
    })
  }

  it('cuts an identity that the field does not take, and no character in two', () => {
    const identity = (text: string): string | undefined => followedStatus({ lease: electorsLease(text) }).holderIdentity
    assert.equal(identity('x'.repeat(512)), 'x'.repeat(512))
    assert.equal(identity(`${'x'.repeat(512)}y`), 'x'.repeat(512))
    assert.equal(identity(`${'x'.repeat(511)}🦊`), `${'x'.repeat(511)}\ufffd`)
    assert.equal(identity(`${'x'.repeat(510)}🦊`), `${'x'.repeat(510)}🦊`)
    const status = heldStatus('db-0', 4, { holderIdentity: 'x'.repeat(512), acquireTime: THEN })
    assert.equal(followedStatus({ status, lease: electorsLease('x'.repeat(600)) }).acquireTime, THEN)
  })

  it('shows the transitions of the Lease, or else as before', () => {
    const transitions = (change: Change): number | undefined => followedStatus(change).transitions
    assert.equal(transitions({ lease: electorsLease('db-0', { transitions: 7 }) }), 7)
    assert.equal(transitions({ lease: electorsLease('db-0', { transitions: undefined }) }), 3)
    assert.equal(transitions({ lease: undefined }), 3)
    assert.equal(transitions({ lease: undefined, status: {} }), 0)
  })

  it('is the same again once it is written', () => {
    for (const change of [
      {},
      { status: vacantStatus(4) },
      { status: bornStatus(2) },
      { status: {} },
    ] satisfies Change[]) {
      const status = followedStatus(change)
      assert.deepEqual(followedStatus({ ...change, status }), status)
    }
  })

  const led = { history: [term('db-0', 4)] }
  const ENDS: readonly (readonly [string, Change, Follow<ObservedPod>['target'] | undefined, readonly string[]])[] = [
    ['a term that lasts', { status: heldStatus('db-0', 4, led) }, undefined, ['db-0#4']],
    ['a term whose record is in doubt', { status: heldStatus('db-0', 4, led) }, STAYS, ['db-0#4']],
    [
      'a term whose holder is not sealed yet',
      { status: heldStatus('db-0', 4, led) },
      nobodyHolds('LeaseReleased'),
      ['db-0#4'],
    ],
    ...(['LeaseReleased', 'LeaseExpired', 'HolderDead', 'LeaseMissing'] as const).map(
      (reason) =>
        [
          `a gate that was emptied: ${reason}`,
          { status: vacantStatus(4, led), pods: [pod('db-0', sealedAt(4))] },
          nobodyHolds(reason),
          [`db-0#4 until ${reason}`],
        ] as const,
    ),
    [
      'the next holder',
      { status: heldStatus('db-1', 5, led), pods: [pod('db-0', sealedAt(4)), pod('db-1', sealedAt(0))] },
      { kind: 'holder', pod: pod('db-1'), message: 'it holds' },
      ['db-1#5', 'db-0#4 until LeaseChanged'],
    ],
    [
      'a holder that was deleted and proved dead',
      { status: heldStatus('db-0', 4, led), pods: [], gone: new Set(['uid-db-0']) },
      nobodyHolds('HolderDead'),
      ['db-0#4 until HolderDead'],
    ],
    [
      'one that is not known to be gone',
      { status: heldStatus('db-0', 4, led), pods: [] },
      nobodyHolds('HolderDead'),
      ['db-0#4'],
    ],
  ]
  for (const [what, change, target, entries] of ENDS) {
    it(`history, ${what}: ${entries.join(', ')}`, () => {
      const { history = [] } = followedStatus(change, target)
      assert.deepEqual(
        history.map((entry) => `${entry.holder}#${entry.term}${ended(entry)}`),
        entries,
      )
      for (const { endTime, reason } of history) assert.equal(endTime, reason === undefined ? undefined : NOW.wall)
    })
  }

  it('is written with the gate: holder, history and the version that it follows in one', () => {
    const status = vacantStatus(4, { leaseVersion: 'lease-1/100', history: [term('db-0', 4, 'LeaseReleased')] })
    const pods = [pod('db-0', sealedAt(4)), pod('db-1', sealedAt(0))]
    const { actions } = decide(followedObservation({ status, pods, lease: electorsLease('db-1_7f3a') }), NOW)
    const [write] = actions
    assert.ok(write?.kind === 'writeStatus' && actions.length === 1)
    const { gate, holder, holderIdentity, acquireTime, leaseVersion, history } = write.status
    assert.deepEqual(
      [gate, holder, holderIdentity, acquireTime, leaseVersion],
      ['db-1_uid-db-1/group-1/5', 'db-1', 'db-1_7f3a', ACQUIRED, 'lease-1/200'],
    )
    assert.deepEqual(
      history?.map((entry) => `${entry.holder}#${entry.term}`),
      ['db-1#5', 'db-0#4'],
    )
  })

  it('follows no Lease at its birth', () => {
    const o = followedObservation({ status: { leaseVersion: 'lease-1/100' }, podsListedAt: 21 })
    const [write] = decide(o, NOW).actions
    assert.ok(write?.kind === 'writeStatus')
    assert.deepEqual([write.status.gate, write.status.leaseVersion], ['-/-/5', undefined])
  })
})
