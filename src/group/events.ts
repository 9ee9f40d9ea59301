import type { LeaderGroupCondition, LeaderGroupStatus } from './leadergroup.ts'
import { quoted } from './quoted.ts'
import type { Release } from './follow/release.ts'
import type { ReadyReason } from './verdict.ts'

/** What people are told about a group, in the words of its condition. */
export interface GroupEvent {
  readonly type: 'Normal' | 'Warning'
  /** Why, in one word: a reason of the condition Ready or ServicesReady, LeaseTakenBack, or DeadHolderReleased. */
  readonly reason: string
  /** What the operator did upon it, in one word. */
  readonly action: string
  /** In a sentence. */
  readonly note: string
  /** The pod that the event is about, beside the group. */
  readonly relatedPod?: { readonly name: string; readonly uid?: string }
}

const ACTIONS: Readonly<Record<ReadyReason, string>> = {
  LeaderElected: 'Elect',
  NoPods: 'Wait',
  NoEligiblePod: 'Wait',
  Paused: 'Pause',
  LeaseHeldByAnother: 'Refuse',
  LeaseDeleted: 'Wait',
  Forbidden: 'Wait',
  Pending: 'Wait',
  LeaseMissing: 'Wait',
  LeaseReleased: 'Wait',
  LeaseExpired: 'Wait',
  HolderUnknown: 'Wait',
  HolderAmbiguous: 'Wait',
  HolderDead: 'Wait',
  HolderUnproven: 'Wait',
}

/**
 * The events that a write of status implies: at most one of the election, when another pod leads, or another term
 * began, or the leader is lost, or Ready changed in status or reason; and one when the Services became routed otherwise
 * than wished, or as wished again. Counts and wording alone are no event.
 */
export function eventsOf(before: LeaderGroupStatus | undefined, after: LeaderGroupStatus): readonly GroupEvent[] {
  return [...electionEvents(before, after), ...servicesEvents(before, after)]
}

function servicesEvents(before: LeaderGroupStatus | undefined, after: LeaderGroupStatus): readonly GroupEvent[] {
  const was = conditionIn(before, 'ServicesReady')
  const is = conditionIn(after, 'ServicesReady')
  if (!is || (was?.status === is.status && was.reason === is.reason)) return []
  const { reason, message: note } = is
  if (is.status === 'False') return [{ type: 'Warning', reason, action: 'Route', note }]
  return is.status === 'True' && was?.status === 'False' ? [{ type: 'Normal', reason, action: 'Route', note }] : []
}

function electionEvents(before: LeaderGroupStatus | undefined, after: LeaderGroupStatus): readonly GroupEvent[] {
  const was = conditionIn(before, 'Ready')
  const ready = conditionIn(after, 'Ready')
  if (!ready || ready.status === 'Unknown') return []
  const isAnother = after.holderUID !== before?.holderUID || after.term !== before?.term
  // In mode Observe status names the leader before it is labelled. Ready is Unknown meanwhile, and that is no event.
  const elected = after.holder !== undefined && (isAnother || was?.status === 'Unknown')
  const lost = after.holder === undefined ? before?.holder : undefined
  if (!elected && lost === undefined && was?.status === ready.status && was.reason === ready.reason) return []
  return [
    {
      type: ready.status === 'True' || isAwaited(ready, lost) ? 'Normal' : 'Warning',
      reason: ready.reason,
      action: ACTIONS[ready.reason as ReadyReason],
      note: noteOf(after, ready, elected, lost),
      ...relatedPod(lost === undefined ? after : before),
    },
  ]
}

/** A Lease that had named the leader was taken by somebody's elector, and the group took it back. */
export function leaseTakenBack(lease: string, from: string | undefined): GroupEvent {
  return {
    type: 'Warning',
    reason: 'LeaseTakenBack',
    action: 'TakeBack',
    note:
      `Lease ${lease} was changed by ${from ? `the elector of ${from}` : 'somebody else'} and is taken back under a new ` +
      'term. In mode Assign the operator elects: give that program another Lease, or turn its election off',
  }
}

/** The holder of a followed Lease was proved dead, and the operator emptied it for the others. */
export function leaseReleased({ name, holderIdentity }: Pick<Release, 'name' | 'holderIdentity'>): GroupEvent {
  return {
    type: 'Normal',
    reason: 'DeadHolderReleased',
    action: 'Release',
    note: `${quoted(holderIdentity)} held Lease ${name} and is proved dead: its holder is emptied, so that the others need not wait`,
  }
}

function conditionIn(
  status: LeaderGroupStatus | undefined,
  wanted: 'Ready' | 'ServicesReady',
): LeaderGroupCondition | undefined {
  return status?.conditions?.find(({ type }) => type === wanted)
}

/** A group that is made before its pods, or before they have elected, is nothing to warn of. */
function isAwaited({ reason }: LeaderGroupCondition, lost: string | undefined): boolean {
  return (reason === 'NoPods' || reason === 'LeaseMissing') && lost === undefined
}

function noteOf(
  after: LeaderGroupStatus,
  ready: LeaderGroupCondition,
  elected: boolean,
  lost: string | undefined,
): string {
  if (lost !== undefined) return `${lost} leads no more${endOf(after, lost)}: ${ready.message}`
  if (!elected && ready.reason !== 'LeaderElected') return ready.message
  const [, previous] = after.history ?? []
  const predecessor = elected && previous ? `, after ${previous.holder}${endOf(after, previous.holder)}` : ''
  const headline = `${after.holder} leads in term ${after.term}${predecessor}`
  return ready.reason === 'LeaderElected' ? headline : `${headline}: ${ready.message}`
}

/** Why the last term of this pod that is over ended, in brackets. */
function endOf({ history = [] }: LeaderGroupStatus, holder: string): string {
  const over = history.find((entry) => entry.holder === holder && entry.reason !== undefined)
  return over ? ` (${over.reason})` : ''
}

function relatedPod(status: LeaderGroupStatus | undefined): Pick<GroupEvent, 'relatedPod'> {
  if (status?.holder === undefined) return {}
  const { holder: name, holderUID: uid } = status
  return { relatedPod: { name, ...(uid === undefined ? {} : { uid }) } }
}
