import type { OwnerReference } from '../../kube/objects.ts'
import type { EndpointSlice } from './endpoint-slice.ts'
import type { Protocol, ServiceType, ServiceWish } from './service-wish.ts'

/**
 * What routing may ask for. Whatever exists is written with the UID and resourceVersion that it was decided on, so a
 * stale decision conflicts; of two creations one is told that the name exists. The order within a list is free.
 */
export type RoutingAction =
  | { readonly kind: 'createService'; readonly service: Service }
  /** A merge patch: fields that the API server or somebody else has set, such as node ports, stay. */
  | {
      readonly kind: 'patchService'
      readonly name: string
      readonly uid: string
      readonly resourceVersion: string
      readonly patch: ServicePatch
    }
  | { readonly kind: 'deleteService'; readonly name: string; readonly uid: string; readonly resourceVersion: string }
  | { readonly kind: 'createSlice'; readonly slice: EndpointSlice }
  /** A PUT; UID and resourceVersion are in the slice's metadata. */
  | { readonly kind: 'replaceSlice'; readonly slice: EndpointSlice }
  | { readonly kind: 'deleteSlice'; readonly name: string; readonly uid: string; readonly resourceVersion: string }
  /** A quorum read of the gate, begun now: what is wanted next depends on one later than what is known. */
  | { readonly kind: 'readGate' }
  /** Likewise of the group. */
  | { readonly kind: 'readGroup' }

export type RoutingWrite = Exclude<RoutingAction, { kind: 'readGate' | 'readGroup' }>

export interface Service {
  readonly apiVersion: 'v1'
  readonly kind: 'Service'
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly ownerReferences: readonly OwnerReference[]
  }
  readonly spec: {
    readonly type: ServiceType
    readonly clusterIP?: 'None'
    readonly selector?: Readonly<Record<string, string>>
    readonly ports: readonly ServicePort[]
    readonly sessionAffinity: 'None' | 'ClientIP'
    readonly ipFamilyPolicy?: NonNullable<ServiceWish['ipFamilyPolicy']>
  }
}

export interface ServicePort {
  readonly name?: string
  readonly port: number
  readonly targetPort: number | string
  readonly protocol: Protocol
  readonly nodePort?: number
  readonly appProtocol?: string
}

/** Null takes a field off. */
export interface ServicePatch {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string | null>>
    readonly annotations?: Readonly<Record<string, string | null>>
  }
  readonly spec?: {
    readonly type?: ServiceType
    readonly selector?: Readonly<Record<string, string | null>>
    readonly ports?: readonly ServicePort[]
    readonly sessionAffinity?: 'None' | 'ClientIP'
    readonly sessionAffinityConfig?: null
    readonly ipFamilyPolicy?: NonNullable<ServiceWish['ipFamilyPolicy']>
  }
}
