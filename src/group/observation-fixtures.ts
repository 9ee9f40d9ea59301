/** Only for tests: whatever a group may find, in both modes, hostile or damaged; mostly what looks right. */
import * as fc from 'fast-check'
import { bearsKeys } from './seal.ts'
import { GATE_UID, GROUP_UID, NOW, bornLease, group, observation, pod } from './fixtures.ts'
import { formatIdentity, parseMark } from './gate/gate.ts'
import type { LeaderGroup, LeaderGroupStatus } from './leadergroup.ts'
import type { GroupObservation, ObservedLease, ObservedPod } from './observation.ts'
import { GROUP_OWNER, observedService, observedSlice } from './routing/fixtures.ts'

const LAST_TERM = 2 ** 53 - 2

/** Whatever a stranger may write, mixed with what looks right. */
export const hostile = fc.oneof(
  fc.constantFrom(
    '',
    '__proto__',
    'constructor',
    'leader',
    'follower',
    '-',
    '-/0',
    'true',
    '\u0000',
    '🦊/1',
    '../..',
    '4',
  ),
  fc.string({ unit: 'grapheme' }),
  fc.string(),
)
const name = fc.constantFrom('db-0', 'db-1', 'db-2', '__proto__')
const term = fc.oneof(
  { weight: 20, arbitrary: fc.nat({ max: 6 }) },
  fc.nat({ max: LAST_TERM }),
  fc.constantFrom(LAST_TERM, 2 ** 53),
)
export const absentOr = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 3 })
const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const termText = fc.oneof(term.map(String), hostile)
const stamp = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.tuple(fc.constantFrom('gate-1', 'gate-1', 'gate-1', 'gate-0'), term).map(([uid, n]) => `${uid}/${n}`),
  },
  { weight: 1, arbitrary: hostile },
)
export const tick = fc.nat({ max: 12 })
export const mostly = (value: boolean): fc.Arbitrary<boolean> =>
  fc.nat({ max: 19 }).map((dice) => (dice === 0 ? !value : value))

/** Seconds since 1970 of {@link RENEWED}. */
const RENEWED_AT = 1_767_225_690
const RENEWED = '2026-01-01T00:01:30.000000Z'
const seen = { seenAt: tick, witnessed: fc.boolean() }
const anyEnd = fc.record({ finishedAt: fc.integer({ min: RENEWED_AT - 1, max: RENEWED_AT + 2 }), ...seen })
const anyContainer = fc.record({
  name: fc.constantFrom('app', 'log'),
  state: fc.constantFrom('running', 'waiting', 'ended', 'unknown'),
  end: rarely(anyEnd),
})

export const anyPod: fc.Arbitrary<ObservedPod> = fc
  .record({
    name,
    uid: fc.constantFrom('u0', 'u0', 'u1', 'u1', 'u2', '-', 'constructor'),
    resourceVersion: fc.nat().map(String),
    seenAt: fc.nat({ max: 6 }),
    selected: mostly(true),
    phase: fc.oneof({ weight: 19, arbitrary: fc.constant('Running') }, absentOr(hostile)),
    terminating: mostly(false),
    ready: mostly(true),
    readyTime: absentOr(hostile),
    notReadySince: absentOr(fc.double()),
    excluded: mostly(false),
    revision: absentOr(hostile),
    creationTime: hostile,
    role: rarely(fc.oneof(fc.constant('leader'), fc.constant('follower'), hostile)),
    term: rarely(termText),
    sealed: fc.oneof({ weight: 9, arbitrary: stamp }, { weight: 1, arbitrary: fc.constant(undefined) }),
    podIPs: fc.constantFrom([], ['10.0.0.1']),
    nodeName: absentOr(hostile),
    zone: absentOr(hostile),
    ports: fc.constant([]),
    hostNetwork: mostly(false),
    podIPsSeenAt: fc.nat({ max: 6 }),
    firstSeenAt: fc.nat({ max: 3 }),
    appeared: fc.boolean(),
    startTime: absentOr(fc.oneof(fc.constant('2026-01-01T00:00:00Z'), hostile)),
    electing: fc.array(anyContainer, { maxLength: 2 }),
    standstill: rarely(anyEnd.map((end) => ({ ...end, names: ['app'] }))),
    outOfService: rarely(fc.record({ node: fc.constant('n'), ...seen })),
  })
  .chain((bare) =>
    fc
      .oneof({ weight: 4, arbitrary: fc.constant({}) }, fc.record({ untouchedSince: fc.nat({ max: bare.seenAt }) }))
      .map((past) => ({ ...pod('db-0'), ...bare, ...past })),
  )

