import type { ObservedSlice } from './endpoint-slice.ts'
import type { RoutingAction } from './routing-action.ts'
import { deleteOf, isOwnSlice } from './slice.ts'

/**
 * What to do about the slices of a group that no longer exists. Its Services, and the followers' slices with them, go by
 * owner reference; the leader's belong to a pod that may live on. Each is deleted once a quorum read begun after it was
 * seen has shown that the group is gone (`groupAbsentAt`): a cache that has not seen a group yet proves nothing.
 */
export function cleanUpRouting(
  group: string,
  slices: readonly ObservedSlice[],
  groupAbsentAt: number | undefined,
): readonly (Extract<RoutingAction, { kind: 'deleteSlice' }> | { readonly kind: 'readGroup' })[] {
  const own = slices.filter((slice) => isOwnSlice(slice, group))
  const proved = own.filter(({ seenAt }) => groupAbsentAt !== undefined && groupAbsentAt > seenAt)
  return [...proved.map(deleteOf), ...(proved.length < own.length ? [{ kind: 'readGroup' } as const] : [])]
}
