import { begunAfter } from './begun-after.ts'
import { REFUSED_NAMESPACE } from './conditions.ts'
import type { GateWrite, GroupAction, GroupDecision, WriteStatus } from './decision.ts'
import type { Election } from './election.ts'
import { decideFollowed } from './followed.ts'
import { decideForeign } from './foreign.ts'
import { liveGate, type Gate } from './gate/gate-state.ts'
import { decideHeld } from './held.ts'
import { leaseVersionOf } from './gate/lease-version.ts'
import type { LeaderGroup, LeaderGroupStatus } from './leadergroup.ts'
import type { GroupFault, GroupObservation, Instant } from './observation.ts'
import { decideOpen } from './open.ts'
import { routeGroup } from './route-group.ts'
import { cleanUpRouting } from './routing/clean-up.ts'
import type { RoutingDecision } from './routing/decide-routing.ts'
import { same } from './same.ts'
import { bearsKeys, bearsLead, stripPatch } from './seal.ts'
import { markedGate } from './gate/status-gate.ts'
import { statusOf } from './status.ts'
import { takesBackAt } from './take-back.ts'
import { gateOf } from './gate/gate-of.ts'
import { modeOf } from './spec.ts'

/** Changes of counts and wording alone are written at most so often. */
const STATUS_INTERVAL_MILLIS = 1000

/** While a thousand new pods are enrolled, the group looks up in between. */
const CHORES_AT_ONCE = 64

/**
 * What to do about one group: pure, total and idempotent. The same observation gives the same actions, and once they
 * have taken effect it gives none.
 */
export function decide(o: GroupObservation, now: Instant): GroupDecision {
  const { group } = o
  if (!group || group.metadata.deletionTimestamp !== undefined) return cleanUp(o)
  const gate = gateOf(o, group)
  const elected = electUnder(o, group, gate, now)
  const routing = routeGroup(o, group, gate, elected)
  const election = o.namespace === REFUSED_NAMESPACE ? elected : withRouting(elected, routing, o.memory.fault)
  const urgent = election.urgent.map((step) => {
    return step.kind === 'writeGate' ? gateStatus(o, group, step.write, election, routing, now) : step
  })
  const beside = election.urgent.some(isLabel) ? routing.besideLabel : []
  const later = choresDue(o, group, gate, election, routing, now)
  const wakeAt = earliest(election.wakeAt, later.wakeAt)
  const steps = [...urgent, ...later.steps]
  return {
    actions: [...steps, ...beside, ...later.chores],
    urgent: steps.length,
    ...(wakeAt === undefined ? {} : { wakeAt }),
    reason: election.reason,
  }
}

/**
 * The Services lead to the new leader before its pod is labelled. Where the leader stands already, or there is none,
 * its slices are put right beside the other chores: what fails there must not delay the next failover.
 *
 * The label waits for an attempt, not for its success: a slice that somebody's quota or policy refuses for good would
 * else keep the group without a leader, and keeping the label back routes no Service any better.
 */
function withRouting(
  election: Election,
  { beforeLabel, besideLabel, chores }: RoutingDecision,
  fault: GroupFault | undefined,
): Election {
  if (election.urgent.length === 0) {
    return { ...election, chores: [...beforeLabel, ...besideLabel, ...election.chores, ...chores] }
  }
  const labels = election.urgent.some(isLabel)
  if (!labels || beforeLabel.length === 0 || fault?.routing) return election
  return { ...election, urgent: beforeLabel, reason: `routing the Services before ${election.reason}` }
}

function isLabel(step: Election['urgent'][number]): boolean {
  return step.kind === 'patchPod' && step.step === 'label'
}

interface Due {
  readonly actions: readonly GroupAction[]
  readonly wakeAt?: number
}

interface Later {
  /** What is to be recorded before the next holder can be named: as urgent as that is. */
  readonly steps: readonly GroupAction[]
  readonly chores: readonly GroupAction[]
  readonly wakeAt?: number
}

/** Chores and status. Nothing of it delays a failover, unless the failover fails: then status says why. */
function choresDue(
  o: GroupObservation,
  group: LeaderGroup,
  gate: Gate,
  election: Election,
  routing: RoutingDecision,
  now: Instant,
): Later {
  const { fault, putOff } = o.memory
  if (election.urgent.length > 0 && !fault?.urgent) return { steps: [], chores: [] }
  // A write of the gate is one of status: of two at the same version one would only be in the way of the other.
  if (election.urgent.some(({ kind }) => kind === 'writeGate')) return { steps: [], chores: [] }
  const { actions, ...waiting } = statusDue(o, group, gate, election, routing, now)
  const [steps, status] = election.preparing ? [actions, []] : [[], actions]
  const chores = [...(election.urgent.length > 0 ? [] : election.chores.slice(0, CHORES_AT_ONCE)), ...status]
  if (putOff && putOff.until > now.monotonic && chores.length > 0) return { steps, chores: [], wakeAt: putOff.until }
  return { ...waiting, steps, chores }
}

