import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { runs } from '../sim/runs.ts'
import { decide } from './decide.ts'
import type { GroupAction, WriteStatus } from './decision.ts'
import { GROUP_UID, NOW } from './fixtures.ts'
import { FORGED_LEAP, LAST_TERM, parseMark, parseStamp, parseTerm, type Mark } from './gate/gate.ts'
import { isNewer } from '../election/version.ts'
import { anyFollowed } from './observation-fixtures.ts'
import type { GroupObservation } from './observation.ts'
import { bearsLead } from './seal.ts'

/** What is decided of any observation in mode Observe, action by action; and how many of them the check was about. */
function checkEach(check: (o: GroupObservation, action: GroupAction) => boolean): number {
  let checked = 0
  fc.assert(
    fc.property(anyFollowed, (o) => {
      // No pod has such a name: a mark that names it could not be read again.
      fc.pre(o.pods.every(({ name }) => name !== '__proto__'))
      for (const action of decide(o, NOW).actions) if (check(o, action)) checked++
    }),
    runs(2000),
  )
  return checked
}

/** The mark of the gate, if status agrees with it. */
function agreed({ group }: GroupObservation): Mark | undefined {
  const { status } = group!
  const mark = parseMark(status?.gate)
  const agrees =
    mark?.gateUID === GROUP_UID &&
    status?.term === mark.term &&
    status.holder === mark.holder?.name &&
    status.holderUID === mark.holder?.uid
  return agrees ? mark : undefined
}

/** A quorum read of the Lease, or of its absence, that began after the gate was seen. */
function leaseReadSince({ lease, leaseAbsentAt, groupSeenAt = 0 }: GroupObservation): boolean {
  return ((lease ? lease.readAt : leaseAbsentAt) ?? -1) > groupSeenAt
}

/** As it is known here it is older than the Lease that the gate follows. */
function isBehind({ lease, group }: GroupObservation): boolean {
  const [uid, version = ''] = (group?.status?.leaseVersion ?? '').split('/')
  return lease !== undefined && lease.uid === uid && isNewer(version, lease.resourceVersion)
}

const isGateWrite = (action: GroupAction): action is WriteStatus & { readonly gate: Mark } =>
  action.kind === 'writeStatus' && action.gate !== undefined

