import type { OwnerReference } from '../../kube/objects.ts'
import type { AddressFamily } from './address.ts'
import type { Protocol } from './service-wish.ts'

/** `discovery.k8s.io/v1` EndpointSlice, reduced to what this program writes. */
export interface EndpointSlice {
  readonly apiVersion: 'discovery.k8s.io/v1'
  readonly kind: 'EndpointSlice'
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    /** With the version as read, in a replacement. */
    readonly uid?: string
    readonly resourceVersion?: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly ownerReferences: readonly OwnerReference[]
  }
  readonly addressType: AddressFamily
  readonly endpoints: readonly Endpoint[]
  readonly ports: readonly SlicePort[]
}

export interface Endpoint {
  readonly addresses: readonly string[]
  readonly conditions: { readonly ready: boolean; readonly serving: boolean; readonly terminating: boolean }
  readonly targetRef: { readonly kind: 'Pod'; readonly namespace: string; readonly name: string; readonly uid: string }
  readonly nodeName?: string
  readonly zone?: string
}

export interface SlicePort {
  /** Empty where the Service's only port has no name. */
  readonly name: string
  readonly port: number
  readonly protocol: Protocol
  readonly appProtocol?: string
}

/** A slice as read: anybody may have written it. Lists that are null on the wire are empty here. */
export interface ObservedSlice {
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** Tick at which this version was first seen. */
  readonly seenAt: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly ownerReferences: readonly OwnerReference[]
  readonly addressType: string
  readonly endpoints: readonly ObservedEndpoint[]
  readonly ports: readonly object[]
}

/** Fields that this program never writes are kept: their presence is a drift. */
export interface ObservedEndpoint {
  readonly addresses?: readonly string[]
  readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly uid?: string }
  /** Null or absent means true. */
  readonly conditions?: { readonly ready?: boolean | null }
  readonly zone?: string
}

/** UIDs of the pods in the slice. */
export function podsIn(slice: { readonly endpoints: readonly ObservedEndpoint[] }): ReadonlySet<string> {
  const uids = new Set<string>()
  for (const { targetRef } of slice.endpoints) {
    if (targetRef?.uid !== undefined) uids.add(targetRef.uid)
  }
  return uids
}
