import type { PatchPod, WriteStatus } from '../../group/decision.ts'
import { parseMark } from '../../group/gate/gate.ts'
import { LEADER_ROLE } from '../../group/keys.ts'
import { arriveAtAssignedLease } from './assign.ts'
import { pared } from './decided.ts'
import { gateBrokenBy, rememberGate } from './gate-writes.ts'
import { arriveAtFollowedLease } from './observe.ts'
import { sawGroup, sawLease, sawListed, sawPod, wrotePod } from './operators.ts'
import { KEYS, replacing, type Arrival, type Omission, type OperatorState, type Sent, type World } from './world.ts'

/** A request reaches the server, and its reply the operator; a refusal comes with what is there instead. */
export function arrive(world: World, operator: OperatorState, sent: Sent, omission?: Omission): Arrival {
  const { action, begunAt } = sent
  switch (action.kind) {
    case 'readPod': {
      const index = Number(action.name.slice(1))
      const found = world.pods[index]
      const reply = sawPod(operator, index, found)
      if (found?.uid === action.uid || reply.gone.includes(action.uid)) return { reply }
      return { reply: { ...reply, gone: [...reply.gone, action.uid] } }
    }
    case 'readGroup':
      return { reply: sawGroup(operator, world, begunAt) }
    case 'readGate':
      return {
        reply: world.mode === 'Observe' ? sawGroup(operator, world, begunAt) : sawLease(operator, world.lease, sent),
      }
    case 'readLease':
      return { reply: sawLease(operator, world.lease, sent) }
    case 'listPods': {
      const listed = world.pods.reduce((state, pod, index) => sawListed(state, index, pod), operator)
      return { reply: { ...listed, podsListedAt: begunAt } }
    }
    case 'writeStatus':
      return arriveStatus(world, operator, action, begunAt, omission)
    case 'patchPod':
      return arrivePatch(world, operator, action, omission)
    case 'createGate':
    case 'deleteGate':
    case 'advanceGate':
      if (world.mode === 'Observe') return { effect: { violation: `${action.kind} in mode Observe` }, reply: operator }
      return arriveAtAssignedLease(world, operator, action, sent)
    case 'releaseLease':
      return arriveAtFollowedLease(world, operator, action, sent, omission)
    case 'createService':
    case 'patchService':
    case 'deleteService':
    case 'createSlice':
    case 'replaceSlice':
    case 'deleteSlice':
      throw new Error(`${action.kind}: the group of this world has no Services`)
  }
}

function arriveStatus(
  world: World,
  operator: OperatorState,
  action: WriteStatus,
  begunAt: number,
  omission?: Omission,
): Arrival {
  const fits = Number(action.resourceVersion) === world.group.version || (omission === 'noGateVersion' && action.gate)
  if (!fits) return { reply: sawGroup(operator, world, operator.tick + 1) }
  const status = pared(world.mode, action.status)
  const group = { version: world.serial, status }
  const effect = {
    serial: world.serial + 1,
    group,
    ...(world.mode === 'Observe' ? { past: rememberGate(world, status, action.gate) } : {}),
    ...(world.mode === 'Observe' ? gateBrokenBy(world, operator, status, action.gate) : {}),
  }
  return { effect, reply: sawGroup(operator, { ...world, group }, begunAt) }
}

function arrivePatch(world: World, operator: OperatorState, action: PatchPod, omission?: Omission): Arrival {
  const index = Number(action.pod.name.slice(1))
  const pod = world.pods[index]
  const fits =
    pod?.uid === action.pod.uid && (omission === 'noPodVersion' || pod.resourceVersion === action.pod.resourceVersion)
  if (!pod || !fits) return { reply: sawPod(operator, index, pod) }
  const role = KEYS.role in action.labels ? (action.labels[KEYS.role] ?? undefined) : pod.role
  const term = KEYS.term in action.annotations ? (action.annotations[KEYS.term] ?? undefined) : pod.term
  const stamp = KEYS.sealed in action.annotations && !(omission === 'noStamp' && action.step === 'seal')
  const sealed = stamp ? (action.annotations[KEYS.sealed] ?? undefined) : pod.sealed
  // A patch that changes nothing answers 200 and does not move the version.
  if (role === pod.role && term === pod.term && sealed === pod.sealed) return { reply: sawPod(operator, index, pod) }
  const byHand = pod.byHand && role !== undefined && action.step !== 'label'
  const patched = { ...pod, role, term, sealed, byHand, resourceVersion: String(world.serial) }
  const effect = { serial: world.serial + 1, pods: replacing(world, index, patched) }
  return {
    effect: { ...effect, ...labelBrokenBy({ ...world, ...effect }, action) },
    reply: wrotePod(operator, index, patched, action.pod.resourceVersion),
  }
}

/** What a patch that has just been applied has broken. */
function labelBrokenBy({ pods, past }: World, { step, pod, annotations }: PatchPod): { violation?: string } {
  const labelled = pods.filter((each) => each?.role === LEADER_ROLE && !each.byHand)
  if (labelled.length > 1) return { violation: 'two pods bear the label' }
  if (step !== 'label') return {}
  const named = parseMark(past.named)
  if (named?.holder?.uid === pod.uid && String(named.term) === annotations[KEYS.term]) return {}
  return { violation: `${pod.name} is labelled for term ${annotations[KEYS.term]} while the gate says ${past.named}` }
}