describe('decide in mode Observe, whatever it is shown', () => {
  it('labels only the pod that the gate names, stamped below its term, on a gate read after it', () => {
    const labels = checkEach((o, action) => {
      if (action.kind !== 'patchPod' || action.step !== 'label') return false
      const mark = agreed(o)
      const target = o.pods.find(({ uid }) => uid === action.pod.uid)!
      const stamp = parseStamp(target.sealed)
      assert.equal(mark?.holder?.uid, target.uid)
      assert.equal(stamp?.gateUID, GROUP_UID)
      assert.ok(stamp.term < mark.term)
      assert.ok((o.groupReadAt ?? -1) > (target.untouchedSince ?? target.seenAt))
      assert.deepEqual(action.labels, { 'db.leadergroup.io/role': 'leader' })
      assert.deepEqual(action.annotations, { 'db.leadergroup.io/term': String(mark.term) })
      return true
    })

    assert.ok(labels > 0, 'no label was ever due, so nothing was shown')
  })

  it('labels only a holder that was seen to write the Lease, and whose time is not over', () => {
    const labels = checkEach((o, action) => {
      if (action.kind !== 'patchPod' || action.step !== 'label') return false
      const { lease } = o
      const target = o.pods.find(({ uid }) => uid === action.pod.uid)!
      assert.ok(lease?.holderIdentity && lease.sight.changed && target.selected)
      assert.equal(lease.ownerName?.startsWith('LeaderGroup') ?? false, false)
      assert.ok([target.name, target.uid, ...target.podIPs].includes(lease.holderIdentity.split('_', 1)[0]!))
      const said = lease.leaseDurationSeconds ?? 0
      assert.ok(NOW.monotonic - lease.sight.sinceMillis < (said > 0 ? said : 15) * 1000)
      return true
    })

    assert.ok(labels > 0, 'no label was ever due, so nothing was shown')
  })

  it('names a holder only when nobody bears a label, one that is enrolled, in a term above all in sight', () => {
    const names = checkEach((o, action) => {
      if (!isGateWrite(action) || !action.gate.holder) return false
      const { holder, term, gateUID } = action.gate
      assert.deepEqual(o.pods.filter(bearsLead), [])
      const target = o.pods.find(({ uid }) => uid === holder.uid)
      assert.equal(parseStamp(target?.sealed)?.gateUID, GROUP_UID)
      assert.ok(target?.selected && gateUID === GROUP_UID)
      const marked = parseMark(o.group?.status?.gate)!.term
      const inSight = o.pods.flatMap((each) => [parseStamp(each.sealed)?.term ?? 0, parseTerm(each.term) ?? 0])
      for (const number of [...inSight, marked, o.group?.status?.term ?? 0])
        assert.ok(term > number || number >= marked + FORGED_LEAP)
      assert.ok(term <= LAST_TERM)
      return true
    })

    assert.ok(names > 0, 'no holder was ever named, so nothing was shown')
  })

  it('moves the gate only once the holder before is sealed or gone, and all are where it is not known', () => {
    const moves = checkEach((o, action) => {
      if (!isGateWrite(action) || action.gate.gateUID === undefined) return false
      const before = agreed(o)
      const sealedAt = (uid: string): number | undefined => {
        const each = o.pods.find((pod) => pod.uid === uid)
        const stamp = parseStamp(each?.sealed)
        return each && !bearsLead(each) && stamp?.gateUID === GROUP_UID ? stamp.term : undefined
      }
      if (before?.holder) {
        const { uid } = before.holder
        assert.ok((sealedAt(uid) ?? -1) >= before.term || (o.gone.has(uid) && !o.pods.some((pod) => pod.uid === uid)))
      }
      if (!before) {
        const { term } = parseMark(o.group?.status?.gate)!
        for (const { uid, selected } of o.pods) assert.ok(!selected || (sealedAt(uid) ?? -1) >= term)
        assert.ok((o.podsListedAt ?? -1) > (o.groupSeenAt ?? 0))
      }
      return true
    })

    assert.ok(moves > 0, 'the gate was never moved, so nothing was shown')
  })

  it('moves the gate by no Lease that is older than what it follows, and says which one that is', () => {
    const moves = checkEach((o, action) => {
      if (!isGateWrite(action) || action.gate.gateUID === undefined) return false
      assert.ok(!isBehind(o) || leaseReadSince(o))
      const { lease, group } = o
      const changedUnderOurEyes =
        lease?.sight.changed === true && group?.status?.leaseVersion?.startsWith(`${lease.uid}/`)
      const isRead = leaseReadSince(o) || (lease?.readAt !== undefined && !isBehind(o))
      assert.ok(isRead || changedUnderOurEyes)
      assert.equal(action.status.leaseVersion, lease ? `${lease.uid}/${lease.resourceVersion}` : '-')
      return true
    })

    assert.ok(moves > 0, 'the gate was never moved, so nothing was shown')
  })

  it('writes of status what agrees with its mark, or leaves one that was open so', () => {
    const writes = checkEach((o, action) => {
      if (action.kind !== 'writeStatus') return false
      const { gate, term, holder, holderUID } = action.status
      const mark = parseMark(gate)
      assert.equal(gate === undefined, mark === undefined)
      if (mark) assert.deepEqual([term, holder, holderUID], [mark.term, mark.holder?.name, mark.holder?.uid])
      if (!action.gate) assert.equal(mark?.gateUID, agreed(o)?.gateUID)
      return true
    })

    assert.ok(writes > 0, 'status was never written, so nothing was shown')
  })

  it('empties a Lease only where it may, as seen, of whoever holds it', () => {
    const releases = checkEach((o, action) => {
      if (action.kind !== 'releaseLease') return false
      const { lease, group } = o
      assert.equal(group?.spec.failover?.releaseDeadHolder, true)
      assert.ok(lease?.holderIdentity)
      assert.deepEqual(
        [action.uid, action.resourceVersion, action.holderIdentity],
        [lease.uid, lease.resourceVersion, lease.holderIdentity],
      )
      const witnesses = [...o.pods, ...o.deletedPods].flatMap((each) => [
        each.outOfService,
        ...each.electing.map(({ end }) => end),
      ])
      assert.ok(witnesses.some((each) => each?.witnessed && each.seenAt > lease.seenAt))
      return true
    })

    assert.ok(releases > 0, 'nothing was ever released, so nothing was shown')
  })
})
