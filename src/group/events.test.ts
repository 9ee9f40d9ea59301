import { strict as assert } from 'node:assert'
import { eventsOf, leaseReleased, leaseTakenBack, type GroupEvent } from './events.ts'
import { followedObservation, electorsLease, heldStatus, readyIs, sealedAt, vacantStatus } from './followed-fixtures.ts'
import { NOW, pod } from './fixtures.ts'
import { foresee } from './explain/foresee.ts'
import type { LeaderGroupHistoryEntry, LeaderGroupStatus } from './leadergroup.ts'
import type { ReadyReason } from './verdict.ts'

function status(
  value: 'True' | 'False' | 'Unknown',
  reason: ReadyReason,
  message: string,
  more: Partial<LeaderGroupStatus> = {},
): LeaderGroupStatus {
  const lastTransitionTime = '2026-01-01T00:00:00Z'
  return { candidates: 3, conditions: [{ type: 'Ready', status: value, reason, message, lastTransitionTime }], ...more }
}

function led(holder: string, term: number, reason?: string): LeaderGroupHistoryEntry {
  const acquireTime = '2026-01-01T00:00:00.000000Z'
  return { holder, term, acquireTime, ...(reason === undefined ? {} : { endTime: acquireTime, reason }) }
}

const leading = (holder: string, term: number, history = [led(holder, term)]): LeaderGroupStatus =>
  status('True', 'LeaderElected', `${holder} leads in term ${term}`, {
    holder,
    holderUID: `uid-${holder}`,
    term,
    history,
  })

const noPods = status('False', 'NoPods', 'The selector matches no pod')
const nobody = status('False', 'NoEligiblePod', 'no pod can lead. 3 pods: 3 not ready', {
  term: 1,
  history: [led('db-0', 1, 'PodDeleted')],
})
const paused = (value: 'True' | 'False', more: Partial<LeaderGroupStatus>): LeaderGroupStatus =>
  status(value, 'Paused', 'it is paused', more)
const { conditions: _, ...held } = leading('db-0', 1)

/** [what, before, after, expected as "type reason action pod: note"] */
const rows: readonly [string, LeaderGroupStatus | undefined, LeaderGroupStatus, string | undefined][] = [
  ['first sight', undefined, status('Unknown', 'NoPods', ''), undefined],
  ['no conditions yet', undefined, { candidates: 3 }, undefined],
  ['a group before its pods', undefined, noPods, 'Normal NoPods Wait -: The selector matches no pod'],
  ['nothing new', noPods, noPods, undefined],
  ['other counts', leading('db-0', 1), { ...leading('db-0', 1), candidates: 2 }, undefined],
  ['the first leader', noPods, leading('db-0', 1), 'Normal LeaderElected Elect db-0/uid-db-0: db-0 leads in term 1'],
  [
    'the next leader',
    leading('db-0', 1),
    leading('db-1', 2, [led('db-1', 2), led('db-0', 1, 'PodNotReady')]),
    'Normal LeaderElected Elect db-1/uid-db-1: db-1 leads in term 2, after db-0 (PodNotReady)',
  ],
  [
    'the same pod in another term',
    leading('db-0', 1),
    leading('db-0', 2, [led('db-0', 2), led('db-0', 1, 'LeaseChanged')]),
    'Normal LeaderElected Elect db-0/uid-db-0: db-0 leads in term 2, after db-0 (LeaseChanged)',
  ],
  [
    'a pod recreated under its name, in the same term',
    leading('db-0', 1),
    { ...leading('db-0', 1), holderUID: 'uid-new' },
    'Normal LeaderElected Elect db-0/uid-new: db-0 leads in term 1',
  ],
  [
    'the leader lost',
    leading('db-0', 1),
    nobody,
    'Warning NoEligiblePod Wait db-0/uid-db-0: db-0 leads no more (PodDeleted): no pod can lead. 3 pods: 3 not ready',
  ],
  [
    'the leader and all pods lost',
    leading('db-0', 1),
    noPods,
    'Warning NoPods Wait db-0/uid-db-0: db-0 leads no more: The selector matches no pod',
  ],
  [
    'the leader unready, and nobody else',
    leading('db-0', 1),
    { ...nobody, ...held },
    'Warning NoEligiblePod Wait db-0/uid-db-0: no pod can lead. 3 pods: 3 not ready',
  ],
  [
    'the unready leader lost: the condition has the same reason as before',
    { ...nobody, ...held },
    nobody,
    'Warning NoEligiblePod Wait db-0/uid-db-0: db-0 leads no more (PodDeleted): no pod can lead. 3 pods: 3 not ready',
  ],
  [
    'the leader ready again in its term',
    { ...nobody, ...held },
    leading('db-0', 1),
    'Normal LeaderElected Elect db-0/uid-db-0: db-0 leads in term 1',
  ],
  ['paused', leading('db-0', 1), paused('True', held), 'Normal Paused Pause db-0/uid-db-0: it is paused'],
  [
    'lost while paused',
    paused('True', held),
    paused('False', { term: 1 }),
    'Warning Paused Pause db-0/uid-db-0: db-0 leads no more: it is paused',
  ],
  [
    'another term while paused',
    paused('True', held),
    paused('True', { ...held, term: 2 }),
    'Normal Paused Pause db-0/uid-db-0: db-0 leads in term 2: it is paused',
  ],
  [
    'the Lease is somebody else’s',
    noPods,
    status('False', 'LeaseHeldByAnother', 'Lease db was not made by this group'),
    'Warning LeaseHeldByAnother Refuse -: Lease db was not made by this group',
  ],
  [
    'a right taken away',
    noPods,
    status('False', 'Forbidden', 'pods is forbidden'),
    'Warning Forbidden Wait -: pods is forbidden',
  ],
]

