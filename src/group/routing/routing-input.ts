import type { GroupFault } from '../observation.ts'
import type { ObservedSlice } from './endpoint-slice.ts'
import type { ObservedService } from './observed-service.ts'
import type { RoutedPod } from './routed-pod.ts'
import type { ServiceWish } from './service-wish.ts'

/** Everything that a decision about one group's routing looks at. Ticks are those of `observation.ts`. */
export interface RoutingInput {
  readonly namespace: string
  readonly group: { readonly name: string; readonly uid: string }
  /** `spec.services`; empty also for a group that is being deleted. */
  readonly wishes: readonly ServiceWish[]
  /** The pods that the group selects. No other pod's address is ever written. */
  readonly pods: readonly RoutedPod[]
  /**
   * Whom the gate names, and for which term; absent when it names nobody, or a pod that may not lead in that term: gone,
   * not selected, or without a stamp of this gate below the term. It stays while its successor is being prepared.
   */
  readonly leader: { readonly uid: string; readonly term: number } | undefined
  /** Tick at which the last quorum read of the gate, or write of ours, that showed it as it is decided on began. */
  readonly gateReadAt: number | undefined
  /** Tick at which the last quorum read of the group, or write of ours, that showed it as it is decided on began. */
  readonly groupReadAt: number | undefined
  /** At least those of the wished names, and those that carry this group's label. */
  readonly services: readonly ObservedService[]
  /** At least those labelled with a wished Service's name, those that carry this group's label, and any in the way. */
  readonly slices: readonly ObservedSlice[]
  /** Why the last attempt to act failed; absent once one has succeeded. */
  readonly fault?: Pick<GroupFault, 'forbidden' | 'message'> | undefined
}
