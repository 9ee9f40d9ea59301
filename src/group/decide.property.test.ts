import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { settle } from '../sim/explore/first-world.ts'
import { NOTHING, type World } from '../sim/explore/world.ts'
import { ineligibility } from './candidates.ts'
import { REFUSED_NAMESPACE } from './conditions.ts'
import { decide } from './decide.ts'
import type { GroupAction, PatchPod } from './decision.ts'
import { explain } from './explain.ts'
import { bearsLead } from './seal.ts'
import { foresee } from './foresee.ts'
import { FORGED_LEAP, formatIdentity, parseMark, parseStamp, parseTerm } from './gate.ts'
import type { GroupObservation, ObservedPod } from './observation.ts'
import { GATE_UID, GROUP_UID, NOW, bornLease, group, observation, pod } from './fixtures.ts'

const LAST_TERM = 2 ** 53 - 2

/** Whatever a stranger may write, mixed with what looks right. */
const hostile = fc.oneof(
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
const absentOr = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
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
const tick = fc.nat({ max: 12 })
const mostly = (value: boolean): fc.Arbitrary<boolean> =>
  fc.nat({ max: 19 }).map((dice) => (dice === 0 ? !value : value))

const anyPod: fc.Arbitrary<ObservedPod> = fc
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
  })
  .map((bare) => ({ ...pod('db-0'), ...bare }))

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
const anyLease = fc
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

