import { isNewer } from '../../election/version.ts'
import type { GateWrite } from '../../group/decision.ts'
import { formatMark } from '../../group/gate/gate.ts'
import { LEADER_ROLE } from '../../group/keys.ts'
import type { LeaderGroupStatus } from '../../group/leadergroup.ts'
import type { OperatorState, Past, World } from './world.ts'

/*
 * What must hold of every gate write of an operator, whatever strangers did to the gate before. A gate that is born names
 * nobody, and says nothing of who may bear the label: the round that follows sees to that.
 */

export function rememberGate({ past }: World, status: LeaderGroupStatus, write: GateWrite | undefined): Past {
  return {
    ...past,
    followed: status.leaseVersion ?? past.followed,
    ...(write?.gateUID === undefined ? {} : { named: formatMark(write) }),
    highestTerm: write?.holder ? write.term : past.highestTerm,
  }
}

export function gateBrokenBy(
  world: World,
  operator: OperatorState,
  { leaseVersion }: LeaderGroupStatus,
  write: GateWrite | undefined,
): { violation?: string } {
  const { pods, past } = world
  if (isOlder(leaseVersion, past.followed)) return { violation: `${leaseVersion} is followed after ${past.followed}` }
  if (write?.gateUID === undefined) return {}
  if (write.holder && write.term <= past.highestTerm) return { violation: `term ${write.term} is named again` }
  if (write.holder && isNamesake(world, operator, write.holder.uid, leaseVersion)) {
    return { violation: `${write.holder.name} is named by a record that is older than it` }
  }
  const other = pods.find((pod) => pod?.role === LEADER_ROLE && !pod.byHand && pod.uid !== write.holder?.uid)
  if (!other) return {}
  return { violation: `the gate names ${write.holder?.name ?? 'nobody'} while ${other.name} is labelled` }
}

/**
 * By what this operator knows, if that is still what it decided on: the record was written before the pod was there. Unless
 * status named the pod already, only a record that came later than the pod may be taken for the pod's.
 */
function isNamesake(
  { group }: World,
  { lease, pods }: OperatorState,
  uid: string,
  leaseVersion: string | undefined,
): boolean {
  const pod = pods.find((each) => each?.uid === uid)
  if (!lease || !pod || leaseVersion !== `${lease.uid}/${lease.resourceVersion}`) return false
  if (lease.writer?.uid === uid || group.status.holderUID === uid) return false
  return !lease.sight.changed || lease.sight.seenAt < pod.firstSeenAt
}

/** Versions of one Lease compare, those of two do not. */
function isOlder(version: string | undefined, than: string | undefined): boolean {
  const [[uid, resourceVersion], [otherUID, other]] = [parts(version), parts(than)]
  return resourceVersion !== undefined && other !== undefined && uid === otherUID && isNewer(other, resourceVersion)
}

function parts(version: string | undefined): readonly (string | undefined)[] {
  return version?.split('/') ?? []
}
