import type { Gate } from './gate-state.ts'
import { formatIdentity, parseMark, transitionsOf } from './gate.ts'
import type { ObservedLease } from '../observation.ts'

/** Mode Assign: what the group's Lease says, judged by its owner and its mark. */
export function leaseGate(lease: ObservedLease | undefined, groupUID: string): Gate {
  if (!lease) return { kind: 'absent' }
  if (lease.ownerUID !== groupUID) return { kind: 'foreign', object: lease }
  const mark = parseMark(lease.mark)
  if (!mark || lease.mode !== 'Assign') return { kind: 'spoiled', object: lease }
  const { term, holder } = mark
  const agrees =
    holder !== undefined &&
    mark.gateUID === lease.uid &&
    lease.holderIdentity === formatIdentity(holder) &&
    lease.transitions === transitionsOf(term)
  return agrees ? { kind: 'held', object: lease, term, holder } : { kind: 'open', object: lease, term }
}
