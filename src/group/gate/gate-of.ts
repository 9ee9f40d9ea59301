import type { Gate } from './gate-state.ts'
import { leaseGate } from './lease-gate.ts'
import type { LeaderGroup } from '../leadergroup.ts'
import type { GroupObservation } from '../observation.ts'
import { modeOf } from '../spec.ts'
import { statusGate } from './status-gate.ts'

export function gateOf(o: Pick<GroupObservation, 'lease' | 'groupSeenAt' | 'groupReadAt'>, group: LeaderGroup): Gate {
  return modeOf(group) === 'Observe' ? statusGate(o, group) : leaseGate(o.lease, group.metadata.uid)
}