function inWords({ type, reason, action, relatedPod: about, note }: GroupEvent): string {
  return `${type} ${reason} ${action} ${about ? `${about.name}/${about.uid}` : '-'}: ${note}`
}

describe('eventsOf', () => {
  for (const [what, before, after, expected] of rows) {
    it(`${expected === undefined ? 'says nothing of' : 'tells of'} ${what}`, () => {
      const told = eventsOf(before, after).map(inWords)
      assert.deepEqual(told, expected === undefined ? [] : [expected])
    })
  }
})

describe('events of the Services', () => {
  const services = (value: 'True' | 'False' | 'Unknown', reason: string): LeaderGroupStatus => ({
    conditions: [{ type: 'ServicesReady', status: value, reason, message: 'why', lastTransitionTime: 'then' }],
  })
  const pending = services('Unknown', 'Pending')
  const ok = services('True', 'Routed')
  const notOurs = services('False', 'ServiceNotOurs')
  const servicesRows: readonly [LeaderGroupStatus | undefined, LeaderGroupStatus, string?][] = [
    [undefined, ok],
    [pending, ok],
    [ok, pending],
    [pending, notOurs, 'Warning ServiceNotOurs Route'],
    [notOurs, notOurs],
    [notOurs, services('False', 'ForeignSlices'), 'Warning ForeignSlices Route'],
    [notOurs, ok, 'Normal Routed Route'],
    [notOurs, {}],
  ]
  for (const [before, after, expected] of servicesRows) {
    const [was = 'nothing', is = 'nothing'] = [before, after].map((each) => each?.conditions?.[0]?.reason)
    it(`${was} → ${is}: ${expected ?? 'none'}`, () => {
      const told = eventsOf(before, after).map(({ type, reason, action }) => `${type} ${reason} ${action}`)
      assert.deepEqual(told, expected === undefined ? [] : [expected])
    })
  }
})

