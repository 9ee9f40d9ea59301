import type { AdvanceGate, GroupAction } from '../../group/decision.ts'
import { formatIdentity, formatMark, transitionsOf } from '../../group/gate/gate.ts'
import { LEADER_ROLE } from '../../group/keys.ts'
import { sawLease } from './operators.ts'
import {
  GROUP,
  GROUP_UID,
  newPod,
  replacing,
  wrote,
  type Arrival,
  type OperatorState,
  type Sent,
  type ServerLease,
  type Step,
  type World,
} from './world.ts'

/** Mode Assign: what happens to pods and the group's Lease without any operator. */
export function* assignedSteps(world: World): Generator<Step> {
  const { budget, pods, lease } = world
  const version = String(world.serial)
  for (const [index, pod] of pods.entries()) {
    if (pod && budget.flips > 0) {
      const flipped = { ...pod, ready: !pod.ready, resourceVersion: version }
      const words = `${pod.name} ${flipped.ready ? 'ready' : 'unready'}`
      yield [words, wrote(world, 'flips', { pods: replacing(world, index, flipped) })]
    }
    if (budget.recreations > 0) {
      const born = newPod(index, `v${world.serial}.`, world.serial)
      yield [`p${index} recreated`, wrote(world, 'recreations', { pods: replacing(world, index, born) })]
    }
  }
  if (lease && budget.deletions > 0) yield ['Lease deleted', wrote(world, 'deletions', { lease: undefined })]
  if (lease && budget.strangers > 0) {
    for (const holderIdentity of ['', 'stranger', ...pods.flatMap((pod) => (pod ? [formatIdentity(pod)] : []))]) {
      const taken = { ...lease, holderIdentity, resourceVersion: version }
      yield [`a stranger writes "${holderIdentity}"`, wrote(world, 'strangers', { lease: taken })]
    }
  }
}

/** The Lease is the gate: it is created, advanced and, where its mark cannot be read, deleted by operators. */
export function arriveAtAssignedLease(
  world: World,
  operator: OperatorState,
  action: Extract<GroupAction, { kind: 'createGate' | 'deleteGate' | 'advanceGate' }>,
  sent: Sent,
): Arrival {
  const { lease, serial } = world
  const next = { serial: serial + 1 }
  const afresh = { begunAt: operator.tick + 1, overdue: false }
  if (action.kind === 'createGate') {
    if (lease) return { reply: sawLease(operator, lease, sent) }
    const mark = formatMark({ holder: undefined, gateUID: undefined, term: 0 })
    const born = leaseNaming(`gate${serial}`, String(serial), '', mark, 0)
    return { effect: { ...next, lease: born }, reply: sawLease(operator, born, sent) }
  }
  if (lease?.uid !== action.uid || lease.resourceVersion !== action.resourceVersion) {
    return { reply: sawLease(operator, lease, afresh) }
  }
  if (action.kind === 'deleteGate') {
    return { effect: { ...next, lease: undefined }, reply: sawLease(operator, undefined, sent) }
  }
  const mark = formatMark({ holder: action.holder, gateUID: lease.uid, term: action.term })
  const named = leaseNaming(lease.uid, String(serial), formatIdentity(action.holder), mark, transitionsOf(action.term))
  const past = { ...world.past, named: mark, highestTerm: action.term }
  return { effect: { ...next, lease: named, past, ...brokenBy(world, action) }, reply: sawLease(operator, named, sent) }
}

function brokenBy({ pods, past }: World, { term, holder }: AdvanceGate): { violation?: string } {
  if (term <= past.highestTerm) return { violation: `term ${term} is named again` }
  const other = pods.find((pod) => pod?.role === LEADER_ROLE && pod.uid !== holder.uid)
  return other ? { violation: `the gate names ${holder.name} while ${other.name} is labelled` } : {}
}

function leaseNaming(
  uid: string,
  resourceVersion: string,
  holderIdentity: string,
  mark: string,
  transitions: number,
): ServerLease {
  return {
    name: GROUP,
    uid,
    resourceVersion,
    ownerUID: GROUP_UID,
    ownerName: `LeaderGroup ${GROUP}`,
    mode: 'Assign',
    mark,
    holderIdentity,
    transitions,
    acquireTime: undefined,
  }
}
