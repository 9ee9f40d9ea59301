import type { GateWrite, GroupAction } from './decision.ts'
import type { Follow } from './follow/follow.ts'
import type { LiveGate } from './gate/gate-state.ts'
import type { LeaderGroup } from './leadergroup.ts'
import type { GroupObservation, Instant, ObservedPod } from './observation.ts'

/** What the rules of one kind of gate look at. */
export interface View<Gate extends LiveGate = LiveGate> {
  readonly o: GroupObservation
  readonly group: LeaderGroup
  readonly gate: Gate
  readonly now: Instant
}

/** What they want. */
export interface Election {
  /** Steps on the way to one leader. They come before everything else. */
  readonly urgent: readonly Step[]
  /** Enrolment and stale keys: they run beside the status write. */
  readonly chores: readonly GroupAction[]
  /** The next holder is about to be named: what the last one has had stays where it is. */
  readonly preparing?: boolean
  readonly wakeAt?: number
  readonly reason: string
  /** Mode Observe: where the Lease leads to. */
  readonly follow?: Follow<ObservedPod>
}

/** Mode Observe: a write of the gate. It is a write of status, and what else status says is known at the end only. */
export interface WriteGate {
  readonly kind: 'writeGate'
  readonly write: GateWrite
}

export type Step = GroupAction | WriteGate

/** The patches that are permitted now; if any is not, also the gate read that would permit it. */
export function whenRead(
  pods: readonly ObservedPod[],
  permitted: (pod: ObservedPod) => boolean,
  patch: (pod: ObservedPod) => GroupAction,
): readonly GroupAction[] {
  const ready = pods.filter(permitted).map(patch)
  return ready.length === pods.length ? ready : [...ready, { kind: 'readGate' }]
}
