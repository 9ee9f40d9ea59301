import { FOLLOWER_ROLE, LEADER_ROLE } from '../keys.ts'
import type { ServiceWish } from './service-wish.ts'

/** On Services and slices: the name of the group whose they are. */
export const GROUP_LABEL = 'leadergroup.io/group'
/** On a Service: which labels and annotations the group has put there, so that no other key is ever taken off. */
export const METADATA_ANNOTATION = 'leadergroup.io/metadata'

/** On nodes, and on pods where the API server copies it there. */
export const ZONE_LABEL = 'topology.kubernetes.io/zone'
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by'
/** Our own value: neither the standard controllers nor the mirroring one touches a slice that carries another's. */
export const MANAGED_BY = 'leadergroup.io'
/** What the standard controller writes there, for Services with a selector. */
export const STANDARD_CONTROLLER = 'endpointslice-controller.k8s.io'
/** On slices of headless Services: kube-proxy, which has nothing to do for them, does not watch slices with it. */
export const HEADLESS_LABEL = 'service.kubernetes.io/headless'

/** Keys that a user's metadata may not set: they are this program's, or belong to some group's pods. */
export function isReservedKey(key: string): boolean {
  const prefix = key.slice(0, Math.max(0, key.indexOf('/')))
  return prefix === 'leadergroup.io' || prefix.endsWith('.leadergroup.io')
}

export function roleOf(wish: ServiceWish): string {
  return wish.role === 'Leader' ? LEADER_ROLE : FOLLOWER_ROLE
}
