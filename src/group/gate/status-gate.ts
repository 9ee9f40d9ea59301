import { FORGED_LEAP, formatMark, parseMark, parseTerm, type Mark } from './gate.ts'
import type { Gate, GateObject, LiveGate } from './gate-state.ts'
import type { LeaderGroup, LeaderGroupStatus } from '../leadergroup.ts'
import type { GroupObservation } from '../observation.ts'

/**
 * Mode Observe: the group's status is the gate, and `status.gate` its mark. Holder, UID and term of status repeat it:
 * where they disagree, somebody else wrote status.
 */
export function statusGate(
  { groupSeenAt = 0, groupReadAt }: Pick<GroupObservation, 'groupSeenAt' | 'groupReadAt'>,
  { metadata: { uid, resourceVersion }, status }: LeaderGroup,
): Gate {
  const mark = parseMark(status?.gate)
  if (!mark) return { kind: 'absent' }
  const object = { uid, resourceVersion, seenAt: groupSeenAt, readAt: groupReadAt }
  const agrees =
    mark.gateUID === uid &&
    status?.term === mark.term &&
    status.holder === mark.holder?.name &&
    status.holderUID === mark.holder?.uid
  return agrees ? marked(object, mark) : { kind: 'open', object, term: highestShown(mark, status) }
}

/** Whoever wrote it, a term that status shows must not come again; unless it is beyond all reason. */
function highestShown({ term }: Mark, status: LeaderGroupStatus | undefined): number {
  const shown = parseTerm(String(status?.term)) ?? 0
  return shown < term + FORGED_LEAP ? Math.max(term, shown) : term
}

/** The gate once this mark is written. */
export function markedGate(group: LeaderGroup, mark: Mark): LiveGate {
  const { uid, resourceVersion } = group.metadata
  return marked({ uid, resourceVersion, seenAt: 0, readAt: undefined }, mark)
}

function marked(object: GateObject, { holder, gateUID, term }: Mark): LiveGate {
  if (gateUID === undefined) return { kind: 'open', object, term }
  return holder ? { kind: 'held', object, term, holder } : { kind: 'vacant', object, term }
}

/** What status says as the gate. An open gate stays one: by our hand nothing may agree with a mark that we did not write. */
export function gateInStatus(gate: LiveGate): Pick<LeaderGroupStatus, 'gate' | 'term' | 'holder' | 'holderUID'> {
  const { term } = gate
  switch (gate.kind) {
    case 'open':
      return { gate: formatMark({ holder: undefined, gateUID: undefined, term }), term }
    case 'vacant':
      return { gate: formatMark({ holder: undefined, gateUID: gate.object.uid, term }), term }
    case 'held': {
      const { holder } = gate
      const mark = formatMark({ holder, gateUID: gate.object.uid, term })
      return { gate: mark, term, holder: holder.name, holderUID: holder.uid }
    }
  }
}
