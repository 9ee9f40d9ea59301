import type { FollowedPod } from './follow/follow.ts'
import type { LeaderGroup } from './leadergroup.ts'
import type { ObservedSlice } from './routing/endpoint-slice.ts'
import type { ObservedService } from './routing/observed-service.ts'
import type { RoutedPod } from './routing/routed-pod.ts'
import type { FollowedLease } from './follow/silence.ts'

/**
 * Everything that a decision about one group may look at, as plain data.
 *
 * `seenAt`, `readAt` and the like are **ticks** of one counter of this process: it moves with every object that
 * arrives and with every request that begins. So "a read of the gate begun after that pod was read" is
 * `gate.readAt > pod.seenAt`, and no clock is involved.
 */
export interface GroupObservation {
  readonly namespace: string
  readonly name: string
  /** Absent: no such group is known. */
  readonly group: LeaderGroup | undefined
  /** Tick at which this version of the group was first seen. */
  readonly groupSeenAt?: number
  /** Tick at which the last quorum read, or write of ours, that showed this version of the group began. */
  readonly groupReadAt?: number | undefined
  /** Tick at which the last quorum read that found no such group began. */
  readonly groupAbsentAt: number | undefined
  /** Pods that the group selects, that bear its keys, or that its gate or its Lease names. */
  readonly pods: readonly ObservedPod[]
  /** Mode Observe: the last states of pods that the group selected and that were deleted, as far as they are kept. */
  readonly deletedPods: readonly ObservedPod[]
  /** The Lease of the group's `leaseName`; absent when there is none. */
  readonly lease: ObservedLease | undefined
  /** Tick at which the last quorum read that found no such Lease began; absent once there is one. */
  readonly leaseAbsentAt?: number | undefined
  /** Those of the names in `spec.services`, and those that bear the group's label. */
  readonly services: readonly ObservedService[]
  /** Those behind the Services of `spec.services`, those in the way there, and those that bear the group's label. */
  readonly slices: readonly ObservedSlice[]
  /** Tick at which the last complete quorum list of the namespace's pods began. */
  readonly podsListedAt: number | undefined
  /** UIDs of pods that are proved gone: a DELETED event, or a quorum GET that found none or another UID. */
  readonly gone: ReadonlySet<string>
  /** What this process remembers of the group; nothing that a restart may not lose. */
  readonly memory: GroupMemory
}

export interface ObservedPod extends RoutedPod, FollowedPod {
  /**
   * Tick at which the version was first seen of which writes of this process alone have made this one, each naming the
   * version before. Absent: it is that one, first seen at `seenAt`.
   */
  readonly untouchedSince?: number
  /** When the pod became Ready, as its kubelet says. RFC 3339 in UTC, so that text order is time order. */
  readonly readyTime: string | undefined
  /** Monotonic milliseconds since which this process has seen the pod not ready. */
  readonly notReadySince: number | undefined
  /** Annotated `leadergroup.io/ineligible: "true"`. */
  readonly excluded: boolean
  /** `pod-template-hash` or `controller-revision-hash`. */
  readonly revision: string | undefined
  readonly creationTime: string
  /** Value of the role label. */
  readonly role: string | undefined
  /** Value of the term annotation. */
  readonly term: string | undefined
  /** Value of the stamp's annotation. */
  readonly sealed: string | undefined
  /** Who made it with the group's role label, `ReplicaSet db-7f9`; absent: it was born without, as far as is known. */
  readonly bornLabelled?: string
}

export interface ObservedLease extends FollowedLease {
  /** Tick at which the last quorum read, or write of ours, that showed this version began. */
  readonly readAt: number | undefined
  /** UID of the LeaderGroup that owns it; absent when none does. */
  readonly ownerUID: string | undefined
  /** Name of whatever owns it, for messages. */
  readonly ownerName: string | undefined
  readonly mode: string | undefined
  readonly mark: string | undefined
  readonly holderIdentity: string | undefined
  /** `leaseTransitions` */
  readonly transitions: number | undefined
  readonly acquireTime: string | undefined
}

export interface GroupMemory {
  /** Monotonic time of this process's last status write. */
  readonly statusWrittenAt: number | undefined
  /** Monotonic times at which the Lease was put right after somebody else had taken or deleted it, the last few. */
  readonly takenBackAt: readonly number[]
  /** Why the last attempt to act failed; absent once one has succeeded. */
  readonly fault: GroupFault | undefined
  /** What is not urgent failed so often in a row, and is not tried again before a monotonic time. */
  readonly putOff: { readonly failures: number; readonly until: number } | undefined
}

export interface GroupFault {
  /** A step on the way to a leader failed, not a chore. */
  readonly urgent: boolean
  /** That step was to lead the Services to the next leader. */
  readonly routing?: boolean
  readonly forbidden: boolean
  readonly message: string
}

/** The time, as `decide` needs it. */
export interface Instant {
  /** Milliseconds; what decisions compare. */
  readonly monotonic: number
  /** RFC 3339, UTC, exactly 6 fractional digits; only for stamps that people read. */
  readonly wall: string
}
