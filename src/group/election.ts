import type { GroupAction } from './decision.ts'
import type { OpenGate, HeldGate } from './gate-state.ts'
import type { LeaderGroup } from './leadergroup.ts'
import type { GroupObservation, Instant, ObservedPod } from './observation.ts'

/** What the rules of one kind of gate look at. */
export interface View<Gate extends OpenGate | HeldGate> {
  readonly o: GroupObservation
  readonly group: LeaderGroup
  readonly gate: Gate
  readonly now: Instant
}

/** What they want. */
export interface Election {
  /** Steps on the way to one leader. They come before everything else. */
  readonly urgent: readonly GroupAction[]
  /** Enrolment and stale keys: they run beside the status write. */
  readonly chores: readonly GroupAction[]
  /** The next holder is about to be named: what the last one has had stays where it is. */
  readonly preparing?: boolean
  readonly wakeAt?: number
  readonly reason: string
}

/** The patches that are permitted now; if any is not, also the gate read that would permit it. */
export function whenRead(
  pods: readonly ObservedPod[],
  permitted: (pod: ObservedPod) => boolean,
  patch: (pod: ObservedPod) => GroupAction,
): readonly GroupAction[] {
  const ready = pods.filter(permitted).map(patch)
  return ready.length === pods.length ? ready : [...ready, { kind: 'readGate' }]
}