const anyStatus = fc.record(
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

const anyGroup = fc
  .record({
    status: fc.oneof(fc.constant({ term: 6 }), absentOr(anyStatus)),
    paused: mostly(false),
    labelFollowers: fc.boolean(),
    seconds: fc.constantFrom(0, 0, 10),
    deleted: mostly(false),
  })
  .map(({ status, paused, labelFollowers, seconds, deleted }) =>
    group({
      status,
      spec: { paused, labelFollowers, failover: { notReadySeconds: seconds } },
      metadata: deleted ? { deletionTimestamp: 'now' } : {},
    }),
  )

const anyObservation: fc.Arbitrary<GroupObservation> = fc
  .record({
    group: fc.option(anyGroup, { nil: undefined, freq: 9 }),
    groupAbsentAt: absentOr(tick),
    pods: fc.uniqueArray(anyPod, { selector: ({ uid }) => uid, maxLength: 4 }),
    lease: fc.option(anyLease, { nil: undefined, freq: 9 }),
    podsListedAt: absentOr(tick),
    groupReadAt: absentOr(tick),
    gone: fc.uniqueArray(fc.constantFrom('u0', 'u1', 'u2')).map((uids) => new Set(uids)),
    memory: fc.record({
      statusWrittenAt: absentOr(fc.double({ noNaN: true })),
      takenBackAt: fc.array(fc.double({ noNaN: true }), { maxLength: 3 }),
      fault: absentOr(fc.record({ urgent: fc.boolean(), forbidden: fc.boolean(), message: hostile })),
      putOff: absentOr(fc.record({ failures: fc.nat(), until: fc.double({ noNaN: true }) })),
    }),
    namespace: fc.constantFrom('shop', 'shop', 'shop', 'shop', 'kube-node-lease'),
  })
  // A plain copy: what is compared below has no null prototypes. Of pods a group is shown only those that concern it.
  .map((change) =>
    observation(structuredClone({ ...change, pods: change.pods.filter((each) => concerns(each, change.lease)) })),
  )

function concerns(each: ObservedPod, lease: GroupObservation['lease']): boolean {
  const bears = [each.role, each.term, each.sealed].some((value) => value !== undefined)
  return each.selected || bears || parseMark(lease?.mark)?.holder?.uid === each.uid
}

function patchOf(action: GroupAction): PatchPod | undefined {
  return action.kind === 'patchPod' ? action : undefined
}

const checkAll = (check: (o: GroupObservation, actions: readonly GroupAction[]) => void): void =>
  fc.assert(
    fc.property(anyObservation, (o) => check(o, decide(o, NOW).actions)),
    { numRuns: 1000 },
  )

describe('decide, whatever it is shown', () => {
  it('always decides, and the same each time', () => {
    fc.assert(
      fc.property(anyObservation, (o) => {
        const before = structuredClone(o)
        const decision = decide(o, NOW)
        assert.deepEqual(decide(structuredClone(o), NOW), decision)
        assert.deepEqual(o, before)
        assert.ok(decision.wakeAt === undefined || decision.wakeAt > NOW.monotonic)
      }),
      { numRuns: 500 },
    )
  })

  it('comes to rest when all that it asks for succeeds, with one leader at most, and can be explained', () => {
    let led = 0
    fc.assert(
      fc.property(anyObservation, (o) => {
        // No pod has such a name: a mark that names it could not be read again.
        fc.pre(o.pods.every((each) => each.name !== '__proto__'))
        const { end } = foresee(o, NOW)
        assert.deepEqual(decide(end, NOW).actions, [])
        const labelled = end.pods.filter(bearsLead)
        assert.ok(labelled.length <= 1 || o.namespace === REFUSED_NAMESPACE)
        if (!o.group) return
        const { leader, due, pods } = explain(end, o.group, NOW)
        assert.equal(due, undefined)
        assert.equal(pods.filter(({ verdict }) => verdict === 'leads').length, leader ? 1 : 0)
        if (leader) led++
      }),
      { numRuns: 1000 },
    )
    assert.ok(led > 0, 'nobody ever led')
  })

  it('patches only the group’s keys, and only on pods as seen that are selected, named by the gate, or bear the group’s keys', () => {
    checkAll((o, actions) => {
      for (const patch of actions.map(patchOf).filter((each) => each !== undefined)) {
        const target = o.pods.find(({ uid }) => uid === patch.pod.uid)!
        const { name, uid, resourceVersion } = target
        assert.deepEqual(patch.pod, { name, uid, resourceVersion })
        assert.ok(concerns(target, o.lease))
        if (!target.selected) assert.notEqual(patch.step, 'label')
        for (const key of [...Object.keys(patch.labels), ...Object.keys(patch.annotations)]) {
          assert.match(key, /^db\.leadergroup\.io\/(role|term|sealed)$/)
        }
      }
    })
  })

  it('labels only the pod that the gate names, stamped below its term, on a gate read after it', () => {
    let labels = 0
    checkAll((o, actions) => {
      for (const patch of actions.map(patchOf).filter((each) => each !== undefined)) {
        const [role] = Object.values(patch.labels)
        if (role === 'follower') assert.ok(o.group?.spec.labelFollowers && patch.step !== 'label')
        if (role !== 'leader') {
          assert.ok(role === null || role === 'follower')
          continue
        }
        labels++
        const mark = parseMark(o.lease?.mark)
        const target = o.pods.find(({ uid }) => uid === patch.pod.uid)!
        const stamped = parseStamp(target.sealed)
        assert.ok(mark && o.lease && stamped)
        assert.equal(o.lease.ownerUID, GROUP_UID)
        assert.equal(mark.holder?.uid, target.uid)
        assert.equal(mark.gateUID, o.lease.uid)
        assert.equal(o.lease.holderIdentity, formatIdentity(mark.holder))
        assert.deepEqual(Object.values(patch.annotations), [String(mark.term)])
        assert.equal(stamped.gateUID, o.lease.uid)
        assert.ok(stamped.term < mark.term)
        assert.ok(o.lease.readAt !== undefined && o.lease.readAt > target.seenAt)
      }
    })
    assert.ok(labels > 0, 'no label was ever due, so nothing was shown')
  })

  it('names a holder only when nobody bears a label, one that is enrolled, in a term above all in sight', () => {
    let names = 0
    checkAll((o, actions) => {
      for (const action of actions) {
        if (action.kind !== 'advanceGate') continue
        names++
        const { lease, group: of } = o
        assert.ok(lease && of)
        assert.deepEqual([action.uid, action.resourceVersion], [lease.uid, lease.resourceVersion])
        const labelled = o.pods.filter(
          ({ role, term: bears }) => (role !== undefined && role !== 'follower') || bears !== undefined,
        )
        assert.deepEqual(labelled, [])
        const target = o.pods.find(({ uid }) => uid === action.holder.uid)
        assert.ok(target && parseStamp(target.sealed)?.gateUID === lease.uid)
        const { failover, paused } = of.spec
        assert.ok([undefined, failover?.notReadySeconds ? 'is not ready' : undefined].includes(ineligibility(target)))
        const markedTerm = parseMark(lease.mark)!.term
        if (paused) assert.ok([of.status?.holderUID, parseMark(lease.mark)?.holder?.uid].includes(target.uid))
        assert.ok((of.status?.term ?? 0) >= markedTerm)
        const inSight = o.pods.flatMap((each) => [parseStamp(each.sealed)?.term ?? 0, parseTerm(each.term) ?? 0])
        for (const number of [...inSight, markedTerm, of.status?.term ?? 0])
          assert.ok(action.term > number || number >= markedTerm + FORGED_LEAP)
        assert.ok(action.term <= LAST_TERM)
      }
    })
    assert.ok(names > 0, 'no holder was ever named, so nothing was shown')
  })

  it('writes nothing to a Lease of another, and nothing of a group that goes but clean-up', () => {
    checkAll((o, actions) => {
      const kinds = new Set(actions.map(({ kind }) => kind))
      if (o.lease?.ownerUID !== GROUP_UID && o.lease) {
        assert.ok(!kinds.has('advanceGate') && !kinds.has('deleteGate') && !kinds.has('createGate'))
      }
      if (!o.group || o.group.metadata.deletionTimestamp !== undefined) {
        for (const action of actions) assert.ok(action.kind === 'readGroup' || patchOf(action)?.step === 'strip')
      }
    })
  })
})

const serverPods = fc.array(anyPod, { minLength: 1, maxLength: 4 }).map((pods) =>
  pods.map((each, index) => ({
    ...each,
    name: `p${index}`,
    uid: `u${index}`,
    byHand: false,
    process: { number: 1, running: true, endedAt: undefined },
  })),
)
const small = fc.nat({ max: 1000 })
/** Any pods, any Lease of the group's, any status: as a stranger, a crash or an older version may have left them. */
const anyWorld: fc.Arbitrary<World> = fc
  .record({
    pods: serverPods,
    lease: fc.option(anyLease, { nil: undefined, freq: 9 }),
    term: small,
    holderUID: absentOr(fc.constantFrom('u0', 'u1')),
  })
  .map(({ pods, lease, term, holderUID }) => ({
    mode: 'Assign',
    identity: 'name',
    pods: pods.map((each, index) => ({ ...each, resourceVersion: String(index + 1) })),
    lease: lease && {
      ...lease,
      resourceVersion: '9',
      ownerUID: lease.ownerUID === GROUP_UID ? 'group' : lease.ownerUID,
    },
    group: { version: 10, status: holderUID === undefined ? { term } : { term, holderUID } },
    operators: [],
    budget: NOTHING,
    serial: 11,
    past: { named: lease?.mark, highestTerm: 0, followed: undefined },
  }))

describe('decide, left to itself', () => {
  it('comes to rest from whatever it finds, with the one label that is due', () => {
    let led = 0
    fc.assert(
      fc.property(anyWorld, (world) => {
        const pods = world.pods.filter((each) => each !== undefined)
        const exhausted = [
          ...pods.map((each) => parseStamp(each.sealed)?.term),
          ...pods.map((each) => parseTerm(each.term)),
          parseMark(world.lease?.mark)?.term,
        ].some((number) => (number ?? 0) > LAST_TERM - 10)
        fc.pre(!exhausted)
        const two = pods.filter(({ role }) => role === 'leader').length > 1
        const rest = settle(world)
        const labelled = rest.pods.filter((each) => each?.role === 'leader')
        if (!two) assert.equal(rest.violation, undefined)
        if (rest.lease?.ownerUID !== 'group') {
          assert.deepEqual(rest.lease, world.lease)
          assert.deepEqual(labelled, [])
          return
        }
        assert.ok(labelled.length <= 1)
        const able = rest.pods.filter((each) => each && ineligibility(pod('x', each)) === undefined)
        if (able.length === 0) return
        led++
        assert.equal(labelled.length, 1)
        assert.equal(parseMark(rest.lease.mark)?.holder?.uid, labelled[0]?.uid)
        assert.equal(ineligibility(pod('x', labelled[0])), undefined)
        assert.ok(rest.pods.every((each) => each?.role === undefined || each.role === 'leader'))
      }),
      { numRuns: 400 },
    )
    assert.ok(led > 0, 'no world had a pod that can lead, so nothing was shown')
  })
})
