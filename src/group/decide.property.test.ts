import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { settle } from '../sim/explore/first-world.ts'
import { NOTHING, type World } from '../sim/explore/world.ts'
import { runs } from '../sim/runs.ts'
import { ineligibility } from './candidates.ts'
import { REFUSED_NAMESPACE } from './conditions.ts'
import { decide } from './decide.ts'
import type { GroupAction, PatchPod } from './decision.ts'
import { explain } from './explain/explain.ts'
import { GROUP_UID, NOW, pod } from './fixtures.ts'
import { foresee } from './explain/foresee.ts'
import { FORGED_LEAP, formatIdentity, parseMark, parseStamp, parseTerm } from './gate/gate.ts'
import { absentOr, anyAssigned, anyLease, anyObservation, anyPod, concerns } from './observation-fixtures.ts'
import type { GroupObservation } from './observation.ts'
import { bearsLead } from './seal.ts'

const LAST_TERM = 2 ** 53 - 2

function patchOf(action: GroupAction): PatchPod | undefined {
  return action.kind === 'patchPod' ? action : undefined
}

type Check = (o: GroupObservation, actions: readonly GroupAction[]) => void

function checkAll(check: Check, observations = anyObservation): void {
  fc.assert(
    fc.property(observations, (o) => check(o, decide(o, NOW).actions)),
    runs(1000),
  )
}

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
      runs(500),
    )
  })

  it('comes to rest when all that it asks for succeeds, with one leader at most, and can be explained', () => {
    let led = 0
    fc.assert(
      fc.property(anyObservation, (o) => {
        // No pod has such a name: a mark that names it could not be read again.
        fc.pre(o.pods.every((each) => each.name !== '__proto__'))
        const { end } = foresee(o, NOW)
        const { actions, reason } = decide(end, NOW)
        assert.deepEqual(actions, [])
        const labelled = end.pods.filter(bearsLead)
        // Without a term that is left there is no gate, and what takes a label off is a stamp under a gate.
        const isUsedUp = reason.includes('no higher term exists')
        assert.ok(labelled.length <= 1 || isUsedUp || o.namespace === REFUSED_NAMESPACE)
        if (!o.group) return
        const { leader, due, pods } = explain(end, o.group, NOW)
        assert.equal(due, undefined)
        assert.equal(pods.filter(({ verdict }) => verdict === 'leads').length, leader ? 1 : 0)
        if (leader) led++
      }),
      runs(1000),
    )
    assert.ok(led > 0, 'nobody ever led')
  })

  it('writes status once at most, at the version as seen', () => {
    checkAll((o, actions) => {
      const writes = actions.filter((action) => action.kind === 'writeStatus')
      assert.ok(writes.length <= 1)
      for (const { uid, resourceVersion } of writes) {
        assert.deepEqual([uid, resourceVersion], [o.group?.metadata.uid, o.group?.metadata.resourceVersion])
      }
    })
  })

  it('patches only the group’s keys, and only on pods as seen that are selected, named by the gate, or bear the group’s keys', () => {
    checkAll((o, actions) => {
      for (const patch of actions.map(patchOf).filter((each) => each !== undefined)) {
        const target = o.pods.find(({ uid }) => uid === patch.pod.uid)!
        const { name, uid, resourceVersion } = target
        assert.deepEqual(patch.pod, { name, uid, resourceVersion })
        assert.ok(concerns(target, o))
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
        assert.ok(o.lease.readAt !== undefined && o.lease.readAt > (target.untouchedSince ?? target.seenAt))
      }
    }, anyAssigned)
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
    }, anyAssigned)
    assert.ok(names > 0, 'no holder was ever named, so nothing was shown')
  })

  it('writes nothing to a Lease of another that lives, and nothing of a group that goes but clean-up', () => {
    checkAll((o, actions) => {
      const kinds = new Set(actions.map(({ kind }) => kind))
      if ((o.lease?.ownerUID !== GROUP_UID && o.lease) || o.group?.spec.mode === 'Observe') {
        assert.ok(!kinds.has('advanceGate') && !kinds.has('createGate'))
        const { mode, ownerUID, ownerName, seenAt = 0 } = o.lease ?? {}
        const isFormer = mode === 'Assign' && ownerUID !== undefined && ownerName === 'LeaderGroup db'
        assert.ok(!kinds.has('deleteGate') || (isFormer && o.groupReadAt! > seenAt && o.group?.spec.mode !== 'Observe'))
      }
      if (o.group?.spec.mode !== 'Observe') assert.ok(!kinds.has('releaseLease'))
      if (!o.group || o.group.metadata.deletionTimestamp !== undefined) {
        const cleansUp = ['readGroup', 'deleteService', 'deleteSlice']
        for (const action of actions) assert.ok(cleansUp.includes(action.kind) || patchOf(action)?.step === 'strip')
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
      runs(400),
    )
    assert.ok(led > 0, 'no world had a pod that can lead, so nothing was shown')
  })
})
