import type { ExplainedEndpoint, ExplainedService } from '../group/explain/services.ts'
import type { ExplainedPod, Explanation, Outlook } from '../group/explain/explanation.ts'
import type { LeaderGroup, LeaderGroupCondition } from '../group/leadergroup.ts'
import { leaseNameOf } from '../group/spec.ts'
import { someOf } from '../group/explain/steps.ts'
import { age } from './age.ts'
import { columns } from './columns.ts'

/** The explanation as a person reads it. */
export function explainText(group: LeaderGroup, explanation: Explanation, wallMillis: number): string {
  const { leader, reason, pods, services, due, later, ifLeaderDied } = explanation
  return [
    headline(group),
    ready(group, wallMillis),
    ...servicesReady(group, wallMillis),
    '',
    ...(leader
      ? [
          `${leader.name} leads, in term ${leader.term}${leader.since ? since(leader.since, wallMillis) : ''}.`,
          ...leader.why.map((sentence) => `${wholeSeconds(sentence)}.`),
        ]
      : [`Nobody leads: ${reason}.`]),
    '',
    ...podLines(pods),
    '',
    ...serviceLines(services),
    ...(leader && ifLeaderDied ? [`If ${leader.name} died now: ${chain(ifLeaderDied)}`] : []),
    ...(later ? [`In ${later.inSeconds} s, if nothing changes: ${chain(later)}`] : []),
    ...(due ? dueLines(due, leader && reason) : ['Due now: nothing.']),
    '',
  ].join('\n')
}

/** The same as data. Field names are part of what users may rely on. */
export function explainData(group: LeaderGroup, explanation: Explanation): object {
  const { namespace, name, uid } = group.metadata
  return {
    group: { namespace, name, uid, mode: modeOf(group), leaseName: leaseNameOf(group), paused: isPaused(group) },
    ready: conditionOf(group, 'Ready') ?? null,
    servicesReady: conditionOf(group, 'ServicesReady') ?? null,
    leader: explanation.leader ?? null,
    reason: explanation.reason,
    pods: explanation.pods,
    services: explanation.services,
    ifLeaderDied: explanation.ifLeaderDied ?? null,
    later: explanation.later ?? null,
    due: explanation.due ?? null,
  }
}

function headline(group: LeaderGroup): string {
  const { namespace, name, deletionTimestamp } = group.metadata
  const remarks = [
    `mode ${modeOf(group)}`,
    `Lease ${leaseNameOf(group)}`,
    ...(isPaused(group) ? ['paused'] : []),
    ...(deletionTimestamp === undefined ? [] : ['being deleted']),
  ]
  return `LeaderGroup ${namespace}/${name}: ${remarks.join(', ')}`
}

function ready(group: LeaderGroup, wallMillis: number): string {
  const condition = conditionOf(group, 'Ready')
  // In mode Observe it is unknown also for the moment in which a holder is named and not labelled yet.
  if (!condition || (condition.status === 'Unknown' && group.status?.gate === undefined)) {
    return 'Ready: Unknown. No operator has decided about this group yet: does one run, and does it serve this namespace?'
  }
  return inWords(condition, wallMillis)
}

/** Only where the group has Services. */
function servicesReady(group: LeaderGroup, wallMillis: number): readonly string[] {
  const condition = conditionOf(group, 'ServicesReady')
  return condition && (group.spec.services?.length ?? 0) > 0 ? [inWords(condition, wallMillis)] : []
}

function inWords(
  { type, status, reason, message, lastTransitionTime }: LeaderGroupCondition,
  wallMillis: number,
): string {
  return `${type}: ${status}, ${reason}${since(lastTransitionTime, wallMillis)}: ${message}`
}

function podLines(pods: readonly ExplainedPod[]): readonly string[] {
  if (pods.length === 0)
    return ['No pod in this namespace matches the selector: compare it with the labels of your pods.']
  const rows = pods.map((pod) => [
    pod.name,
    pod.verdict,
    pod.ready ? (pod.readyTime ?? 'unknown') : '-',
    pod.revision ?? '-',
    pod.enrolled ? 'yes' : 'no',
    pod.why,
  ])
  return columns([['POD', 'VERDICT', 'READY SINCE', 'REVISION', 'ENROLLED', 'WHY'], ...rows], '  ')
}

function serviceLines(services: readonly ExplainedService[]): readonly string[] {
  if (services.length === 0) return []
  const rows = services.map((service) => [service.name, service.role, service.routing, destination(service)])
  return [
    ...columns([['SERVICE', 'ROLE', 'ROUTING', 'LEADS TO'], ...rows], '  '),
    ...services.flatMap(({ problems }) => problems.map(({ reason, message }) => `  ${reason}: ${message}.`)),
    '',
  ]
}

function destination({ exists, leadsTo }: ExplainedService): string {
  return exists ? someOf(leadsTo.map(endpoint)) : 'nobody: it does not exist'
}

function endpoint({ pod, addresses, ready }: ExplainedEndpoint): string {
  return `${pod ?? addresses.join(' and ')}${ready ? '' : ' (not ready)'}`
}

/** Why it is due is said already where nobody leads. */
function dueLines(due: Outlook, reason: string | undefined): readonly string[] {
  return [
    `Due now: ${chain(due)}`,
    ...(reason === undefined ? [] : [`Why: ${reason}.`]),
    'An operator does this within milliseconds. If it is still due when you ask again, none acts on this group.',
  ]
}

function chain({ steps, result }: Outlook): string {
  return steps.length === 0 ? `${result}.` : `${steps.join(', ')}. Then: ${result}.`
}

function since(stamp: string, wallMillis: number): string {
  return ` since ${wholeSeconds(stamp)} (${age(stamp, wallMillis)})`
}

/** Microseconds help a program to order writes, and no person. */
function wholeSeconds(text: string): string {
  return text.replaceAll(/\.\d{6}Z/g, 'Z')
}

function conditionOf({ status }: LeaderGroup, wanted: 'Ready' | 'ServicesReady'): LeaderGroupCondition | undefined {
  return status?.conditions?.find(({ type }) => type === wanted)
}

function modeOf({ spec }: LeaderGroup): string {
  return spec.mode ?? 'Assign'
}

function isPaused({ spec }: LeaderGroup): boolean {
  return spec.paused === true
}
