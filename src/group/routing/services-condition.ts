import { forbiddenMessage } from '../forbidden.ts'
import type { UnresolvedPort } from './endpoints.ts'
import type { ObservedSlice } from './endpoint-slice.ts'
import type { ObservedService } from './observed-service.ts'
import type { RoutingInput } from './routing-input.ts'
import { GROUP_LABEL, MANAGED_BY, MANAGED_BY_LABEL } from './routing-keys.ts'

export interface ServicesCondition {
  readonly type: 'ServicesReady'
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: 'Routed' | 'ServiceNotOurs' | 'ForeignSlices' | 'PortUnresolved' | 'Forbidden' | 'Pending'
  readonly message: string
}

/** What keeps the Services from being routed as wished. */
export interface Obstacles {
  readonly notOurs: readonly ObservedService[]
  readonly foreign: readonly { readonly service: string; readonly slices: readonly ObservedSlice[] }[]
  readonly unresolved: readonly UnresolvedPort[]
  /** Wished Services that are not there yet. */
  readonly awaited: readonly string[]
  /** Something is due. */
  readonly acting: boolean
}

type Verdict = Omit<ServicesCondition, 'type'>

/** What is wrong with one Service, until somebody changes something. */
export interface ServiceProblem {
  readonly service: string
  readonly reason: 'ServiceNotOurs' | 'ForeignSlices' | 'PortUnresolved'
  readonly message: string
}

/**
 * The first reason that applies, and all messages. A slice that is about to be written does not show: the condition
 * would flap, and cost two writes of status, with every change of leader.
 */
export function servicesCondition(obstacles: Obstacles, input: RoutingInput): ServicesCondition {
  const problems = serviceProblems(obstacles).map((problem) => ({ ...problem, status: 'False' as const }))
  const verdicts: readonly Verdict[] = [...problems, ...progress(obstacles, input)]
  const { status, reason } = verdicts[0] ?? routed(input)
  const message = verdicts.length > 0 ? verdicts.map((verdict) => verdict.message).join('. ') : routed(input).message
  return { type: 'ServicesReady', status, reason, message }
}

/** All of them, the most severe first. */
export function serviceProblems({ notOurs, foreign, unresolved }: Obstacles): readonly ServiceProblem[] {
  return [
    ...notOurs.map((service) => ({
      service: service.name,
      reason: 'ServiceNotOurs' as const,
      message: serviceNotOurs(service),
    })),
    ...foreign.map(({ service, slices }) => ({
      service,
      reason: 'ForeignSlices' as const,
      message: foreignSlices(service, slices),
    })),
    ...portsUnresolved(unresolved),
  ]
}

function* progress({ awaited, acting }: Obstacles, { fault }: RoutingInput): Iterable<Verdict> {
  if (fault && acting) {
    yield fault.forbidden
      ? { status: 'False', reason: 'Forbidden', message: forbiddenMessage(fault.message) }
      : { status: 'False', reason: 'Pending', message: fault.message }
  } else if (awaited.length > 0) {
    yield { status: 'Unknown', reason: 'Pending', message: `Creating ${plural('Service', awaited)}` }
  }
}

function routed({ wishes }: RoutingInput): Verdict {
  const services = wishes.length === 1 ? '1 Service is' : `${wishes.length} Services are`
  const message = wishes.length === 0 ? 'The group has no Services of its own' : `${services} routed`
  return { status: 'True', reason: 'Routed', message }
}

function serviceNotOurs({ name, ownerReferences: [owner] }: ObservedService): string {
  const whose = owner ? `belongs to ${owner.kind} ${owner.name}` : 'was not made by this group'
  return `Service ${name} ${whose}: nothing is written to it. Choose another name in spec.services, or delete the Service`
}

function foreignSlices(service: string, slices: readonly ObservedSlice[]): string {
  const named = slices.map((slice) => `${slice.name} (${writerOf(slice)})`).toSorted()
  return (
    `Service ${service} is also routed by ${plural('EndpointSlice', named)}: traffic may go there, ` +
    'or the names are in the way. Nothing is written to them: delete them if nobody needs them'
  )
}

function writerOf({ labels }: ObservedSlice): string {
  const manager = labels[MANAGED_BY_LABEL]
  if (manager === undefined) return 'written by hand'
  return manager === MANAGED_BY ? `of group ${labels[GROUP_LABEL] ?? 'unknown'}` : `managed by ${manager}`
}

function portsUnresolved(unresolved: readonly UnresolvedPort[]): readonly ServiceProblem[] {
  const pods = new Map<string, { readonly service: string; readonly targetPort: string; readonly pods: Set<string> }>()
  for (const { service, targetPort, pod } of unresolved) {
    const key = `${service}/${targetPort}`
    const entry = pods.get(key) ?? { service, targetPort, pods: new Set<string>() }
    pods.set(key, entry)
    entry.pods.add(pod)
  }
  return [...pods.values()].map((entry) => ({
    service: entry.service,
    reason: 'PortUnresolved' as const,
    message:
      `Service ${entry.service}: no container port is named ${entry.targetPort} in ` +
      `${plural('pod', [...entry.pods].toSorted())}, so it gets no traffic there. Name the port in the pod template, or ` +
      `write its number as targetPort`,
  }))
}

const NAMED = 3

/** "pods a, b, c and 4 more": the message stays short and does not change with every pod. */
function plural(noun: string, names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : ''
  return `${noun}${names.length === 1 ? '' : 's'} ${names.slice(0, NAMED).join(', ')}${more}`
}
