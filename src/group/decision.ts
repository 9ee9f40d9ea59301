import type { LeaderGroupStatus } from './leadergroup.ts'
import type { Release } from './follow/release.ts'
import type { RoutingAction } from './routing/routing-action.ts'

/** What a decision about a group may ask for. Each carries the versions that it was decided on; a stale one conflicts. */
export type GroupAction =
  | { readonly kind: 'createGate' }
  /** A quorum read of the gate, in mode Assign the Lease and in mode Observe the group, is `readGate`: see RoutingAction. */
  | { readonly kind: 'deleteGate'; readonly uid: string; readonly resourceVersion: string }
  /** Mode Observe: a quorum read of the candidates' Lease, begun now. */
  | { readonly kind: 'readLease' }
  /** Mode Observe: empties the holder of the candidates' Lease, and nothing else of it. */
  | ({ readonly kind: 'releaseLease' } & Release)
  /** A quorum read of one pod, to learn whether `uid` is gone. */
  | { readonly kind: 'readPod'; readonly name: string; readonly uid: string }
  /** A quorum read of the group, to learn that it is gone. */
  | { readonly kind: 'readGroup' }
  /** A quorum list of the namespace's pods, begun now. */
  | { readonly kind: 'listPods' }
  | PatchPod
  | AdvanceGate
  | RoutingAction
  | WriteStatus

export interface WriteStatus {
  readonly kind: 'writeStatus'
  readonly uid: string
  readonly resourceVersion: string
  readonly status: LeaderGroupStatus
  /** Mode Observe: this write is one of the gate. */
  readonly gate?: GateWrite
}

/** What a write of the gate says that is in mode Observe the group's status; see `gate/status-gate.ts`. */
export interface GateWrite {
  /** Absent: nobody leads. */
  readonly holder: { readonly name: string; readonly uid: string } | undefined
  /** Absent: the gate is born, and every pod is to be stamped before it names a holder. */
  readonly gateUID: string | undefined
  readonly term: number
}

/** A merge patch of the group's own keys; null takes a key off. */
export interface PatchPod {
  readonly kind: 'patchPod'
  readonly step: 'seal' | 'enrol' | 'label' | 'follow' | 'strip'
  readonly pod: PodVersion
  readonly labels: Readonly<Record<string, string | null>>
  readonly annotations: Readonly<Record<string, string | null>>
}

export interface PodVersion {
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
}

/** Mode Assign: one PUT of the Lease as read, with holder, term and mark replaced. */
export interface AdvanceGate {
  readonly kind: 'advanceGate'
  readonly uid: string
  readonly resourceVersion: string
  readonly holder: { readonly name: string; readonly uid: string }
  readonly term: number
  readonly acquireTime: string
  /** The Lease is taken back from a writer that is not ours. */
  readonly takesBack: boolean
}

export interface GroupDecision {
  readonly actions: readonly GroupAction[]
  /** So many of them, the first, are steps on the way to one leader; the others may fail without holding these up. */
  readonly urgent: number
  readonly wakeAt?: number
  readonly reason: string
}
