import type { EndpointSlice, ObservedSlice } from './endpoint-slice.ts'
import type { ObservedService } from './observed-service.ts'
import type { RoutingWrite, Service, ServicePatch } from './routing-action.ts'

/** Services and slices as they are seen. */
export interface Routed {
  readonly services: readonly ObservedService[]
  readonly slices: readonly ObservedSlice[]
}

/**
 * What is there once the action has succeeded, seen at `tick`. What the API server fills in by itself (addresses, node
 * ports, families) is missing from a Service that is created here: no decision waits for it.
 */
export function enacted({ services, slices }: Routed, action: RoutingWrite, tick: number): Routed {
  switch (action.kind) {
    case 'createService':
      return { services: [...services, bornService(action.service, tick)], slices }
    case 'patchService':
      return {
        services: services.map((each) => (each.uid === action.uid ? patchedService(each, action.patch) : each)),
        slices,
      }
    case 'deleteService':
      return {
        services: services.filter(({ uid }) => uid !== action.uid),
        // As the garbage collector does.
        slices: slices.filter(({ ownerReferences }) => !ownerReferences.some(({ uid }) => uid === action.uid)),
      }
    case 'createSlice':
    case 'replaceSlice': {
      const { name } = action.slice.metadata
      return { services, slices: [...slices.filter((each) => each.name !== name), writtenSlice(action.slice, tick)] }
    }
    case 'deleteSlice':
      return { services, slices: slices.filter(({ uid }) => uid !== action.uid) }
  }
}

function bornService({ metadata, spec }: Service, tick: number): ObservedService {
  const { name, ownerReferences, labels, annotations = {} } = metadata
  const { type, clusterIP, selector = {}, ports, sessionAffinity, ipFamilyPolicy } = spec
  return {
    name,
    uid: `unborn Service ${name}`,
    resourceVersion: '',
    seenAt: tick,
    terminating: false,
    ownerReferences,
    labels,
    annotations,
    type,
    clusterIP,
    selector,
    ports,
    sessionAffinity,
    ipFamilyPolicy,
    ipFamilies: [],
  }
}

function patchedService(before: ObservedService, { metadata, spec }: ServicePatch): ObservedService {
  return {
    ...before,
    labels: merged(before.labels, metadata?.labels),
    annotations: merged(before.annotations, metadata?.annotations),
    type: spec?.type ?? before.type,
    selector: merged(before.selector, spec?.selector),
    ports: spec?.ports ?? before.ports,
    sessionAffinity: spec?.sessionAffinity ?? before.sessionAffinity,
    ipFamilyPolicy: spec?.ipFamilyPolicy ?? before.ipFamilyPolicy,
  }
}

function merged(
  before: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | null>> = {},
): Readonly<Record<string, string>> {
  const entries = [...Object.entries(before).filter(([key]) => !Object.hasOwn(patch, key)), ...Object.entries(patch)]
  // Not by assignment: a key may be `__proto__`.
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null))
}

function writtenSlice({ metadata, addressType, endpoints, ports }: EndpointSlice, tick: number): ObservedSlice {
  const { name, uid = `unborn EndpointSlice ${name}`, labels, annotations = {}, ownerReferences } = metadata
  const resourceVersion = metadata.resourceVersion ?? ''
  return {
    name,
    uid,
    resourceVersion,
    seenAt: tick,
    labels,
    annotations,
    ownerReferences,
    addressType,
    endpoints,
    ports,
  }
}
