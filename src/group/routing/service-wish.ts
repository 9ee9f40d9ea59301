import type { LeaderGroupService, LeaderGroupServicePort } from '../leadergroup.ts'

/** One item of `spec.services`, as the API server returns it: what the CRD bounds is not checked again. */
export type ServiceWish = LeaderGroupService
export type WishedPort = LeaderGroupServicePort

export type Routing = NonNullable<ServiceWish['routing']>
export type ServiceType = NonNullable<ServiceWish['type']>
export type Protocol = NonNullable<WishedPort['protocol']>

export function routingOf(wish: ServiceWish): Routing {
  return wish.routing ?? 'Direct'
}
