import { ineligibility, patience, precedence, ranked, type Ineligibility } from './candidates.ts'
import type { GateWrite, GroupAction, PatchPod } from './decision.ts'
import { foresee, without, type Foresight } from './foresee.ts'
import type { Gate } from './gate-state.ts'
import type { LeaderGroup, LeaderGroupHistoryEntry } from './leadergroup.ts'
import type { GroupObservation, Instant, ObservedPod } from './observation.ts'
import { bearsKeys, bearsLead, leads, stampedTerm } from './seal.ts'
import { gateOf } from './gate-of.ts'

/** The decision about a group, for a person who asks why. */
export interface Explanation {
  /** Absent: nobody leads. */
  readonly leader: ExplainedLeader | undefined
  /** The reason of the decision: what holds, or what is done about it. */
  readonly reason: string
  /** By name: those that are selected, and those that bear keys of the group all the same. */
  readonly pods: readonly ExplainedPod[]
  /** What the operator would do now; undefined when all is as it should be. */
  readonly due: Outlook | undefined
  /** What it would do after a time, if nothing changes until then. */
  readonly later: (Outlook & { readonly inSeconds: number }) | undefined
  /** What it would do if the leader's pod were gone now; undefined without a leader. */
  readonly ifLeaderDied: Outlook | undefined
}

export interface ExplainedLeader {
  readonly name: string
  readonly uid: string
  readonly term: number
  /** As the Lease says. RFC 3339. */
  readonly since: string | undefined
  /** Sentences, each without its full stop. */
  readonly why: readonly string[]
}

export interface ExplainedPod {
  readonly name: string
  readonly uid: string
  readonly verdict: 'leads' | 'could lead' | 'cannot lead'
  readonly why: string
  readonly ready: boolean
  /** When it became ready, or not ready. RFC 3339. */
  readonly readyTime: string | undefined
  readonly revision: string | undefined
  /** It bears the stamp without which it may not be named. */
  readonly enrolled: boolean
}

/** A chain of writes, and what holds at its end. */
export interface Outlook {
  readonly steps: readonly string[]
  readonly result: string
}

/** Explains the decision on this observation, whose lists must be complete. `group`: the group in it. */
export function explain(o: GroupObservation, group: LeaderGroup, now: Instant): Explanation {
  const gate = gateOf(o, group)
  const leader = gate.kind === 'held' ? o.pods.find((pod) => leads(pod, gate)) : undefined
  const present = foresee(o, now)
  const steps = stepsOf(present, o)
  return {
    leader: leader && explainLeader(o, group, gate, leader, now),
    reason: present.begins,
    pods: o.pods
      .filter((pod) => pod.selected || bearsKeys(pod) || pod.uid === leader?.uid)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((pod) => explainPod(o, gate, pod, leader)),
    due: dueOf(present, steps),
    later: laterOf(present, now),
    ifLeaderDied: leader && outlook(without(o, leader), now),
  }
}

function dueOf({ actions, reason }: Foresight, steps: readonly string[]): Outlook | undefined {
  if (steps.length > 0) return { steps, result: reason }
  // Status follows whatever is done, so it is a step only where it is all that is due.
  const lags = actions.some(({ kind }) => kind === 'writeStatus')
  return lags ? { steps: ['bring status up to date'], result: reason } : undefined
}

function laterOf({ end, wakeAt }: Foresight, now: Instant): Explanation['later'] {
  if (wakeAt === undefined || wakeAt <= now.monotonic) return undefined
  const then = outlook(end, { ...now, monotonic: wakeAt })
  return then.steps.length > 0 ? { inSeconds: Math.ceil((wakeAt - now.monotonic) / 1000), ...then } : undefined
}

function outlook(from: GroupObservation, now: Instant): Outlook {
  const foresight = foresee(from, now)
  return { steps: stepsOf(foresight, from), result: foresight.reason }
}

function explainLeader(
  o: GroupObservation,
  group: LeaderGroup,
  gate: Gate,
  leader: ObservedPod,
  now: Instant,
): ExplainedLeader {
  const term = gate.kind === 'held' ? gate.term : 0
  return {
    name: leader.name,
    uid: leader.uid,
    term,
    since: o.lease?.acquireTime,
    why: [...beginning(group, term), standing(o, group, leader, now)],
  }
}

/** Why this term began: because another ended. */
function beginning({ status }: LeaderGroup, term: number): readonly string[] {
  const entries = status?.history ?? []
  const at = entries.findIndex((entry) => entry.term === term)
  const before: LeaderGroupHistoryEntry | undefined = at < 0 ? undefined : entries[at + 1]
  if (!before) return []
  const { holder, endTime, reason } = before
  const when = endTime === undefined ? '' : ` at ${endTime}`
  return [`It took over from ${holder}, whose term ${before.term} ended${when}${reason ? ` (${reason})` : ''}`]
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
  const enrolled =
    (gate.kind === 'held' || gate.kind === 'open' || gate.kind === 'vacant') && stampedTerm(pod, gate) !== undefined
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

/** The writes of a chain in words, but for status. */
function stepsOf({ actions }: Foresight, from: GroupObservation): readonly string[] {
  const bearers = new Set(from.pods.filter(bearsLead).map(({ uid }) => uid))
  let named: string | undefined
  return actions.flatMap((action) => {
    if (action.kind === 'advanceGate') named = action.holder.uid
    if (action.kind === 'writeStatus' && action.gate) named = action.gate.holder?.uid
    return stepOf(action, bearers, named) ?? []
  })
}

function stepOf(action: GroupAction, bearers: ReadonlySet<string>, named: string | undefined): string | undefined {
  switch (action.kind) {
    case 'createGate':
      return 'create the Lease'
    case 'deleteGate':
      return 'delete the Lease, whose mark cannot be read'
    case 'advanceGate':
      return `name ${action.holder.name} in the Lease for term ${action.term}`
    case 'patchPod':
      return patchInWords(action, bearers, named)
    case 'releaseLease':
      return `empty the holder of Lease ${action.name}`
    case 'writeStatus':
      return action.gate && gateInWords(action.gate)
    case 'readGate':
    case 'readLease':
    case 'readPod':
    case 'readGroup':
    case 'listPods':
    case 'createService':
    case 'patchService':
    case 'deleteService':
    case 'createSlice':
    case 'replaceSlice':
    case 'deleteSlice':
      return undefined
  }
}

/** Mode Observe: what a write of status changes about the leader. */
function gateInWords({ holder, gateUID, term }: GateWrite): string {
  if (gateUID === undefined) return 'begin to count terms in status'
  return holder ? `name ${holder.name} in status for term ${term}` : 'name nobody in status'
}

function patchInWords({ step, pod }: PatchPod, bearers: ReadonlySet<string>, named: string | undefined): string {
  switch (step) {
    case 'label':
      return `label ${pod.uid === named ? 'it' : pod.name}`
    case 'strip':
      return `take the group's keys off ${pod.name}`
    case 'follow':
      return `put the role of ${pod.name} right`
    case 'enrol':
    case 'seal':
      return bearers.has(pod.uid) ? `take the leader's keys off ${pod.name}` : `${step} ${pod.name}`
  }
}
