import assert from 'node:assert/strict'
import {
  array,
  assert as check,
  boolean,
  constantFrom,
  dictionary,
  integer,
  option,
  property,
  record,
  string,
} from 'fast-check'
import { runs } from '../../sim/runs.ts'
import { follow, type Follow, type FollowedPod, type Following } from './follow.ts'
import { NOON_10, end, ended, lease, pod, type LeaseChange } from './follow-fixtures.ts'

const NOW = 104_000
const WAKE = { wakeAt: 115_000 }

function following(change: Partial<Following>): Following {
  return {
    leaseName: 'db',
    lease: lease('db-0'),
    pods: [pod('db-0'), pod('db-1')],
    named: undefined,
    releaseDeadHolder: false,
    nowMillis: NOW,
    ...change,
  }
}

function inWords({ target }: Follow): string {
  switch (target.kind) {
    case 'holder':
      return `holder ${target.pod.uid}`
    case 'nobody':
      return target.reason
    case 'stay':
      return 'stay'
  }
}

interface Row {
  readonly lease?: LeaseChange
  readonly holder?: string | null
  readonly pods?: readonly FollowedPod[]
  /** Name of the pod that the gate names, by the holder's identity. */
  readonly named?: string
  readonly releases?: boolean
  readonly now?: number
  readonly is: string
  readonly message: RegExp
  readonly rest?: Omit<Follow, 'target'>
}

const FIRST_SIGHT: LeaseChange = { sight: { changed: false } }
const OVERDUE: Pick<Row, 'now' | 'rest'> = { now: 115_000, rest: { readLease: true } }
const crashed: Partial<FollowedPod> = {
  electing: [ended('app', end(11, 30))],
  standstill: { finishedAt: NOON_10 + 11, seenAt: 30, witnessed: true, names: ['app'] },
}
const DOWN = { node: 'n', seenAt: 30, witnessed: true }
const RELEASE = { name: 'db', uid: 'lease-1', resourceVersion: '200', holderIdentity: 'db-0' }
const DB0_CRASHED = [pod('db-0', crashed), pod('db-1')]
const gone = (change: Partial<FollowedPod> = {}): readonly FollowedPod[] => [
  pod('db-0', { deleted: true, ...change }),
  pod('db-0', { uid: 'uid-2', firstSeenAt: 31, appeared: true }),
]

