import { ineligibility } from '../candidates.ts'
import type { ExplainedElection, ExplainedPod } from './explanation.ts'
import { beginning } from './term.ts'
import { gateOf } from '../gate/gate-of.ts'
import { liveGate, type Gate } from '../gate/gate-state.ts'
import type { LeaderGroup } from '../leadergroup.ts'
import type { GroupObservation, ObservedPod } from '../observation.ts'
import { bearsKeys, bearsLead, leads, stampedTerm } from '../seal.ts'
import { leaseNameOf } from '../spec.ts'

/** Who leads a group in mode Observe and why, and what each pod is to it. The pods elect: none is out of the question. */
export function explainObserve(o: GroupObservation, group: LeaderGroup): ExplainedElection {
  const gate = gateOf(o, group)
  const pod = gate.kind === 'held' ? o.pods.find((each) => leads(each, gate)) : undefined
  const term = gate.kind === 'held' ? gate.term : 0
  const lease = leaseNameOf(group)
  const standing = `It stays for as long as it holds Lease ${lease}: the pods elect among themselves`
  return {
    gate,
    leader: pod && { pod, term, since: group.status?.acquireTime, why: [...beginning(group, term), standing] },
    pods: o.pods
      .filter((each) => each.selected || bearsKeys(each) || each.uid === pod?.uid)
      .map((each) => explainPod(gate, each, pod, lease)),
  }
}

function explainPod(gate: Gate, pod: ObservedPod, leader: ObservedPod | undefined, lease: string): ExplainedPod {
  const isLeader = pod.uid === leader?.uid
  const hindrance = ineligibility(pod)
  const live = liveGate(gate)
  const remarks = [
    isLeader ? `in term ${pod.term}` : pod.selected ? `if it acquires Lease ${lease}` : 'is not selected',
    // The pods decide in spite of it. A Service routes to no pod that is not ready.
    ...(pod.selected && hindrance !== undefined ? [`but ${hindrance}`] : []),
    ...(!isLeader && bearsLead(pod) ? ["bears the leader's keys wrongly"] : []),
  ]
  return {
    name: pod.name,
    uid: pod.uid,
    verdict: isLeader ? 'leads' : pod.selected ? 'could lead' : 'cannot lead',
    why: remarks.join(', '),
    ready: pod.ready,
    readyTime: pod.readyTime,
    revision: pod.revision,
    enrolled: live !== undefined && stampedTerm(pod, live) !== undefined,
  }
}
