import type { GateWrite, GroupAction, PatchPod } from '../decision.ts'
import type { Foresight } from './foresee.ts'
import type { GroupObservation } from '../observation.ts'
import { podsIn, type EndpointSlice } from '../routing/endpoint-slice.ts'
import { SERVICE_NAME_LABEL } from '../routing/routing-keys.ts'
import { isLeaderSliceName, serviceOfSliceName } from '../routing/slice-name.ts'
import { bearsLead } from '../seal.ts'

/** More names say less. */
const NAMED = 3

/** What is known of a chain before one of its steps. */
interface Before {
  /** UIDs of the pods that bear the leader's keys. */
  readonly bearers: ReadonlySet<string>
  /** UID of the pod that the gate was given last. */
  readonly named: string | undefined
  /** Pods in each slice, by its name. */
  readonly behind: ReadonlyMap<string, ReadonlySet<string>>
}

/** The writes of a chain in words, but for status. What reads the same twice (two address families) is said once. */
export function stepsOf({ actions }: Foresight, from: GroupObservation): readonly string[] {
  const bearers = new Set(from.pods.filter(bearsLead).map(({ uid }) => uid))
  const behind = new Map(from.slices.map((slice) => [slice.name, podsIn(slice)]))
  const steps: string[] = []
  let named: string | undefined
  for (const action of actions) {
    if (action.kind === 'advanceGate') named = action.holder.uid
    if (action.kind === 'writeStatus' && action.gate) named = action.gate.holder?.uid
    const step = stepOf(action, { bearers, named, behind })
    if (step !== undefined && step !== steps.at(-1)) steps.push(step)
    if (action.kind === 'createSlice' || action.kind === 'replaceSlice') {
      behind.set(action.slice.metadata.name, podsIn(action.slice))
    }
  }
  return steps
}

function stepOf(action: GroupAction, before: Before): string | undefined {
  switch (action.kind) {
    case 'createGate':
      return 'create the Lease'
    case 'deleteGate':
      return 'delete the Lease, by which nobody can lead'
    case 'advanceGate':
      return `name ${action.holder.name} in the Lease for term ${action.term}`
    case 'patchPod':
      return patchInWords(action, before)
    case 'createService':
      return `create Service ${action.service.metadata.name}`
    case 'patchService':
      return `put Service ${action.name} right`
    case 'deleteService':
      return `delete Service ${action.name}`
    case 'createSlice':
    case 'replaceSlice':
      return sliceInWords(action.slice, before)
    case 'deleteSlice':
      return isLeaderSliceName(action.name)
        ? `route Service ${serviceOfSliceName(action.name)} to nobody`
        : `delete EndpointSlice ${action.name}`
    case 'releaseLease':
      return `empty the holder of Lease ${action.name}`
    case 'writeStatus':
      return action.gate && gateInWords(action.gate)
    case 'readGate':
    case 'readLease':
    case 'readPod':
    case 'readGroup':
    case 'listPods':
      return undefined
  }
}

/** Mode Observe: what a write of status changes about the leader. */
function gateInWords({ holder, gateUID, term }: GateWrite): string {
  if (gateUID === undefined) return 'begin to count terms in status'
  return holder ? `name ${holder.name} in status for term ${term}` : 'name nobody in status'
}

function patchInWords({ step, pod }: PatchPod, { bearers, named }: Before): string {
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

function sliceInWords(slice: EndpointSlice, { behind }: Before): string {
  const { name, labels } = slice.metadata
  const was = behind.get(name) ?? new Set()
  const is = podsIn(slice)
  const service = labels[SERVICE_NAME_LABEL]
  if (is.size === was.size && [...is].every((uid) => was.has(uid)))
    return `bring EndpointSlice ${name} of Service ${service} up to date`
  return `route Service ${service} to ${someOf(slice.endpoints.map(({ targetRef }) => targetRef.name))}`
}

/** "db-1, db-2, db-3 and 4 more"; "nobody" without any. */
export function someOf(names: readonly string[]): string {
  if (names.length === 0) return 'nobody'
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : ''
  return `${names.slice(0, NAMED).join(', ')}${more}`
}
