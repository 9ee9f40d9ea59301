import type { OwnerReference } from '../../kube/objects.ts'
import { groupKeys } from '../keys.ts'
import type { AddressFamily } from './address.ts'
import type { Endpoint, EndpointSlice, ObservedSlice, SlicePort } from './endpoint-slice.ts'
import type { RoutingAction } from './routing-action.ts'
import { GROUP_LABEL, HEADLESS_LABEL, MANAGED_BY, MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from './routing-keys.ts'
import { same } from '../same.ts'
import type { ServiceWish } from './service-wish.ts'

/** What a slice should be. */
export interface WantedSlice {
  readonly name: string
  readonly family: AddressFamily
  readonly ports: readonly SlicePort[]
  readonly endpoints: readonly Endpoint[]
  /**
   * The leader's slice belongs to the leader's pod, so that the garbage collector takes it away with the pod even while
   * no operator runs. The followers' belong to their Service, as those of the standard controller do: they outlive any
   * one pod, and go with the Service, which goes with the group.
   */
  readonly owner: OwnerReference
  /** Only of a leader's slice. Written with every change of leader, so that each one moves the resourceVersion. */
  readonly term?: number
}

export interface SliceScope {
  readonly namespace: string
  readonly group: string
  readonly wish: ServiceWish
}

/** Written by this group's operator: both labels say so. Whatever lacks one of them is somebody else's. */
export function isOwnSlice(slice: ObservedSlice, group: string): boolean {
  return slice.labels[MANAGED_BY_LABEL] === MANAGED_BY && slice.labels[GROUP_LABEL] === group
}

/** The write that brings the slice about; undefined when it is as wanted. `observed` is of the same address type. */
export function writeOf(
  wanted: WantedSlice,
  observed: ObservedSlice | undefined,
  scope: SliceScope,
): Extract<RoutingAction, { kind: 'createSlice' | 'replaceSlice' }> | undefined {
  const slice = sliceOf(wanted, observed, scope)
  if (!observed) return { kind: 'createSlice', slice }
  return isAs(observed, slice) ? undefined : { kind: 'replaceSlice', slice }
}

export function deleteOf({
  name,
  uid,
  resourceVersion,
}: ObservedSlice): Extract<RoutingAction, { kind: 'deleteSlice' }> {
  return { kind: 'deleteSlice', name, uid, resourceVersion }
}

function sliceOf(wanted: WantedSlice, observed: ObservedSlice | undefined, scope: SliceScope): EndpointSlice {
  const { namespace, group, wish } = scope
  // A stale mark of a headless Service would hide the slice from kube-proxy. Other people's keys stay.
  const { [HEADLESS_LABEL]: _, ...labels } = observed?.labels ?? {}
  const annotations = {
    ...observed?.annotations,
    ...(wanted.term === undefined ? {} : { [groupKeys(group).term]: String(wanted.term) }),
  }
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: wanted.name,
      namespace,
      ...(observed ? { uid: observed.uid, resourceVersion: observed.resourceVersion } : {}),
      labels: {
        ...labels,
        [SERVICE_NAME_LABEL]: wish.name,
        [MANAGED_BY_LABEL]: MANAGED_BY,
        [GROUP_LABEL]: group,
        ...(wish.headless ? { [HEADLESS_LABEL]: '' } : {}),
      },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ownerReferences: [wanted.owner],
    },
    addressType: wanted.family,
    endpoints: wanted.endpoints,
    ports: wanted.ports,
  }
}

function isAs(observed: ObservedSlice, slice: EndpointSlice): boolean {
  return (
    same(observed.labels, slice.metadata.labels) &&
    same(observed.annotations, slice.metadata.annotations ?? {}) &&
    same(observed.ownerReferences, slice.metadata.ownerReferences) &&
    same(observed.endpoints, slice.endpoints) &&
    same(observed.ports, slice.ports)
  )
}
