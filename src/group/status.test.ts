import assert from 'node:assert/strict'
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
import { leaseGate } from './lease-gate.ts'
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
