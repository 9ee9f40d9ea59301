import { ineligibility } from './candidates.ts'
import { conditionOf, readyCondition } from './conditions.ts'
import type { Election } from './election.ts'
import type { Follow } from './follow/follow.ts'
import { liveGate, type Gate } from './gate/gate-state.ts'
import { formatIdentity } from './gate/gate.ts'
import type { LeaderGroup, LeaderGroupHistoryEntry, LeaderGroupStatus } from './leadergroup.ts'
import type { GroupObservation, Instant, ObservedPod } from './observation.ts'
import type { ServicesCondition } from './routing/services-condition.ts'
import { leads } from './seal.ts'
import { gateInStatus } from './gate/status-gate.ts'
import { leaseNameOf, modeOf } from './spec.ts'

const HISTORY_LENGTH = 10

/** What status should say of the observation; a function of it, so that a lost or edited status is written again. */
export function statusOf(
  o: GroupObservation,
  group: LeaderGroup,
  gate: Gate,
  election: Pick<Election, 'reason' | 'follow'>,
  services: readonly ServicesCondition[],
  now: Instant,
): LeaderGroupStatus {
  const leader = gate.kind === 'held' ? o.pods.find((pod) => leads(pod, gate)) : undefined
  const selected = o.pods.filter((pod) => pod.selected)
  const lead =
    modeOf(group) === 'Observe' ? followedLead(o, group, gate, election, now) : assignedLead(o, group, gate, leader)
  return {
    ...(group.metadata.generation === undefined ? {} : { observedGeneration: group.metadata.generation }),
    ...lead,
    candidates: selected.length,
    eligible: selected.filter((pod) => ineligibility(pod) === undefined).length,
    leaseName: leaseNameOf(group),
    conditions: [
      readyCondition(o, group, gate, leader, election, now),
      ...services.map((condition) => conditionOf(condition, group, now)),
    ],
    history: history(o, group, gate, leader, lead.acquireTime, election.follow, now),
  }
}

type Lead = Pick<
  LeaderGroupStatus,
  'holder' | 'holderUID' | 'holderIdentity' | 'acquireTime' | 'transitions' | 'term' | 'gate' | 'leaseVersion'
>

/** Mode Assign: who leads is who bears the label. */
function assignedLead(o: GroupObservation, { status }: LeaderGroup, gate: Gate, leader: ObservedPod | undefined): Lead {
  const live = liveGate(gate)
  const lease = live && o.lease
  return {
    ...(leader ? { holder: leader.name, holderUID: leader.uid, holderIdentity: formatIdentity(leader) } : {}),
    ...(leader && lease?.acquireTime !== undefined ? { acquireTime: lease.acquireTime } : {}),
    transitions: lease?.transitions ?? status?.transitions ?? 0,
    term: Math.max(status?.term ?? 0, live?.term ?? 0),
  }
}

/** Mode Observe: status is the gate, so it says what the gate does; beside it what the holder wrote into the Lease. */
function followedLead(
  o: GroupObservation,
  { status }: LeaderGroup,
  gate: Gate,
  { follow }: Pick<Election, 'follow'>,
  now: Instant,
): Lead {
  const live = liveGate(gate)
  const transitions = o.lease?.transitions ?? status?.transitions ?? 0
  const leaseVersion = status?.leaseVersion
  const rest = { transitions, ...(leaseVersion === undefined ? {} : { leaseVersion }) }
  if (!live) return { ...rest, term: status?.term ?? 0 }
  if (live.kind !== 'held') return { ...rest, ...gateInStatus(live) }
  const written = recordOf(o, follow, live.holder.uid)
  const isKnown =
    status?.holderUID === live.holder.uid &&
    status.term === live.term &&
    (written === undefined || (status.holderIdentity === written.holderIdentity && status.transitions === transitions))
  const { holderIdentity, acquireTime } = isKnown ? status : { acquireTime: now.wall, ...written }
  return {
    ...rest,
    ...gateInStatus(live),
    ...(holderIdentity === undefined ? {} : { holderIdentity }),
    ...(acquireTime === undefined ? {} : { acquireTime }),
  }
}

/** As far as the field reaches. */
const LONGEST_IDENTITY = 512

/** What the holder wrote; undefined when the record is not its own any more. */
function recordOf(
  { lease }: GroupObservation,
  follow: Election['follow'],
  uid: string,
): Pick<Lead, 'holderIdentity' | 'acquireTime'> | undefined {
  const target = follow?.target
  if (!lease?.holderIdentity || target?.kind !== 'holder' || target.pod.uid !== uid) return undefined
  return {
    holderIdentity: lease.holderIdentity.slice(0, LONGEST_IDENTITY).toWellFormed(),
    ...(lease.acquireTime === undefined ? {} : { acquireTime: lease.acquireTime }),
  }
}

/** The last ten terms, newest first. A term is entered when the gate names it, and closed when it is over. */
function history(
  o: GroupObservation,
  group: LeaderGroup,
  gate: Gate,
  leader: ObservedPod | undefined,
  acquiredAt: string | undefined,
  follow: Election['follow'],
  now: Instant,
): readonly LeaderGroupHistoryEntry[] {
  const [last, ...older] = group.status?.history ?? []
  const before = group.status?.holderUID
  if (gate.kind === 'held' && gate.term > (last?.term ?? 0)) {
    const acquireTime = acquiredAt ?? o.lease?.acquireTime ?? now.wall
    const entry = { holder: gate.holder.name, term: gate.term, acquireTime }
    const rest = last ? [closed(o, before, last, follow, follow ? now.wall : acquireTime), ...older] : []
    // A holder may be gone before its term was recorded.
    const isOver = !leader && holderIsOut(o, gate.holder.uid)
    const ended = isOver ? closed(o, gate.holder.uid, entry, follow, now.wall) : entry
    return [ended, ...rest].slice(0, HISTORY_LENGTH)
  }
  if (!last) return []
  const over = !leader && (gate.kind !== 'held' || holderIsOut(o, gate.holder.uid))
  return [over ? closed(o, before, last, follow, now.wall) : last, ...older]
}

/** The holder is gone, or barred from its term: it will not lead in this term any more. */
function holderIsOut(o: GroupObservation, uid: string): boolean {
  const holder = o.pods.find((pod) => pod.uid === uid)
  return holder ? !holder.selected : o.gone.has(uid)
}

function closed(
  o: GroupObservation,
  holderUID: string | undefined,
  entry: LeaderGroupHistoryEntry,
  follow: Election['follow'],
  endTime: string,
): LeaderGroupHistoryEntry {
  if (entry.endTime !== undefined) return entry
  return { ...entry, endTime, reason: follow ? followedEnd(follow) : endReason(o, holderUID, entry) }
}

/** Mode Observe: what the Lease says ended the term. */
function followedEnd({ target }: Follow): string {
  return target.kind === 'nobody' ? target.reason : 'LeaseChanged'
}

/** Why a term ended, as far as the pod that held it still tells. A holder that never bore its label has only a name. */
function endReason(o: GroupObservation, uid: string | undefined, { holder }: LeaderGroupHistoryEntry): string {
  const pod = o.pods.find((each) => (uid === undefined ? each.name === holder : each.uid === uid))
  if (!pod) return 'PodDeleted'
  switch (ineligibility(pod)) {
    case 'is not selected':
      return 'PodNotSelected'
    case 'is excluded by annotation':
      return 'PodExcluded'
    case 'is terminating':
      return 'PodTerminating'
    case 'is not running':
      return 'PodNotRunning'
    case 'is not ready':
      return 'PodNotReady'
    case undefined:
      return 'LeaseChanged'
  }
}