const ROWS: Readonly<Record<string, Row>> = {
  'follows a holder that renews': { is: 'holder uid-of-db-0', message: /db-0 holds Lease db as "db-0"/ },
  'follows it away from another': { named: 'db-1', is: 'holder uid-of-db-0', message: /db-0 holds/ },
  'follows a pod that is terminating or not ready: it holds the Lease': {
    pods: [pod('db-0', { phase: 'Pending' })],
    is: 'holder uid-of-db-0',
    message: /db-0 holds/,
  },
  'gives no label on a record from before our time': { lease: FIRST_SIGHT, is: 'stay', message: /not seen to renew/ },
  'lets a label stand on it': { lease: FIRST_SIGHT, named: 'db-0', is: 'stay', message: /not seen to renew/ },
  'takes the label off another pod than it names': {
    lease: FIRST_SIGHT,
    named: 'db-1',
    is: 'HolderUnproven',
    message: /not seen to renew/,
  },
  'reads the Lease before it calls it expired': { ...OVERDUE, named: 'db-0', is: 'stay', message: /not seen to renew/ },
  '… and gives no label meanwhile': { ...OVERDUE, is: 'stay', message: /not seen to renew/ },
  '… and the same at first sight': { ...OVERDUE, lease: FIRST_SIGHT, named: 'db-0', is: 'stay', message: /not seen/ },
  'takes the label off when the read shows the same': {
    lease: { readMillis: 115_000 },
    now: 115_001,
    named: 'db-0',
    rest: {},
    is: 'LeaseExpired',
    message: /"db-0" has not renewed Lease db for 15 s/,
  },
  'takes it off a released Lease': { holder: '', rest: {}, is: 'LeaseReleased', message: /names no holder/ },
  '… released with null': { holder: null, rest: {}, is: 'LeaseReleased', message: /names no holder/ },
  '… released at first sight': { holder: '', lease: FIRST_SIGHT, rest: {}, is: 'LeaseReleased', message: /no holder/ },
  'says which identities it knows': {
    holder: 'host',
    is: 'HolderUnknown',
    message: /"host" .* make the electors' identity/,
  },
  'shows hostile text harmless': { holder: 'a\n\u202e', is: 'HolderUnknown', message: /^"a\\u\{a\}\\u\{202e\}" holds/ },
  'says that the pod is not selected': {
    pods: [pod('db-0', { selected: false })],
    is: 'HolderUnknown',
    message: /not selected/,
  },
  'does not take a new pod for the one before': {
    pods: [gone()[1]!],
    is: 'HolderUnknown',
    message: /since before the pod/,
  },
  'names the pods that are ambiguous': {
    holder: '10.0.0.1',
    pods: [pod('b', { podIPs: ['10.0.0.1'] }), pod('a', { podIPs: ['10.0.0.1'] })],
    is: 'HolderAmbiguous',
    message: /more than one pod: a, b$/,
  },
  'takes the label off a dead one': {
    pods: DB0_CRASHED,
    named: 'db-0',
    is: 'HolderDead',
    message: /container has ended: waiting/,
  },
  '… also on a record from before our time': {
    lease: FIRST_SIGHT,
    pods: DB0_CRASHED,
    is: 'HolderDead',
    message: /ended/,
  },
  '… and releases its Lease, when asked to': {
    pods: DB0_CRASHED,
    releases: true,
    rest: { release: RELEASE, ...WAKE },
    is: 'HolderDead',
    message: /emptying the Lease/,
  },
  '… but not when the Lease was touched since': {
    pods: DB0_CRASHED,
    lease: { seenAt: 31 },
    releases: true,
    is: 'HolderDead',
    message: /waiting until/,
  },
  '… nor when the renewal is of the second of the end': {
    pods: DB0_CRASHED,
    lease: { renewTime: '2026-01-01T12:10:11.000000Z' },
    releases: true,
    is: 'HolderDead',
    message: /waiting until/,
  },
  '… nor when an earlier pod of its name had acquired it, whose process may renew it still': {
    pods: DB0_CRASHED,
    lease: { acquireTime: '2026-01-01T11:59:59.999999Z' },
    releases: true,
    is: 'HolderDead',
    message: /waiting until/,
  },
  '… nor when it went by IP': {
    holder: '10.0.0.1',
    pods: [pod('db-0', { ...crashed, podIPs: ['10.0.0.1'] })],
    releases: true,
    is: 'HolderDead',
    message: /waiting until/,
  },
  'a node out of service is dead as well': {
    pods: [pod('db-0', { outOfService: DOWN })],
    releases: true,
    rest: { release: { ...RELEASE, confirm: { node: 'n', pod: { name: 'db-0', uid: 'uid-of-db-0' } } }, ...WAKE },
    is: 'HolderDead',
    message: /node is out of service: emptying/,
  },
  '… but of a pod that is gone nothing can confirm it': {
    pods: [pod('db-0', { deleted: true, outOfService: DOWN })],
    releases: true,
    is: 'HolderDead',
    message: /node is out of service: waiting until/,
  },
  'a deleted pod is not dead by that': {
    pods: gone(),
    releases: true,
    is: 'HolderUnknown',
    message: /was deleted: waiting/,
  },
  '… but by its last state': {
    pods: gone(crashed),
    releases: true,
    rest: { release: RELEASE, ...WAKE },
    is: 'HolderDead',
    message: /emptying/,
  },
  'phase Failed is no death': {
    pods: [pod('db-0', { phase: 'Failed' })],
    releases: true,
    is: 'holder uid-of-db-0',
    message: /db-0 holds/,
  },
  'nothing is released once it has expired': {
    pods: DB0_CRASHED,
    lease: { readMillis: 115_000 },
    now: 115_000,
    releases: true,
    rest: {},
    is: 'LeaseExpired',
    message: /has not renewed/,
  },
}

