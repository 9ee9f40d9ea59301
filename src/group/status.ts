import { ineligibility } from './candidates.ts'
import { conditionOf, readyCondition } from './conditions.ts'
import type { Gate } from './gate-state.ts'
import { formatIdentity } from './gate.ts'
import type { LeaderGroup, LeaderGroupHistoryEntry, LeaderGroupStatus } from './leadergroup.ts'
import type { GroupObservation, Instant, ObservedPod } from './observation.ts'
import type { ServicesCondition } from './routing/services-condition.ts'
import { leads } from './seal.ts'

const HISTORY_LENGTH = 10

/** What status should say of the observation; a function of it, so that a lost or edited status is written again. */
export function statusOf(
  o: GroupObservation,
  group: LeaderGroup,
  gate: Gate,
  why: string,
  services: readonly ServicesCondition[],
  now: Instant,
): LeaderGroupStatus {
  const leader = gate.kind === 'held' ? o.pods.find((pod) => leads(pod, gate)) : undefined
  const term = Math.max(group.status?.term ?? 0, gate.kind === 'held' || gate.kind === 'open' ? gate.term : 0)
  const lease = gate.kind === 'held' || gate.kind === 'open' ? gate.lease : undefined
  const selected = o.pods.filter((pod) => pod.selected)
  return {
    ...(group.metadata.generation === undefined ? {} : { observedGeneration: group.metadata.generation }),
    ...(leader ? { holder: leader.name, holderUID: leader.uid, holderIdentity: formatIdentity(leader) } : {}),
    ...(leader && lease?.acquireTime !== undefined ? { acquireTime: lease.acquireTime } : {}),
    transitions: lease?.transitions ?? group.status?.transitions ?? 0,
    term,
    candidates: selected.length,
    eligible: selected.filter((pod) => ineligibility(pod) === undefined).length,
    leaseName: leaseNameOf(group),
    conditions: [
      readyCondition(o, group, gate, leader, why, now),
      ...services.map((condition) => conditionOf(condition, group, now)),
    ],
    history: history(o, group, gate, leader, now),
  }
}

export function leaseNameOf(group: LeaderGroup): string {
  return group.spec.leaseName ?? group.metadata.name
}

/** The last ten terms, newest first. A term is entered when the gate names it, and closed when it is over. */
function history(
  o: GroupObservation,
  group: LeaderGroup,
  gate: Gate,
  leader: ObservedPod | undefined,
  now: Instant,
): readonly LeaderGroupHistoryEntry[] {
  const [last, ...older] = group.status?.history ?? []
  const before = group.status?.holderUID
  if (gate.kind === 'held' && gate.term > (last?.term ?? 0)) {
    const acquireTime = gate.lease.acquireTime ?? now.wall
    const entry = { holder: gate.holder.name, term: gate.term, acquireTime }
    const rest = last ? [closed(o, before, last, acquireTime), ...older] : []
    // A holder may be gone before its term was recorded.
    const ended = !leader && holderIsOut(o, gate.holder.uid) ? closed(o, gate.holder.uid, entry, now.wall) : entry
    return [ended, ...rest].slice(0, HISTORY_LENGTH)
  }
  if (!last) return []
  const over = !leader && (gate.kind !== 'held' || holderIsOut(o, gate.holder.uid))
  return [over ? closed(o, before, last, now.wall) : last, ...older]
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
  endTime: string,
): LeaderGroupHistoryEntry {
  return entry.endTime === undefined ? { ...entry, endTime, reason: endReason(o, holderUID, entry) } : entry
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