describe('events of a group in mode Observe', () => {
  const db0Led = (reason?: string): Partial<LeaderGroupStatus> => ({ history: [led('db-0', 4, reason)] })
  const leads = heldStatus('db-0', 4, { ...readyIs('True', 'LeaderElected'), ...db0Led() })
  const vacant = (reason: string): LeaderGroupStatus =>
    vacantStatus(4, { ...readyIs('False', reason), ...db0Led(reason) })
  const released = electorsLease('', { resourceVersion: '300' })
  const toDb1 = electorsLease('db-1', { resourceVersion: '300' })
  const pods = [pod('db-0', sealedAt(4)), pod('db-1', sealedAt(0))]
  const expired = electorsLease('db-0', {
    sight: { seenAt: 20, sinceMillis: NOW.monotonic - 15_000, changed: true },
    readMillis: NOW.monotonic,
  })

  /** [what, before, what is told until all is at rest, and by how many writes of status] */
  const followedRows: readonly (readonly [
    what: string,
    change: Parameters<typeof followedObservation>[0],
    told: readonly string[],
    writes: number,
  ])[] = [
    [
      'a group before its Lease',
      { status: {}, lease: undefined, pods: [pod('db-0')] },
      ['Normal LeaseMissing Wait -: there is no Lease db: it appears when one of the pods acquires it'],
      2,
    ],
    [
      'the first leader',
      { status: vacantStatus(1, readyIs('False', 'LeaseMissing')), lease: toDb1, pods },
      ['Normal LeaderElected Elect db-1/uid-db-1: db-1 leads in term 5'],
      2,
    ],
    [
      'a hand-over: once, when the next one is labelled',
      { status: leads, lease: toDb1 },
      ['Normal LeaderElected Elect db-1/uid-db-1: db-1 leads in term 5, after db-0 (LeaseChanged)'],
      2,
    ],
    [
      'the next leader after a release',
      { status: vacant('LeaseReleased'), lease: toDb1, pods },
      ['Normal LeaderElected Elect db-1/uid-db-1: db-1 leads in term 5, after db-0 (LeaseReleased)'],
      2,
    ],
    [
      'the same pod in another term',
      { status: leads, pods },
      ['Normal LeaderElected Elect db-0/uid-db-0: db-0 leads in term 5, after db-0 (LeaseChanged)'],
      2,
    ],
    [
      'a release',
      { status: leads, lease: released },
      [
        'Warning LeaseReleased Wait db-0/uid-db-0: db-0 leads no more (LeaseReleased): ' +
          'Lease db names no holder: the next one to acquire it leads',
      ],
      1,
    ],
    [
      'an expiry',
      { status: leads, lease: expired },
      [
        'Warning LeaseExpired Wait db-0/uid-db-0: db-0 leads no more (LeaseExpired): ' +
          '"db-0" has not renewed Lease db for 15 s: the next one to acquire it leads',
      ],
      1,
    ],
    [
      'a Lease that goes while nobody leads',
      { status: vacant('LeaseReleased'), lease: undefined, pods },
      ['Normal LeaseMissing Wait -: there is no Lease db: it appears when one of the pods acquires it'],
      1,
    ],
  ]
  for (const [what, change, told, writes] of followedRows) {
    it(`tells of ${what}`, () => {
      const o = followedObservation(change)
      const written = foresee(o, NOW).actions.flatMap((action) =>
        action.kind === 'writeStatus' ? [action.status] : [],
      )
      assert.equal(written.length, writes)
      assert.deepEqual(
        written
          .flatMap((after, index) => eventsOf(index === 0 ? o.group?.status : written[index - 1], after))
          .map(inWords),
        told,
      )
    })
  }
})

describe('leaseReleased', () => {
  it('names who is taken for dead, harmlessly', () => {
    const { note, ...rest } = leaseReleased({ name: 'db', holderIdentity: 'db-0_\n' })
    assert.deepEqual(rest, { type: 'Normal', reason: 'DeadHolderReleased', action: 'Release' })
    assert.match(note, /^"db-0_\\u\{a\}" held Lease db and is proved dead: its holder is emptied/)
  })
})

describe('leaseTakenBack', () => {
  it('names who took it, if anybody is named', () => {
    assert.match(
      leaseTakenBack('db', 'java-7').note,
      /^Lease db was changed by the elector of java-7 and is taken back/,
    )
    assert.match(leaseTakenBack('db', undefined).note, /^Lease db was changed by somebody else and is taken back/)
  })
})