const anyMark = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .tuple(
        fc.constantFrom('db-0_u0', 'db-0_u0', 'db-1_u1', '-', '__proto___u0', 'db-2_constructor'),
        fc.constant(GATE_UID),
        term,
      )
      .map((parts) => parts.join('/')),
  },
  { weight: 1, arbitrary: hostile },
)
/** Mostly a gate that is just as we write it. */
export const anyLease = fc
  .record({
    seenAt: tick,
    readAt: fc.oneof({ weight: 5, arbitrary: tick }, { weight: 1, arbitrary: fc.constant(undefined) }),
    ownerUID: absentOr(fc.constantFrom(GROUP_UID, GROUP_UID, GROUP_UID, 'another')),
    mode: fc.constantFrom('Assign', 'Observe', undefined),
    mark: anyMark,
    holderIdentity: absentOr(
      fc.oneof(
        fc.tuple(name, fc.constantFrom('u0', 'u1')).map((parts) => parts.join('_')),
        hostile,
      ),
    ),
    transitions: absentOr(fc.oneof(term, fc.double())),
    acquireTime: absentOr(hostile),
    agrees: mostly(true),
    holder: name,
  })
  .map(({ agrees, holder, ...lease }) => {
    const mark = parseMark(lease.mark)
    if (!agrees || !mark) return bornLease(lease)
    const transitions = Math.min(mark.term, 2 ** 31 - 1)
    return bornLease({
      ...lease,
      transitions,
      holderIdentity: mark.holder ? formatIdentity(mark.holder) : holder,
      uid: mark.gateUID ?? GATE_UID,
      ownerUID: GROUP_UID,
      mode: 'Assign',
    })
  })

