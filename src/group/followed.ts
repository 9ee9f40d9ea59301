import { advance, highestTerm, usedUp } from './advance.ts'
import type { Election, Step, View } from './election.ts'
import { follow, type Follow, type Target } from './follow/follow.ts'
import type { Gate, LiveGate, OpenGate } from './gate/gate-state.ts'
import { LAST_TERM } from './gate/gate.ts'
import { isFresh } from './gate/lease-version.ts'
import type { LeaderGroup } from './leadergroup.ts'
import type { GroupObservation, Instant, ObservedPod } from './observation.ts'
import { listing, round } from './round.ts'
import { isSealed, stampedTerm } from './seal.ts'
import {
  asking,
  choresOf,
  enrolments,
  hasLost,
  keeping,
  lossOf,
  resting,
  sealing,
  takingOff,
  type Settled,
} from './steps.ts'
import { leaseNameOf } from './spec.ts'

/** What mode Observe decides about: its gate, status, is never foreign or spoiled. */
export interface FollowedView {
  readonly o: GroupObservation
  readonly group: LeaderGroup
  readonly gate: Exclude<Gate, { readonly kind: 'foreign' | 'spoiled' }>
  readonly now: Instant
}

/** Mode Observe: the gate goes where the Lease leads, by the steps of every change of leader. */
export function decideFollowed(view: FollowedView): Election {
  const followed = followOf(view)
  const { release, wakeAt } = followed
  const election = elect(view, followed)
  const releasing: readonly Step[] = release ? [{ kind: 'releaseLease', ...release }] : []
  return {
    ...election,
    // Whoever bears the label is proved dead then: the next one need not wait until that is off.
    urgent: [...releasing, ...election.urgent],
    ...(wakeAt === undefined ? {} : { wakeAt }),
    follow: followed,
  }
}

function followOf({ o, group, gate, now }: FollowedView): Follow<ObservedPod> {
  const { lease } = o
  const isAGroups = lease?.mode === 'Assign' || lease?.ownerName?.startsWith('LeaderGroup ') === true
  return follow({
    leaseName: leaseNameOf(group),
    lease,
    ownedBy: isAGroups ? (lease.ownerName ?? 'a LeaderGroup in mode Assign') : undefined,
    pods: [...o.pods, ...o.deletedPods],
    named: gate.kind === 'held' ? { uid: gate.holder.uid, identity: group.status?.holderIdentity ?? '' } : undefined,
    releaseDeadHolder: group.spec.failover?.releaseDeadHolder === true,
    nowMillis: now.monotonic,
  })
}

function elect(view: FollowedView, { target, readLease }: Follow<ObservedPod>): Election {
  const { o, group, gate, now } = view
  if (gate.kind === 'absent') return bear(view)
  if (gate.kind === 'open') {
    const open: View<OpenGate> = { o, group, gate, now }
    const stamping = round(open, listing(open), 'status was not written by the operator')
    if (stamping) return stamping
  }
  // An operator whose watch lags must not undo what another one decided on a newer Lease.
  if (readLease || (moves(gate, target) && !isFresh(o, group.status))) {
    return { ...resting(`${target.message}: reading the Lease again`), urgent: [{ kind: 'readLease' }] }
  }
  if (gate.kind === 'open') {
    const open: View<OpenGate> = { o, group, gate, now }
    return target.kind === 'holder' ? advance(open, target.pod, target.message) : vacate(open, target.message)
  }
  const settled: Settled = { o, group, gate, now }
  const strays = takingOff(settled)
  return strays ?? { ...goTo(settled, target), chores: choresOf(settled) }
}

/** Whether the gate is to say something else than it does: another pod, or another term of the same, if that is sealed. */
function moves(gate: LiveGate, target: Target<ObservedPod>): boolean {
  switch (target.kind) {
    case 'holder':
      return gate.kind !== 'held' || gate.holder.uid !== target.pod.uid || isSealed(target.pod, gate)
    case 'nobody':
      return gate.kind !== 'vacant'
    case 'stay':
      return gate.kind === 'open'
  }
}

/**
 * No mark can be read: the group is new, or somebody wiped its status. The gate is born with a term above every number that
 * a pod bears, so the round that follows changes each of them, and no late label fits any more. So the pods are listed
 * first, after that status was seen.
 */
function bear({ o, group }: FollowedView): Election {
  const why = 'status names no term yet'
  const seenAt = o.groupSeenAt ?? 0
  if (o.podsListedAt === undefined || o.podsListedAt <= seenAt) {
    return { urgent: [{ kind: 'listPods' }], chores: [], reason: `${why}: listing the pods` }
  }
  const term = highestTerm(o.pods, group.status?.term ?? 0) + 1
  if (term > LAST_TERM) return usedUp(why)
  return {
    urgent: [{ kind: 'writeGate', write: { holder: undefined, gateUID: undefined, term } }],
    chores: [],
    reason: `${why}: beginning after term ${term}`,
  }
}

function vacate({ gate }: View, why: string): Election {
  const { object, term } = gate
  return {
    urgent: [{ kind: 'writeGate', write: { holder: undefined, gateUID: object.uid, term } }],
    chores: [],
    reason: `${why}: nobody leads after term ${term}`,
  }
}

function goTo(view: Settled, target: Target<ObservedPod>): Election {
  const { o, group, gate } = view
  const holder = gate.kind === 'held' ? o.pods.find((pod) => pod.uid === gate.holder.uid) : undefined
  if (target.kind === 'stay') {
    // While status still tells that its label was there: by the time that the record proves good it does not any more.
    const isLost = gate.kind === 'held' && holder && hasLost(holder, gate, hasLed(group))
    return isLost ? sealing(view, holder, lossOf(holder, gate)) : resting(target.message)
  }
  const next = target.kind === 'holder' ? target.pod : undefined
  if (gate.kind === 'vacant') return next ? name(view, next, target.message) : resting(target.message)
  if (next && next.uid === gate.holder.uid) {
    const keep = keeping({ ...view, gate }, next, hasLed(group))
    return keep.urgent.length > 0 ? keep : resting(target.message)
  }
  if (!holder && !o.gone.has(gate.holder.uid)) return asking(gate.holder)
  if (holder && !isSealed(holder, gate)) return sealing(view, holder, `${target.message}: sealing ${holder.name}`)
  return next ? name(view, next, target.message) : vacate(view, target.message)
}

/** A pod that may be named bears a stamp of this gate. It came just now, if it does not. */
function name(view: Settled, pod: ObservedPod, why: string): Election {
  if (stampedTerm(pod, view.gate) !== undefined) return advance(view, pod, why)
  return { urgent: enrolments(view, [pod]), chores: [], reason: `${why}: enrolling it` }
}

/** `Ready` is true only once the holder of the gate has borne the label of its term, and each write of the gate ends that. */
function hasLed({ status }: LeaderGroup): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false
}
