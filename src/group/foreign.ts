import { begunAfter } from './begun-after.ts'
import type { GroupAction } from './decision.ts'
import { type Election, whenRead } from './election.ts'
import type { Gate } from './gate/gate-state.ts'
import type { LeaderGroup } from './leadergroup.ts'
import type { GroupObservation, ObservedLease } from './observation.ts'
import { gateReadAfter, stripPatch } from './seal.ts'

type ForeignGate = Extract<Gate, { kind: 'foreign' }>

/** The Lease is not this group's: nobody leads by it, and nothing is written to it; a former group's is deleted. */
export function decideForeign(o: GroupObservation, group: LeaderGroup, gate: ForeignGate): Election {
  const refusal = refuse(o, gate)
  return refusal.urgent.length === 0 && isFormer(group, gate.object) ? takeAway(o, gate.object) : refusal
}

function refuse(o: GroupObservation, gate: ForeignGate): Election {
  const labelled = o.pods.filter((pod) => pod.role !== undefined || pod.term !== undefined)
  return {
    urgent: whenRead(
      labelled,
      (pod) => gateReadAfter(pod, gate),
      (pod) => stripPatch(o.name, pod, true),
    ),
    chores: [],
    reason: `the Lease ${gate.object.name} is not this group's`,
  }
}

/** Of a group in mode Assign that had this one's name. */
function isFormer({ metadata }: LeaderGroup, { mode, ownerUID, ownerName }: ObservedLease): boolean {
  return mode === 'Assign' && ownerUID !== undefined && ownerName === `LeaderGroup ${metadata.name}`
}

/**
 * The garbage collector takes the Lease of a group that is gone, but not always: where a group comes back under its name
 * while the collector's watch is cut, the collector takes it for the same one, and the Lease stays for good (tried).
 *
 * Of one name there is one group at a time, and a UID never comes again: if this group lived after the Lease was seen, the
 * one that the Lease names does not.
 */
function takeAway({ groupReadAt }: GroupObservation, { name, uid, resourceVersion, seenAt }: ObservedLease): Election {
  const lived = begunAfter(groupReadAt, seenAt)
  const step: GroupAction = lived ? { kind: 'deleteGate', uid, resourceVersion } : { kind: 'readGroup' }
  return {
    urgent: [step],
    chores: [],
    reason: `the Lease ${name} is left from a former group of this name: deleting it`,
  }
}