function electUnder(o: GroupObservation, group: LeaderGroup, gate: Gate, now: Instant): Election {
  if (o.namespace === REFUSED_NAMESPACE)
    return { urgent: [], chores: [], reason: `groups in ${o.namespace} are refused` }
  if (gate.kind === 'foreign') return decideForeign(o, group, gate)
  if (gate.kind === 'spoiled') {
    const why = 'the mark on its Lease cannot be read, so no safe term is known'
    const { uid, resourceVersion } = gate.object
    return { urgent: [{ kind: 'deleteGate', uid, resourceVersion }], chores: [], reason: `${why}: deleting it` }
  }
  if (gate.kind === 'vacant' || modeOf(group) === 'Observe') return decideFollowed({ o, group, gate, now })
  switch (gate.kind) {
    case 'absent':
      return create(o, group, now)
    case 'open':
      return decideOpen({ o, group, gate, now })
    case 'held':
      return decideHeld({ o, group, gate, now })
  }
}

/**
 * A Lease that somebody deletes again and again is made anew ever later. Until then nobody can be named, and whoever
 * bears the label keeps it; but not beside a second one: to take that off takes a gate.
 */
function create(o: GroupObservation, { status }: LeaderGroup, now: Instant): Election {
  const term = status?.term ?? 0
  const labelled = o.pods.filter(bearsLead)
  const isQuiet = labelled.length <= 1 && labelled.every((pod) => pod.term === String(term))
  const wakeAt = term > 0 && isQuiet ? takesBackAt(o, now) : -Infinity
  if (wakeAt > now.monotonic) {
    const reason = 'somebody deletes the Lease again and again: waiting before it is made anew'
    return { urgent: [], chores: [], wakeAt, reason }
  }
  return { urgent: [{ kind: 'createGate' }], chores: [], reason: 'creating the Lease, which names nobody yet' }
}

/** The group is gone or going: its keys come off. The Lease goes by its owner reference. */
function cleanUp(o: GroupObservation): GroupDecision {
  const bearers = o.pods.filter(bearsKeys)
  const routing = unroute(o)
  if (bearers.length === 0 && routing.length === 0) {
    return { actions: [], urgent: 0, reason: 'no such group, and nothing is left of it' }
  }
  // A cache that has not seen the group yet must not strip the leader of one that was just created.
  const proved = bearers.filter((pod) => o.group !== undefined || (o.groupAbsentAt ?? 0) > pod.seenAt)
  const actions = [...proved.map((pod) => stripPatch(o.name, pod)), ...routing]
  if (proved.length < bearers.length && !routing.some(({ kind }) => kind === 'readGroup')) {
    actions.push({ kind: 'readGroup' })
  }
  const from = bearers.length > 0 ? `taking its keys off ${bearers.map((pod) => pod.name).join(', ')}` : undefined
  return { actions, urgent: actions.length, reason: `the group is gone: ${from ?? 'removing what routes to its pods'}` }
}

function unroute(o: GroupObservation): readonly GroupAction[] {
  const { group, groupAbsentAt } = o
  if (!group) return cleanUpRouting(o.name, o.slices, groupAbsentAt)
  const { beforeLabel, besideLabel, chores } = routeGroup(o, group, { kind: 'absent' }, {})
  return [...beforeLabel, ...besideLabel, ...chores]
}

/** Mode Observe: the write of status that is one of the gate. It says what it follows; at its birth, nothing yet. */
function gateStatus(
  o: GroupObservation,
  group: LeaderGroup,
  write: GateWrite,
  election: Election,
  routing: RoutingDecision,
  now: Instant,
): WriteStatus {
  const { leaseVersion: _, ...status } = statusOf(o, group, markedGate(group, write), election, routing.conditions, now)
  const follows = write.gateUID === undefined ? {} : { leaseVersion: leaseVersionOf(o) }
  const { uid, resourceVersion } = group.metadata
  return { kind: 'writeStatus', uid, resourceVersion, status: { ...status, ...follows }, gate: write }
}

function statusDue(
  o: GroupObservation,
  group: LeaderGroup,
  gate: Gate,
  election: Election,
  routing: RoutingDecision,
  now: Instant,
): Due {
  const status = statusOf(o, group, gate, election, routing.conditions, now)
  if (same(status, group.status)) return { actions: [] }
  if (mayBeOutdated(o, group, gate)) return { actions: [{ kind: 'readGate' }] }
  const due = (o.memory.statusWrittenAt ?? -Infinity) + STATUS_INTERVAL_MILLIS
  if (due > now.monotonic && same(essence(status), essence(group.status))) {
    return { actions: [], wakeAt: due }
  }
  const { uid, resourceVersion } = group.metadata
  return { actions: [{ kind: 'writeStatus', uid, resourceVersion, status }] }
}

/**
 * Status shows a later term than the gate: unless the gate was read since, another operator is ahead of this one, and
 * what is true by now would be overwritten with what was. (A status write that conflicts brings a fresh group only.)
 */
function mayBeOutdated(o: GroupObservation, group: LeaderGroup, gate: Gate): boolean {
  const live = liveGate(gate)
  if (!live || live.term >= (group.status?.term ?? 0)) return false
  return !begunAfter(live.object.readAt, o.groupSeenAt ?? 0)
}

/**
 * What is written at once: who leads, and in which term. Conditions are what two operators that both act may disagree about
 * for as long as a Lease lasts: each would write its own over the other's without a pause.
 */
function essence(status: LeaderGroupStatus | undefined): unknown {
  return [status?.holderUID, status?.term, status?.transitions, status?.observedGeneration, status?.leaseName]
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b)
}
