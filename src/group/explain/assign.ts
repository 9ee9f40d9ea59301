import { ineligibility, patience, precedence, ranked, type Ineligibility } from '../candidates.ts'
import type { ExplainedElection, ExplainedPod } from './explanation.ts'
import { beginning } from './term.ts'
import { gateOf } from '../gate/gate-of.ts'
import { liveGate, type Gate } from '../gate/gate-state.ts'
import type { LeaderGroup } from '../leadergroup.ts'
import type { GroupObservation, Instant, ObservedPod } from '../observation.ts'
import { bearsKeys, bearsLead, leads, stampedTerm } from '../seal.ts'

/** Who leads a group in mode Assign and why, and what each pod is to the operator, which chooses. */
export function explainAssign(o: GroupObservation, group: LeaderGroup, now: Instant): ExplainedElection {
  const gate = gateOf(o, group)
  const pod = gate.kind === 'held' ? o.pods.find((each) => leads(each, gate)) : undefined
  const term = gate.kind === 'held' ? gate.term : 0
  const why = pod && [...beginning(group, term), standing(o, group, pod, now)]
  return {
    gate,
    leader: pod && why && { pod, term, since: o.lease?.acquireTime, why },
    pods: o.pods
      .filter((each) => each.selected || bearsKeys(each) || each.uid === pod?.uid)
      .map((each) => explainPod(o, gate, each, pod)),
  }
}

/** Why it stays. */
function standing(o: GroupObservation, group: LeaderGroup, leader: ObservedPod, now: Instant): string {
  const why = ineligibility(leader)
  if (why === undefined) return 'It stays: it can lead, and nothing but its own state moves a leader'
  const keepsUntil = patience(leader, group.spec.failover?.notReadySeconds)
  if (keepsUntil !== undefined && keepsUntil > now.monotonic) {
    return `It ${why}, and keeps its place for ${group.spec.failover?.notReadySeconds} s (failover.notReadySeconds)`
  }
  if (group.spec.paused) return `It ${why}, and stays because the group is paused`
  return ranked(o.pods).length > 0 ? `It ${why}, and is to be replaced` : `It ${why}, and no other pod can lead`
}

function explainPod(o: GroupObservation, gate: Gate, pod: ObservedPod, leader: ObservedPod | undefined): ExplainedPod {
  const isLeader = pod.uid === leader?.uid
  const hindrance = ineligibility(pod)
  const live = liveGate(gate)
  const enrolled = live !== undefined && stampedTerm(pod, live) !== undefined
  const remarks = [
    isLeader ? `in term ${pod.term}` : hindrance ? lasting(pod, hindrance) : place(o, pod, leader),
    ...(isLeader && hindrance !== undefined ? [`but ${lasting(pod, hindrance)}`] : []),
    ...(!isLeader && hindrance === undefined && !enrolled ? ['not before it is enrolled'] : []),
    ...(!isLeader && bearsLead(pod) ? ["bears the leader's keys wrongly"] : []),
    ...(!pod.selected && !bearsLead(pod) ? ['bears keys of the group'] : []),
  ]
  return {
    name: pod.name,
    uid: pod.uid,
    verdict: isLeader ? 'leads' : hindrance === undefined ? 'could lead' : 'cannot lead',
    why: remarks.join(', '),
    ready: pod.ready,
    readyTime: pod.readyTime,
    revision: pod.revision,
    enrolled,
  }
}

function lasting({ readyTime }: ObservedPod, hindrance: Ineligibility): string {
  return hindrance === 'is not ready' && readyTime !== undefined ? `is not ready since ${readyTime}` : hindrance
}

/** Where it stands among those that could follow the leader, and what puts the one before it first. */
function place(o: GroupObservation, pod: ObservedPod, leader: ObservedPod | undefined): string {
  const line = ranked(o.pods).filter(({ uid }) => uid !== leader?.uid)
  const at = line.findIndex(({ uid }) => uid === pod.uid)
  const before = line[at - 1]
  if (!before) return line.length > 1 ? 'first in line' : 'the only one in line'
  return `number ${at + 1} in line: ${before.name} ${precedence(o.pods, before, pod)}`
}
