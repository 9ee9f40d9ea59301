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
  readonly spec?: {
    readonly nodeName?: string
    readonly hostNetwork?: boolean
    readonly containers?: readonly Container[]
    readonly initContainers?: readonly Container[]
  }
  readonly status?: {
    readonly phase?: string
    /** When the kubelet took it on. */
    readonly startTime?: string
    readonly podIP?: string
    /** One for each address family. */
    readonly podIPs?: readonly { readonly ip?: string }[] | null
    readonly conditions?: readonly PodCondition[]
  }
}

export interface Container {
  /** `Always`, of an init container: it goes on beside the others. */
  readonly restartPolicy?: string
  readonly ports?: readonly ContainerPort[] | null
}

export interface ContainerPort {
  readonly name?: string
  readonly containerPort: number
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP'
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

/** Of coordinated election (KEP-4355): a process that could hold a Lease, if the API server names it there. */
export interface LeaseCandidate extends KubeObject {
  readonly spec?: {
    readonly leaseName: string
    /** When the server last asked whether it is alive. */
    readonly pingTime?: string | null
    /** When it last said so. */
    readonly renewTime?: string | null
    readonly binaryVersion: string
    readonly emulationVersion?: string
    readonly strategy: string
  }
}

export interface Service extends KubeObject {
  readonly spec?: {
    readonly type?: string
    readonly clusterIP?: string
    readonly selector?: Readonly<Record<string, string>> | null
    readonly ports?: readonly ServicePort[] | null
    readonly sessionAffinity?: string
    readonly ipFamilyPolicy?: string
    readonly ipFamilies?: readonly string[] | null
  }
}

export interface ServicePort {
  readonly name?: string
  readonly port: number
  readonly protocol?: string
  readonly targetPort?: number | string
  readonly nodePort?: number
  readonly appProtocol?: string
}

/** As anybody may have written it. The API server returns empty lists as null. */
export interface EndpointSlice extends KubeObject {
  readonly addressType: string
  readonly endpoints?: readonly SliceEndpoint[] | null
  readonly ports?: readonly object[] | null
}

export interface SliceEndpoint {
  readonly addresses?: readonly string[]
  readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly uid?: string }
  /** Null or absent means true. */
  readonly conditions?: { readonly ready?: boolean | null }
  readonly zone?: string
}

export interface Node extends KubeObject {
  readonly spec?: { readonly taints?: readonly { readonly key?: string }[] | null }
  readonly status?: { readonly conditions?: readonly { readonly type?: string; readonly status?: string }[] }
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
export const Services: Resource<Service> = { group: '', version: 'v1', plural: 'services', kind: 'Service' }
export const EndpointSlices: Resource<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
}
export const Nodes: Resource<Node> = { group: '', version: 'v1', plural: 'nodes', kind: 'Node' }
export const LeaseCandidates: Resource<LeaseCandidate> = {
  group: 'coordination.k8s.io',
  version: 'v1beta1',
  plural: 'leasecandidates',
  kind: 'LeaseCandidate',
}
export const ConfigMaps: Resource<KubeObject> = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' }
export const Endpoints: Resource<KubeObject> = { group: '', version: 'v1', plural: 'endpoints', kind: 'Endpoints' }
