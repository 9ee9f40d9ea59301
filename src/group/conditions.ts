import { ineligibility, patience } from './candidates.ts'
import type { Election } from './election.ts'
import { followedVerdict } from './followed-condition.ts'
import type { Gate } from './gate/gate-state.ts'
import { groupKeys } from './keys.ts'
import type { LeaderGroup, LeaderGroupCondition } from './leadergroup.ts'
import type { GroupObservation, Instant, ObservedLease, ObservedPod } from './observation.ts'
import { modeOf } from './spec.ts'
import { forbidden, noPods, type Verdict } from './verdict.ts'

/** Node heartbeats live here; a Lease of a group among them could be taken for a node's. */
export const REFUSED_NAMESPACE = 'kube-node-lease'

/** The resource admits no longer message; holders of Leases, which messages quote, have no bound. */
const LONGEST_MESSAGE = 32_768

/** The condition `Ready`: one pod leads, in mode Assign one that is eligible. */
export function readyCondition(
  o: GroupObservation,
  group: LeaderGroup,
  gate: Gate,
  leader: ObservedPod | undefined,
  election: Pick<Election, 'reason' | 'follow'>,
  now: Instant,
): LeaderGroupCondition {
  const verdict =
    modeOf(group) === 'Observe' && o.namespace !== REFUSED_NAMESPACE
      ? followedVerdict(o, group, leader, election)
      : assignedVerdict(o, group, gate, leader, election.reason, now)
  const message = verdict.message + templates(o, group)
  return conditionOf({ type: 'Ready', ...verdict, message }, group, now)
}

/** Behind the message, whatever it says: the label comes off each new pod, so nothing else would tell of it. */
function templates({ pods }: GroupObservation, { metadata }: LeaderGroup): string {
  const born = pods.flatMap(({ selected, bornLabelled }) => (selected ? (bornLabelled ?? []) : []))
  const makers = [...new Set(born)].toSorted()
  if (makers.length === 0) return ''
  const { role } = groupKeys(metadata.name)
  return `. Pods are born with the label ${role}, which is taken off: remove it from the template of ${makers.join(', ')}`
}

function assignedVerdict(
  o: GroupObservation,
  group: LeaderGroup,
  gate: Gate,
  leader: ObservedPod | undefined,
  why: string,
  now: Instant,
): Verdict {
  const keepsUntil = leader && patience(leader, group.spec.failover?.notReadySeconds)
  const waits = keepsUntil !== undefined && keepsUntil > now.monotonic
  return judge(o, group, gate, leader, waits, why)
}

/** The condition as it is written: its message bounded, and dated from when its status last changed. */
export function conditionOf(
  verdict: Pick<LeaderGroupCondition, 'type' | 'status' | 'reason' | 'message'>,
  group: LeaderGroup,
  now: Instant,
): LeaderGroupCondition {
  const before = group.status?.conditions?.find(({ type }) => type === verdict.type)
  return {
    ...verdict,
    // Well-formed again where a character was cut in two: the server would return another text than was written.
    message: verdict.message.slice(0, LONGEST_MESSAGE).toWellFormed(),
    ...(group.metadata.generation === undefined ? {} : { observedGeneration: group.metadata.generation }),
    lastTransitionTime:
      before?.status === verdict.status
        ? before.lastTransitionTime
        : `${now.wall.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)}Z`,
  }
}

function judge(
  o: GroupObservation,
  group: LeaderGroup,
  gate: Gate,
  leader: ObservedPod | undefined,
  waits: boolean,
  why: string,
): Verdict {
  const paused = group.spec.paused === true
  if (leader && (waits || ineligibility(leader) === undefined)) {
    return paused
      ? { status: 'True', reason: 'Paused', message: `${why}; paused: if it goes, no new leader is chosen` }
      : { status: 'True', reason: 'LeaderElected', message: why }
  }
  if (gate.kind === 'foreign')
    return { status: 'False', reason: 'LeaseHeldByAnother', message: foreignLease(gate.object, group) }
  const fault = forbidden(o)
  if (fault) return fault
  const selected = o.pods.filter((pod) => pod.selected)
  if (selected.length === 0) return noPods()
  if (paused) return { status: 'False', reason: 'Paused', message: `${why}: set spec.paused to false` }
  if (selected.some((pod) => ineligibility(pod) === undefined)) {
    if (gate.kind === 'absent' && (group.status?.term ?? 0) > 0) {
      return {
        status: 'False',
        reason: 'LeaseDeleted',
        message: `${why}. Find out who deletes it: the audit log tells`,
      }
    }
    if (gate.kind === 'open' && gate.term > 0) {
      const remedy = 'Give the program that writes it another Lease, or turn its election off'
      return { status: 'False', reason: 'LeaseHeldByAnother', message: `${why}. ${remedy}` }
    }
  }
  return { status: 'False', reason: 'NoEligiblePod', message: `${why}. ${census(selected)}` }
}

function foreignLease(
  lease: Pick<ObservedLease, 'name' | 'ownerName' | 'holderIdentity'>,
  { metadata }: LeaderGroup,
): string {
  if (lease.ownerName === `LeaderGroup ${metadata.name}`) {
    return (
      `Lease ${lease.name} belongs to a former group of this name: waiting until the garbage collector takes it. ` +
      'If it stays, delete it'
    )
  }
  const whose = lease.ownerName
    ? `belongs to ${lease.ownerName}`
    : `was not made by this group${lease.holderIdentity ? ` and is held by ${lease.holderIdentity}` : ''}`
  return (
    `Lease ${lease.name} ${whose}: nothing is written to it. ` +
    'Give this group another leaseName, or delete the Lease if nobody uses it'
  )
}

/** "3 pods: 2 not ready, 1 terminating" */
function census(pods: readonly ObservedPod[]): string {
  const counts = new Map<string, number>()
  for (const pod of pods) {
    const why = ineligibility(pod)?.replace(/^is /, '') ?? 'eligible'
    counts.set(why, (counts.get(why) ?? 0) + 1)
  }
  const parts = [...counts].map(([why, count]) => `${count} ${why}`)
  return `${pods.length} ${pods.length === 1 ? 'pod' : 'pods'}: ${parts.join(', ')}`
}
