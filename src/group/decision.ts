import type { LeaderGroupStatus } from './leadergroup.ts'
import type { RoutingAction } from './routing/routing-action.ts'

/** What a decision about a group may ask for. Each carries the versions that it was decided on; a stale one conflicts. */
export type GroupAction =
  | { readonly kind: 'createGate' }
  | { readonly kind: 'deleteGate'; readonly uid: string; readonly resourceVersion: string }
  /** A quorum read of one pod, to learn whether `uid` is gone. */
  | { readonly kind: 'readPod'; readonly name: string; readonly uid: string }
  /** A quorum read of the group, to learn that it is gone. */
  | { readonly kind: 'readGroup' }
  /** A quorum list of the namespace's pods, begun now. */
  | { readonly kind: 'listPods' }
  | PatchPod
  | AdvanceGate
  | RoutingAction
  | {
      readonly kind: 'writeStatus'
      readonly uid: string
      readonly resourceVersion: string
      readonly status: LeaderGroupStatus
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

/** One PUT of the Lease as read, with holder, term and mark replaced. */
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
