import { ADDRESS_FAMILIES, type AddressFamily } from './address.ts'
import type { ObservedSlice } from './endpoint-slice.ts'
import type { ObservedService } from './observed-service.ts'
import type { RoutingInput } from './routing-input.ts'
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL, STANDARD_CONTROLLER } from './routing-keys.ts'
import { isFormer, isOurs, mustBeReplaced } from './service.ts'
import { routingOf, type ServiceWish } from './service-wish.ts'
import { isOwnSlice } from './slice.ts'
import { parseSliceName, type SliceName } from './slice-name.ts'

/** A wish, beside what there is of it. */
export interface Route {
  readonly wish: ServiceWish
  readonly state: RouteState
  /** This group's slices that are this Service's by name. */
  readonly slices: readonly OwnSlice[]
  /** Names of slices that are in the way: they exist, and somebody else wrote them. */
  readonly blockedNames: ReadonlySet<string>
}

export type RouteState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'notOurs'; readonly service: ObservedService }
  /** A former group's of the same name: it is deleted, and the next one is ours. */
  | { readonly kind: 'former'; readonly service: ObservedService }
  /** Ours, but it cannot become what is wished. */
  | { readonly kind: 'replaced'; readonly service: ObservedService }
  | { readonly kind: 'ours'; readonly service: ObservedService }

export interface OwnSlice {
  readonly slice: ObservedSlice
  readonly name: SliceName
}

export function routesOf(input: RoutingInput): readonly Route[] {
  const seen = new Set<string>()
  return input.wishes
    .filter(({ name }) => !seen.has(name) && seen.add(name))
    .map((wish) => ({ wish, state: stateOf(wish, input), ...slicesOf(wish, input) }))
}

/** The families in which the Service has addresses; all of them where it does not say. */
export function familiesOf(service: ObservedService): readonly AddressFamily[] {
  const families = ADDRESS_FAMILIES.filter((family) => service.ipFamilies.includes(family))
  return families.length > 0 ? families : ADDRESS_FAMILIES
}

function stateOf(wish: ServiceWish, { group, services }: RoutingInput): RouteState {
  const service = services.find(({ name }) => name === wish.name)
  if (!service) return { kind: 'absent' }
  if (!isOurs(service, group)) return { kind: isFormer(service, group) ? 'former' : 'notOurs', service }
  return { kind: mustBeReplaced(service, wish) ? 'replaced' : 'ours', service }
}

function slicesOf(wish: ServiceWish, { group, slices }: RoutingInput): Pick<Route, 'slices' | 'blockedNames'> {
  const own: OwnSlice[] = []
  const blockedNames = new Set<string>()
  for (const slice of slices) {
    const name = parseSliceName(wish.name, slice.name)
    if (!name) continue
    // An address type cannot be changed, so a slice with the wrong one is in the way until it is deleted.
    if (!isOwnSlice(slice, group.name) || slice.addressType !== name.family) blockedNames.add(slice.name)
    else own.push({ slice, name })
  }
  return { slices: own, blockedNames }
}

/**
 * The slices that somebody else has put behind the Service, or that are in the way of this group's. A Service with a
 * selector is meant to have those of the standard controller.
 */
export function foreignSlices(wish: ServiceWish, input: RoutingInput): readonly ObservedSlice[] {
  const direct = routingOf(wish) === 'Direct'
  return input.slices.filter((slice) => {
    if (isOwnSlice(slice, input.group.name)) return false
    if (direct && parseSliceName(wish.name, slice.name)) return true
    const behind = slice.labels[SERVICE_NAME_LABEL] === wish.name
    return behind && (direct || slice.labels[MANAGED_BY_LABEL] !== STANDARD_CONTROLLER)
  })
}
