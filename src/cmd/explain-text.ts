import type { ExplainedPod, Explanation, Outlook } from '../group/explain.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import { age } from './age.ts'
import { columns } from './columns.ts'
import { leaseNameOf } from '../group/spec.ts'

/** The explanation as a person reads it. */
export function explainText(group: LeaderGroup, explanation: Explanation, wallMillis: number): string {
  const { leader, reason, pods, due, later, ifLeaderDied } = explanation
  return [
    headline(group),
    ready(group, wallMillis),
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
    ready: conditionOf(group) ?? null,
    leader: explanation.leader ?? null,
    reason: explanation.reason,
    pods: explanation.pods,
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
  const condition = conditionOf(group)
  if (!condition || condition.status === 'Unknown') {
    return 'Ready: Unknown. No operator has decided about this group yet: does one run, and does it serve this namespace?'
  }
  const { status, reason, message, lastTransitionTime } = condition
  return `Ready: ${status}, ${reason}${since(lastTransitionTime, wallMillis)}: ${message}`
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

function conditionOf({ status }: LeaderGroup) {
  return status?.conditions?.find(({ type }) => type === 'Ready')
}

function modeOf({ spec }: LeaderGroup): string {
  return spec.mode ?? 'Assign'
}

function isPaused({ spec }: LeaderGroup): boolean {
  return spec.paused === true
}
