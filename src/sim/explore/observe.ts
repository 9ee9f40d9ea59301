import type { GroupAction } from '../../group/decision.ts'
import { formatMark, parseMark } from '../../group/gate/gate.ts'
import { LEADER_ROLE } from '../../group/keys.ts'
import type { LeaderGroupStatus } from '../../group/leadergroup.ts'
import { sawLease } from './operators.ts'
import {
  GROUP,
  identityOf,
  newPod,
  replacing,
  timeAt,
  wrote,
  type Omission,
  type Arrival,
  type OperatorState,
  type Sent,
  type ServerLease,
  type ServerPod,
  type Step,
  type World,
} from './world.ts'

/**
 * Mode Observe: what happens to pods, their Lease and status without any operator.
 *
 * Electors are given more freedom than they take: each may acquire at any time, also beside a living holder. A pod that is
 * recreated under its name takes its processes with it, as a StatefulSet waits for; one that was deleted by force may live
 * on, and what it then writes under a name that it shares with its successor nobody can tell apart.
 */
export function* followedSteps(world: World): Generator<Step> {
  for (const [index, pod] of world.pods.entries()) if (pod) yield* podSteps(world, index, pod)
  yield* leaseSteps(world)
  yield* statusSteps(world)
}

function* podSteps(world: World, index: number, pod: ServerPod): Generator<Step> {
  const { budget, lease, serial } = world
  const { process } = pod
  const changed = (change: Partial<ServerPod>): Pick<World, 'pods'> => ({
    pods: replacing(world, index, { ...pod, ...change, resourceVersion: String(serial) }),
  })
  if (process.running) {
    const identity = identityOf(world, pod)
    const isHolder = lease?.holderIdentity === identity
    const item = isHolder ? 'renewals' : 'acquisitions'
    if (budget[item] > 0) {
      const words = `${pod.name} ${isHolder ? 'renews' : 'acquires'} the Lease as ${identity}`
      yield [words, wrote(world, item, { lease: written(world, pod) })]
    }
    if (budget.deaths > 0 && process.endedAt === undefined) {
      const ended = { ...process, running: false, endedAt: serial }
      yield [`the container of ${pod.name} ends`, wrote(world, 'deaths', changed({ process: ended }))]
    }
  } else if (budget.restarts > 0) {
    const restarted = { ...process, number: process.number + 1, running: true }
    const words = `the container of ${pod.name} is restarted`
    yield [words, wrote(world, 'restarts', changed({ process: restarted }))]
  }
  if (budget.recreations > 0) {
    const born = newPod(index, `v${serial}.`, serial)
    yield [`${pod.name} recreated`, wrote(world, 'recreations', { pods: replacing(world, index, born) })]
  }
  if (budget.hands > 0) {
    const bears = pod.role === LEADER_ROLE
    const hand = bears ? { role: undefined, byHand: false } : { role: LEADER_ROLE, byHand: true }
    const words = `a hand ${bears ? 'takes the label off' : 'labels'} ${pod.name}`
    yield [words, wrote(world, 'hands', changed(hand))]
  }
}

/** What an elector writes: it keeps acquireTime where it finds its own name, as client-go does. */
export function written(world: World, pod: ServerPod): ServerLease {
  const { lease, serial } = world
  const holderIdentity = identityOf(world, pod)
  const isOwn = lease?.holderIdentity === holderIdentity
  return {
    name: GROUP,
    uid: lease?.uid ?? `lease${serial}`,
    resourceVersion: String(serial),
    ownerUID: undefined,
    ownerName: undefined,
    mode: undefined,
    mark: undefined,
    transitions: undefined,
    holderIdentity,
    acquireTime: isOwn ? lease.acquireTime : timeAt(serial),
    renewTime: timeAt(serial),
    writer: { uid: pod.uid, process: pod.process.number },
  }
}

function* leaseSteps(world: World): Generator<Step> {
  const { budget, lease } = world
  if (!lease) return
  if (budget.deletions > 0) yield ['Lease deleted', wrote(world, 'deletions', { lease: undefined })]
  if (budget.releases > 0 && livingWriter(world)) {
    yield [`${lease.holderIdentity} releases the Lease`, wrote(world, 'releases', { lease: emptied(world, lease) })]
  }
}

/** The pod whose process wrote the record and still runs. */
export function livingWriter({ lease, pods }: World): ServerPod | undefined {
  const writer = lease?.holderIdentity ? lease.writer : undefined
  return pods.find((pod) => pod?.uid === writer?.uid && pod?.process.running && pod.process.number === writer?.process)
}

function emptied({ serial }: World, lease: ServerLease): ServerLease {
  return { ...lease, holderIdentity: '', writer: undefined, resourceVersion: String(serial) }
}

/**
 * Two things are left out, for the terms come again then, and a late label of one may fit. An old status that somebody puts
 * back as it was says what an operator wrote, and nothing in the world tells it from the present one. And where status is
 * wiped and the pods that bore the last numbers are gone, no number is left to go on from: so no world has both.
 */
function* statusSteps(world: World): Generator<Step> {
  const { budget, group } = world
  const rewritten = (status: LeaderGroupStatus): Partial<World> => ({ group: { version: world.serial, status } })
  const { gate: _, ...unmarked } = group.status
  if (budget.wipes > 0) {
    yield ['a stranger wipes status', wrote(world, 'wipes', rewritten({}))]
    yield ['a stranger wipes the mark', wrote(world, 'wipes', rewritten(unmarked))]
  }
  if (budget.strangers > 0) {
    const { holder: _holder, holderUID: _uid, ...unnamed } = group.status
    yield ['a stranger wipes the holder', wrote(world, 'strangers', rewritten(unnamed))]
    const mark = parseMark(group.status.gate)
    if (mark && mark.term > 1) {
      const lowered = { ...group.status, gate: formatMark({ ...mark, term: mark.term - 1 }) }
      yield ['a stranger writes a lower term into the mark', wrote(world, 'strangers', rewritten(lowered))]
    }
    const other = world.pods.find((pod) => pod && pod.uid !== group.status.holderUID)
    if (other) {
      const edited = { ...group.status, holder: other.name, holderUID: other.uid }
      yield [`a stranger writes ${other.name} into status`, wrote(world, 'strangers', rewritten(edited))]
    }
  }
}

/** The one write of an operator to the candidates' Lease. */
export function arriveAtFollowedLease(
  world: World,
  operator: OperatorState,
  action: Extract<GroupAction, { kind: 'releaseLease' }>,
  sent: Sent,
  omission?: Omission,
): Arrival {
  const { lease } = world
  const fits = omission === 'noLeaseVersion' || lease?.resourceVersion === action.resourceVersion
  if (!lease || lease.uid !== action.uid || !fits) {
    return { reply: sawLease(operator, lease, { begunAt: operator.tick + 1, overdue: operator.overdue }) }
  }
  const living = livingWriter(world)
  const released = emptied(world, lease)
  const effect = { serial: world.serial + 1, lease: released }
  return {
    effect: living ? { ...effect, violation: `the Lease of ${living.name} is emptied, which lives` } : effect,
    reply: sawLease(operator, released, sent),
  }
}