describe('mode Observe', () => {
  for (const [rule, row] of Object.entries(ROWS)) {
    it(`${rule}: ${row.is}`, () => {
      const identity = row.holder === undefined ? 'db-0' : row.holder
      const followed = follow(
        following({
          lease: lease(identity, row.lease),
          ...(row.pods ? { pods: row.pods } : {}),
          named: row.named === undefined ? undefined : { uid: `uid-of-${row.named}`, identity: row.named },
          releaseDeadHolder: row.releases ?? false,
          nowMillis: row.now ?? NOW,
        }),
      )
      const { target, ...rest } = followed
      assert.equal(inWords(followed), row.is)
      assert.match(target.message, row.message)
      assert.deepEqual(rest, row.rest ?? WAKE)
    })
  }

  it('names nobody without a Lease', () => {
    const followed = follow(following({ lease: undefined }))
    assert.deepEqual([inWords(followed), Object.keys(followed)], ['LeaseMissing', ['target']])
  })

  it('follows no Lease that another group writes, and says whose it is', () => {
    const followed = follow(following({ ownedBy: 'LeaderGroup web' }))
    assert.deepEqual([inWords(followed), Object.keys(followed)], ['LeaseHeldByAnother', ['target']])
    assert.match(followed.target.message, /Lease db belongs to LeaderGroup web/)
  })

  const tick = integer({ min: 0, max: 40 })
  const tools = { seenAt: tick, witnessed: boolean() }
  const anEnd = record({ finishedAt: integer({ min: NOON_10 + 8, max: NOON_10 + 13 }), ...tools })
  const anyPod = record({
    name: constantFrom('a', 'b', '10.0.0.1', '__proto__'),
    uid: constantFrom('uid-a', 'uid-b', 'uid-c'),
    podIPs: array(constantFrom('10.0.0.1', '', 'a'), { maxLength: 2 }),
    phase: constantFrom('Running', 'Failed', undefined),
    startTime: option(string(), { nil: undefined }),
    selected: boolean(),
    deleted: boolean(),
    hostNetwork: boolean(),
    appeared: boolean(),
    firstSeenAt: tick,
    podIPsSeenAt: tick,
    electing: array(
      record({
        name: constantFrom('app', 'log'),
        state: constantFrom('running', 'ended', 'unknown'),
        end: option(anEnd, { nil: undefined }),
      }),
      { maxLength: 2 },
    ),
    standstill: option(
      anEnd.map((each) => ({ ...each, names: ['app'] })),
      { nil: undefined },
    ),
    outOfService: option(record({ node: constantFrom('n'), ...tools }), { nil: undefined }),
  }).map(({ name, ...change }) => pod(name, change))
  const text = option(
    constantFrom('a', 'a_b', 'uid-a', '10.0.0.1', '__proto__', '', '2026-01-01T12:10:10.000000Z', '🦄'),
  )
  const number = option(constantFrom(0, -1, 1, 15, 2 ** 31 - 1, Infinity, 1e300))
  const garbage = dictionary(constantFrom('holderIdentity', 'acquireTime', 'renewTime'), text)
  const anything = record({
    record: garbage,
    leaseDurationSeconds: number,
    leaseTransitions: number,
    changed: boolean(),
    seenAt: tick,
    readMillis: option(integer({ min: 0, max: 300_000 }), { nil: undefined }),
    pods: array(anyPod, { maxLength: 4 }),
    named: option(record({ uid: constantFrom('uid-a', 'uid-b'), identity: constantFrom('a', '') }), { nil: undefined }),
    nowMillis: integer({ min: 100_000, max: 300_000 }),
    releaseDeadHolder: boolean(),
  }).map(({ record: written, leaseDurationSeconds, leaseTransitions, changed, seenAt, readMillis, ...rest }) =>
    following({
      ...rest,
      lease: {
        ...lease(undefined),
        ...written,
        leaseDurationSeconds,
        leaseTransitions,
        seenAt,
        readMillis,
        sight: { seenAt: 20, sinceMillis: 100_000, changed },
      },
    }),
  )

  it('says something of whatever it sees', () => {
    check(
      property(anything, (view) => {
        const followed = follow(view)
        assert.notEqual(followed.target.message, '')
        assert.ok(
          followed.wakeAt === undefined || (Number.isFinite(followed.wakeAt) && followed.wakeAt > view.nowMillis),
        )
        assert.deepEqual(follow(view), followed)
      }),
      runs(2000),
    )
  })

  it('names only a pod that is there, selected, meant by a record that we saw change, in its time, and not dead', () => {
    check(
      property(anything, (view) => {
        const { target } = follow(view)
        if (target.kind !== 'holder') return
        const { sight, leaseDurationSeconds } = view.lease!
        assert.ok(target.pod.selected && !target.pod.deleted && sight.changed)
        assert.ok(view.nowMillis < 100_000 + (leaseDurationSeconds! > 0 ? leaseDurationSeconds! : 15) * 1000)
        assert.ok(target.pod.outOfService === undefined || target.pod.outOfService.seenAt < sight.seenAt)
      }),
      runs(2000),
    )
  })

  it('lets a label stand only on the pod that the Lease means', () => {
    check(
      property(anything, (view) => {
        if (follow(view).target.kind !== 'stay') return
        assert.ok(
          view.named === undefined || view.pods.some(({ uid, selected }) => selected && uid === view.named?.uid),
        )
      }),
      runs(2000),
    )
  })

  it('releases only when asked to, what somebody holds, at the version that it saw before the death', () => {
    let released = 0
    check(
      property(anything, (view) => {
        const { release, target } = follow(view)
        if (!release) return
        released++
        assert.ok(view.releaseDeadHolder && target.kind === 'nobody' && target.reason === 'HolderDead')
        assert.equal(release.resourceVersion, view.lease?.resourceVersion)
        const witnesses = view.pods.flatMap(({ outOfService, electing }) => [
          outOfService,
          ...electing.map((each) => each.end),
        ])
        assert.ok(witnesses.some((each) => each?.witnessed && each.seenAt > view.lease!.seenAt))
      }),
      runs(5000),
    )
    assert.ok(released > 0, 'the property was never put to the test')
  })
})
