import { decide } from '../../group/decide.ts'
import type { GroupAction } from '../../group/decision.ts'
import { gateOf } from '../../group/gate/gate-of.ts'
import { liveGate } from '../../group/gate/gate-state.ts'
import { formatMark } from '../../group/gate/gate.ts'
import type { LeaderGroup, LeaderGroupStatus } from '../../group/leadergroup.ts'
import type { GroupObservation, ObservedPod } from '../../group/observation.ts'
import { same } from '../../group/same.ts'
import { bearsLead } from '../../group/seal.ts'
import { DURATION } from './operators.ts'
import { GROUP, GROUP_UID, type Omission, type OperatorState, type World } from './world.ts'

/** What an operator that knows this would send, one of them at a time. */
export function decided(mode: World['mode'], operator: OperatorState, omission?: Omission): readonly GroupAction[] {
  const now = { monotonic: operator.overdue ? DURATION : 0, wall: '2026-01-01T12:00:00.000000Z' }
  const group = groupOf(mode, operator)
  const o = misread(observationOf(operator, group), group, omission)
  const first = decide(o, now).actions
  const overlooked = first.find((action) => omission && overlooks(o, group, action, omission))
  const actions =
    overlooked?.kind === 'patchPod' ? decide(looksSealed(o, group, overlooked.pod.uid), now).actions : first
  return actions.map((action) => lowered(action, omission)).filter((action) => matters(mode, action, operator))
}

/** The group as this operator knows it. */
export function groupOf(
  mode: World['mode'],
  { group: { version, status } }: Pick<OperatorState, 'group'>,
): LeaderGroup {
  return {
    metadata: { name: GROUP, namespace: 'n', uid: GROUP_UID, resourceVersion: String(version) },
    spec: {
      selector: { matchLabels: { a: 'b' } },
      ...(mode === 'Observe' ? { mode, failover: { releaseDeadHolder: true } } : {}),
    },
    status,
  }
}

function observationOf(operator: OperatorState, group: LeaderGroup): GroupObservation {
  return {
    namespace: 'n',
    name: GROUP,
    group,
    groupSeenAt: operator.group.seenAt,
    groupReadAt: operator.group.readAt,
    groupAbsentAt: undefined,
    pods: operator.pods.filter((pod) => pod !== undefined),
    deletedPods: operator.deadHolders,
    lease: operator.lease,
    leaseAbsentAt: operator.leaseAbsentAt,
    services: [],
    slices: [],
    podsListedAt: operator.podsListedAt,
    gone: new Set(operator.gone),
    memory: { statusWrittenAt: undefined, takenBackAt: [], fault: undefined, putOff: undefined },
  }
}

/** Of status only what is decided by it is kept here: the rest of it is no reason to write. */
function matters(mode: World['mode'], action: GroupAction, { group: { status } }: OperatorState): boolean {
  if (action.kind !== 'writeStatus' || action.gate) return true
  return mode === 'Assign' ? action.status.term !== status.term : !same(pared(mode, action.status), status)
}

/** As far as anything is decided by it. */
export function pared(mode: World['mode'], status: LeaderGroupStatus): LeaderGroupStatus {
  const { term = 0, holder, holderUID, holderIdentity, transitions = 0, gate, leaseVersion, conditions } = status
  const named = holderUID === undefined ? {} : { holderUID }
  if (mode === 'Assign') return { term, ...named }
  return {
    term,
    transitions,
    ...named,
    ...(holder === undefined ? {} : { holder }),
    ...(holderIdentity === undefined ? {} : { holderIdentity }),
    ...(gate === undefined ? {} : { gate }),
    ...(leaseVersion === undefined ? {} : { leaseVersion }),
    conditions: (conditions ?? [])
      .filter(({ type }) => type === 'Ready')
      .map(({ type, status }) => ({ type, status, reason: 'x', message: '', lastTransitionTime: '' })),
  }
}

/** How things look to an operator that forgets a rule. */
function misread(o: GroupObservation, group: LeaderGroup, omission?: Omission): GroupObservation {
  const gate = gateOf(o, group)
  if (omission === 'noRound' && gate.kind === 'open') return { ...looksSealed(o, group), podsListedAt: Infinity }
  if (omission === 'alwaysFresh') {
    return { ...o, leaseAbsentAt: Infinity, lease: o.lease && { ...o.lease, readAt: Infinity } }
  }
  return o
}

/** Without a seal the holder, without a stamp whoever bears no label, looks as if sealed. */
function overlooks(o: GroupObservation, group: LeaderGroup, action: GroupAction, omission: Omission): boolean {
  if (action.kind !== 'patchPod' || action.step !== 'seal') return false
  const gate = gateOf(o, group)
  if (gate.kind !== 'held' || gate.holder.uid !== action.pod.uid) return false
  const pod = o.pods.find(({ uid }) => uid === action.pod.uid)
  return omission === 'noSeal' || (omission === 'noStamp' && pod !== undefined && !bearsLead(pod))
}

function looksSealed(o: GroupObservation, group: LeaderGroup, uid?: string): GroupObservation {
  const gate = liveGate(gateOf(o, group))
  if (!gate) return o
  const sealed = { role: undefined, term: undefined, sealed: `${gate.object.uid}/${gate.term}` }
  const seal = (pod: ObservedPod): ObservedPod => (uid === undefined || pod.uid === uid ? { ...pod, ...sealed } : pod)
  return { ...o, pods: o.pods.map(seal) }
}

function lowered(action: GroupAction, omission?: Omission): GroupAction {
  if (omission !== 'lowBirth' || action.kind !== 'writeStatus' || !action.gate) return action
  if (action.gate.holder || action.gate.gateUID !== undefined) return action
  const write = { ...action.gate, term: action.gate.term - 1 }
  return { ...action, gate: write, status: { ...action.status, term: write.term, gate: formatMark(write) } }
}