const anyStatus: fc.Arbitrary<LeaderGroupStatus> = fc.record(
  {
    term: fc.nat({ max: LAST_TERM }),
    holder: name,
    holderUID: fc.constantFrom('u0', 'u1', 'u9'),
    transitions: fc.nat(),
    history: fc.array(fc.record({ holder: name, term, acquireTime: hostile }), { maxLength: 10 }),
    conditions: fc.array(
      fc.record({
        type: fc.constantFrom('Ready', 'x'),
        status: fc.constant('True' as const),
        reason: hostile,
        message: hostile,
        lastTransitionTime: hostile,
      }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
)

const PORTS = [{ port: 5432 }]
const LEADER = { name: 'db', role: 'Leader' as const, ports: PORTS }
const FOLLOWERS = { name: 'db-ro', role: 'Follower' as const, ports: PORTS }
const SELECTOR = { ...LEADER, routing: 'Selector' as const }
const anyWishes = fc.constantFrom(
  [],
  [],
  [LEADER],
  [LEADER, FOLLOWERS],
  [SELECTOR, FOLLOWERS],
  [{ ...LEADER, headless: true }],
)

/** Ours as it should be, ours in another form, and somebody else's. */
const anyServices = fc.uniqueArray(
  fc
    .record({
      name: fc.constantFrom('db', 'db-ro', 'old'),
      ownerReferences: fc.constantFrom([GROUP_OWNER], [GROUP_OWNER], []),
      labels: fc.constantFrom({ 'leadergroup.io/group': 'db' }, {}),
      selector: fc.constantFrom({}, { app: 'x' }, { 'db.leadergroup.io/role': 'leader' }),
      type: fc.constantFrom('ClusterIP', 'NodePort'),
    })
    .map(({ name: service, ...change }) => observedService(service, change)),
  { selector: (service) => service.name, maxLength: 3 },
)

const anySlices = fc.uniqueArray(
  fc
    .record({
      name: fc.constantFrom('db-leader-ipv4', 'db-ro-follower-ipv4-0', 'db-ro-follower-ipv4-1', 'old-leader-ipv4', 'x'),
      seenAt: tick,
      own: mostly(true),
      behind: fc.constantFrom('db', 'db-ro'),
      uid: fc.constantFrom('u0', 'u1', 'u2'),
      term: termText,
    })
    .map(({ name: slice, own, behind, uid, ...rest }) =>
      observedSlice(slice, {
        seenAt: rest.seenAt,
        labels: {
          'kubernetes.io/service-name': behind,
          ...(own ? { 'endpointslice.kubernetes.io/managed-by': 'leadergroup.io', 'leadergroup.io/group': 'db' } : {}),
        },
        annotations: { 'db.leadergroup.io/term': rest.term },
        endpoints: [{ addresses: ['10.0.0.1'], targetRef: { kind: 'Pod', uid } }],
      }),
    ),
  { selector: (slice) => slice.name, maxLength: 4 },
)

const anyGroup = fc
  .record({
    status: fc.oneof(fc.constant({ term: 6 }), absentOr(anyStatus)),
    paused: mostly(false),
    labelFollowers: fc.boolean(),
    seconds: fc.constantFrom(0, 0, 10),
    deleted: mostly(false),
    services: anyWishes,
  })
  .map(({ status, paused, labelFollowers, seconds, deleted, services }) =>
    group({
      status,
      spec: { paused, labelFollowers, failover: { notReadySeconds: seconds }, services },
      metadata: deleted ? { deletionTimestamp: 'now' } : {},
    }),
  )

const anyRest = {
  groupAbsentAt: absentOr(tick),
  pods: fc.uniqueArray(anyPod, { selector: ({ uid }) => uid, maxLength: 4 }),
  services: anyServices,
  slices: anySlices,
  podsListedAt: absentOr(tick),
  groupReadAt: absentOr(tick),
  gone: fc.uniqueArray(fc.constantFrom('u0', 'u1', 'u2')).map((uids) => new Set(uids)),
  memory: fc.record({
    statusWrittenAt: absentOr(fc.double({ noNaN: true })),
    takenBackAt: fc.array(fc.double({ noNaN: true }), { maxLength: 3 }),
    fault: absentOr(
      fc.record({ urgent: fc.boolean(), routing: fc.boolean(), forbidden: fc.boolean(), message: hostile }),
    ),
    putOff: absentOr(fc.record({ failures: fc.nat(), until: fc.double({ noNaN: true }) })),
  }),
  namespace: fc.constantFrom('shop', 'shop', 'shop', 'shop', 'kube-node-lease'),
}

/** Mode Assign. */
export const anyAssigned: fc.Arbitrary<GroupObservation> = fc
  .record({
    ...anyRest,
    group: fc.option(anyGroup, { nil: undefined, freq: 9 }),
    lease: fc.option(anyLease, { nil: undefined, freq: 9 }),
  })
  .map(observed)

/** As an elector writes it, or whoever else may. */
const anyElectorsLease: fc.Arbitrary<ObservedLease> = fc
  .record({
    uid: fc.constantFrom('lease-1', 'lease-1', 'lease-2'),
    resourceVersion: fc.nat({ max: 300 }).map(String),
    seenAt: tick,
    readAt: fc.oneof({ weight: 5, arbitrary: tick }, { weight: 1, arbitrary: fc.constant(undefined) }),
    ownerUID: rarely(fc.constantFrom(GROUP_UID, 'another')),
    ownerName: rarely(fc.constantFrom('LeaderGroup web', 'StatefulSet db')),
    mode: rarely(fc.constantFrom('Assign', 'Observe')),
    mark: rarely(anyMark),
    holderIdentity: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('db-0', 'db-0_x', 'db-1', 'db-1_u1', 'db-2', 'u0', '', undefined) },
      { weight: 1, arbitrary: fc.constantFrom('10.0.0.1') },
      { weight: 1, arbitrary: hostile },
    ),
    transitions: absentOr(fc.nat()),
    acquireTime: absentOr(fc.oneof(fc.constant(RENEWED), hostile)),
    renewTime: fc.oneof({ weight: 5, arbitrary: fc.constant(RENEWED) }, { weight: 1, arbitrary: absentOr(hostile) }),
    leaseDurationSeconds: fc.oneof(
      { weight: 9, arbitrary: fc.constant(15) },
      { weight: 1, arbitrary: absentOr(fc.oneof(fc.constantFrom(0, -1, 1), fc.double())) },
    ),
    sight: fc.record({
      seenAt: tick,
      sinceMillis: fc.integer({ min: NOW.monotonic - 16_000, max: NOW.monotonic }),
      changed: fc.constantFrom(true, true, true, false),
    }),
    readMillis: absentOr(fc.integer({ min: NOW.monotonic - 16_000, max: NOW.monotonic })),
  })
  .map(bornLease)

/** Mostly a gate that is just as we write it, of any kind. */
const anyGateStatus: fc.Arbitrary<LeaderGroupStatus> = fc
  .record({
    status: anyStatus,
    mark: fc.oneof(
      {
        weight: 9,
        arbitrary: anyMark.map((mark) => mark.replace('__proto__', 'db-2').replace(`/${GATE_UID}/`, `/${GROUP_UID}/`)),
      },
      { weight: 1, arbitrary: term.map((number) => `-/-/${number}`) },
    ),
    agrees: fc.constantFrom(true, true, true, false),
    leaseVersion: absentOr(
      fc.oneof(
        fc.nat({ max: 300 }).map((version) => `lease-1/${version}`),
        fc.constant('-'),
        hostile,
      ),
    ),
  })
  .map(({ status, mark, agrees, leaseVersion }) => {
    const parsed = parseMark(mark)
    const { holder: _, holderUID: __, term: ___, ...rest } = status
    const version = leaseVersion === undefined ? {} : { leaseVersion }
    if (!agrees || !parsed) return { ...status, ...version, gate: mark }
    const { holder } = parsed
    const named = holder ? { holder: holder.name, holderUID: holder.uid } : {}
    return { ...rest, ...version, ...named, gate: mark, term: parsed.term }
  })

const anyFollowedGroup: fc.Arbitrary<LeaderGroup> = fc
  .record({
    status: fc.oneof({ weight: 9, arbitrary: anyGateStatus }, { weight: 1, arbitrary: absentOr(anyStatus) }),
    labelFollowers: fc.boolean(),
    releaseDeadHolder: fc.boolean(),
    deleted: mostly(false),
    services: anyWishes,
  })
  .map(({ status, labelFollowers, releaseDeadHolder, deleted, services }) =>
    group({
      status,
      spec: { mode: 'Observe', labelFollowers, failover: { releaseDeadHolder }, services },
      metadata: deleted ? { deletionTimestamp: 'now' } : {},
    }),
  )

/** Nothing to the group, unless gate or Lease name it. */
const BARE = { selected: false, role: undefined, term: undefined, sealed: undefined }

/**
 * Mode Observe. Mostly each pod has the UID that goes with its name, often the Lease names whom the gate names, or
 * somebody is dead, or the holder is not labelled yet; else too little would ever be done.
 */
export const anyFollowed: fc.Arbitrary<GroupObservation> = fc
  .record({
    ...anyRest,
    pods: fc
      .array(fc.record({ each: anyPod, isItself: mostly(true), isBare: mostly(false) }), {
        minLength: 2,
        maxLength: 3,
        size: 'max',
      })
      .map((pods) =>
        pods.map(({ each, isItself, isBare }, index) => ({
          ...each,
          ...(isItself ? named(index) : {}),
          ...(isBare ? BARE : {}),
        })),
      )
      .filter((pods) => new Set(pods.map(({ uid }) => uid)).size === pods.length),
    group: anyFollowedGroup,
    lease: fc.option(anyElectorsLease, { nil: undefined, freq: 9 }),
    leaseAbsentAt: absentOr(tick),
    groupSeenAt: fc.nat({ max: 6 }),
    isFollowed: fc.boolean(),
    isDead: fc.constantFrom(false, false, true),
    isNamed: fc.boolean(),
    namespace: fc.oneof({ weight: 19, arbitrary: fc.constant('shop') }, { weight: 1, arbitrary: anyRest.namespace }),
    deletedPods: fc.array(
      anyPod.map((last) => ({ ...last, deleted: true })),
      { maxLength: 1 },
    ),
  })
  .map(({ pods, isFollowed, isDead, isNamed, lease, ...rest }) => {
    const { holder, holderUID, term: number = 0 } = rest.group.status ?? {}
    const unlabelled = { role: undefined, term: undefined, sealed: `${GROUP_UID}/${Math.max(number - 1, 0)}` }
    return observed({
      ...rest,
      lease: lease && isFollowed && holder !== undefined ? { ...lease, holderIdentity: `${holder}_x` } : lease,
      pods: pods.map((each) => ({
        ...each,
        ...(isDead ? { outOfService: { node: 'n', seenAt: 13, witnessed: true } } : {}),
        sealed: each.sealed?.replace(`${GATE_UID}/`, `${GROUP_UID}/`),
        ...(isNamed && each.uid === holderUID ? unlabelled : {}),
      })),
    })
  })

function named(index: number): Pick<ObservedPod, 'name' | 'uid'> {
  return { name: `db-${index}`, uid: `u${index}` }
}

export const anyObservation: fc.Arbitrary<GroupObservation> = fc.oneof(anyAssigned, anyFollowed)

/** A plain copy: what is compared has no null prototypes. Of pods a group is shown only those that concern it. */
function observed(change: Partial<GroupObservation>): GroupObservation {
  const o = observation(structuredClone(change))
  const holder = o.group?.spec.mode === 'Observe' ? (o.lease?.holderIdentity ?? '').split('_', 1)[0] : undefined
  return { ...o, pods: o.pods.filter((each) => concerns(each, o) || each.name === holder) }
}

/** It is selected, bears keys of the group, or is the one that the gate names. */
export function concerns(each: ObservedPod, { group: of, lease }: GroupObservation): boolean {
  const mark = of?.spec.mode === 'Observe' ? of.status?.gate : lease?.mark
  return each.selected || bearsKeys(each) || parseMark(mark)?.holder?.uid === each.uid
}
