/** The Kubernetes objects that this program reads and writes, reduced to the fields that it uses. */

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** Metadata as the API server returns it. `resourceVersion`s of one resource type compare as integers (KEP-5504). */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  /** 0: deletion by force, which takes two writes; this version stands between the two. */
  readonly deletionGracePeriodSeconds?: number
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
}

export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: ObjectMeta
}

export interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName?: string; readonly hostNetwork?: boolean }
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    readonly conditions?: readonly PodCondition[]
  }
}

export interface PodCondition {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
}

/** Every field of the spec may be null or absent: other electors write such Leases (election-semantics: interop). */
export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec
}

export interface LeaseSpec {
  readonly holderIdentity?: string | null
  readonly leaseDurationSeconds?: number | null
  readonly acquireTime?: string | null
  readonly renewTime?: string | null
  readonly leaseTransitions?: number | null
  readonly strategy?: string | null
  readonly preferredHolder?: string | null
}

/** What the API server answers when something is wrong (`meta/v1` Status). */
export interface Status {
  readonly kind?: 'Status'
  readonly status?: string
  readonly code?: number
  readonly reason?: string
  readonly message?: string
  readonly details?: {
    readonly retryAfterSeconds?: number
    readonly causes?: readonly { readonly reason?: string; readonly field?: string; readonly message?: string }[]
  }
}

/** A resource type: where its objects live in the API. The type parameter is the shape of its objects. */
export interface Resource<T extends KubeObject> {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  /** Only there to carry the type. */
  readonly object?: T
}

export const Pods: Resource<Pod> = { group: '', version: 'v1', plural: 'pods', kind: 'Pod' }
export const Leases: Resource<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
}
