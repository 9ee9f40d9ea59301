import type { Cause } from './cause.ts'
import { readCrd, structured } from './custom-schema.ts'
import { defaultEndpointSlice, defaultPod, defaultService, type Defaulting } from './defaults.ts'
import {
  COORDINATED_LEASE_FIELDS,
  decodeLease,
  LEASE_FIELDS,
  validateEndpointSlice,
  validateLease,
} from './validation.ts'
import type { StoredObject } from './stored-object.ts'

type Content = Readonly<Record<string, unknown>>

/** How the API server treats one type of object: what differs between types, tried on 1.36.3. */
export interface ResourceType {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** Custom resources keep nulls, and their list items carry apiVersion and kind. */
  readonly custom: boolean
  /** Top-level fields beside apiVersion, kind and metadata; others are dropped. */
  readonly fields: readonly string[]
  /** Likewise within the spec; absent where all are kept. */
  readonly specFields?: readonly string[]
  /** More of them, where coordinated leader election is on. */
  readonly coordinatedSpecFields?: readonly string[]
  /** Served only where coordinated leader election is on. */
  readonly coordinated?: true
  /**
   * The status subresource: `isolated` takes nothing but the status (so a merge patch may even name a wrong UID);
   * `withMetadata` takes labels, annotations and finalizers too, and checks the UID.
   */
  readonly status: 'none' | 'isolated' | 'withMetadata'
  /** A PUT to a name that is not there creates it. */
  readonly createOnUpdate: boolean
  /** A PUT without resourceVersion overwrites whatever is there. */
  readonly unconditionalUpdate: boolean
  /** Deletes give the kubelet time: the object goes when somebody deletes it again with no grace. */
  readonly graceful: boolean
  /** A delete answers with the object instead of a Status. */
  readonly returnsDeleted: boolean
  readonly selectableFields: readonly string[]
  /** The part whose change raises metadata.generation; absent for types that have none. */
  readonly generationCounts?: (object: StoredObject) => unknown
  /** Fills in what a real server fills in. */
  readonly defaults?: (object: Content, defaulting: Defaulting) => Content
  /** Why the JSON can't be this type, in the words of Go's decoder; undefined if it can. */
  readonly decode?: (object: Content) => string | undefined
  readonly validate?: (object: Content, before?: StoredObject) => Cause[]
}

const BUILT_IN = {
  namespaced: true,
  custom: false,
  status: 'none',
  createOnUpdate: false,
  unconditionalUpdate: true,
  graceful: false,
  returnsDeleted: false,
  selectableFields: [],
} as const

const LEADER_GROUP = readCrd(new URL('../../crds/leadergroup.yaml', import.meta.url), 'v1alpha1')

export const RESOURCE_TYPES: readonly ResourceType[] = [
  {
    ...BUILT_IN,
    group: '',
    version: 'v1',
    plural: 'pods',
    kind: 'Pod',
    fields: ['spec', 'status'],
    status: 'withMetadata',
    graceful: true,
    returnsDeleted: true,
    selectableFields: ['spec.nodeName', 'spec.restartPolicy', 'status.phase', 'status.podIP'],
    generationCounts: (pod) => pod['spec'],
    defaults: defaultPod,
  },
  {
    ...BUILT_IN,
    group: '',
    version: 'v1',
    plural: 'services',
    kind: 'Service',
    fields: ['spec', 'status'],
    status: 'withMetadata',
    createOnUpdate: true,
    returnsDeleted: true,
    selectableFields: ['spec.clusterIP', 'spec.type'],
    defaults: defaultService,
  },
  {
    ...BUILT_IN,
    group: '',
    version: 'v1',
    plural: 'nodes',
    kind: 'Node',
    namespaced: false,
    fields: ['spec', 'status'],
    status: 'withMetadata',
    selectableFields: ['spec.unschedulable'],
    defaults: (node) => ({ spec: {}, status: {}, ...node }),
  },
  {
    ...BUILT_IN,
    group: '',
    version: 'v1',
    plural: 'configmaps',
    kind: 'ConfigMap',
    fields: ['data', 'binaryData', 'immutable'],
    createOnUpdate: true,
  },
  {
    ...BUILT_IN,
    group: '',
    version: 'v1',
    plural: 'endpoints',
    kind: 'Endpoints',
    fields: ['subsets'],
    createOnUpdate: true,
  },
  {
    ...BUILT_IN,
    group: '',
    version: 'v1',
    plural: 'persistentvolumeclaims',
    kind: 'PersistentVolumeClaim',
    fields: ['spec', 'status'],
    status: 'withMetadata',
    returnsDeleted: true,
    defaults: (claim, { before }) => ({
      ...claim,
      status: before === undefined ? { phase: 'Pending' } : claim['status'],
    }),
  },
  {
    ...BUILT_IN,
    group: 'coordination.k8s.io',
    version: 'v1beta1',
    plural: 'leasecandidates',
    kind: 'LeaseCandidate',
    coordinated: true,
    fields: ['spec'],
    createOnUpdate: true,
    unconditionalUpdate: false,
  },
  {
    ...BUILT_IN,
    group: 'coordination.k8s.io',
    version: 'v1',
    plural: 'leases',
    kind: 'Lease',
    fields: ['spec'],
    specFields: LEASE_FIELDS,
    coordinatedSpecFields: COORDINATED_LEASE_FIELDS,
    createOnUpdate: true,
    unconditionalUpdate: false,
    defaults: (lease) => ({ spec: {}, ...lease }),
    decode: decodeLease,
    validate: validateLease,
  },
  {
    ...BUILT_IN,
    group: 'events.k8s.io',
    version: 'v1',
    plural: 'events',
    kind: 'Event',
    fields: ['eventTime', 'series', 'reportingController', 'reportingInstance', 'action', 'reason', 'regarding'].concat(
      ['related', 'note', 'type'],
    ),
    createOnUpdate: true,
    selectableFields: ['reason', 'type', 'regarding.kind', 'regarding.name', 'regarding.uid'],
  },
  {
    ...BUILT_IN,
    group: 'discovery.k8s.io',
    version: 'v1',
    plural: 'endpointslices',
    kind: 'EndpointSlice',
    fields: ['addressType', 'endpoints', 'ports'],
    generationCounts: ({ metadata, ...content }) => ({ labels: metadata.labels, ...content }),
    defaults: defaultEndpointSlice,
    validate: validateEndpointSlice,
  },
  {
    ...BUILT_IN,
    group: 'leadergroup.io',
    version: 'v1alpha1',
    plural: 'leadergroups',
    kind: 'LeaderGroup',
    custom: true,
    fields: ['spec', 'status'],
    status: 'isolated',
    unconditionalUpdate: false,
    selectableFields: LEADER_GROUP.selectableFields,
    defaults: (group) => structured(LEADER_GROUP.schema, group) as Content,
    generationCounts: ({ metadata: _metadata, status: _status, ...content }) => content,
  },
]

export function findResourceType(group: string, version: string, plural: string): ResourceType | undefined {
  return RESOURCE_TYPES.find((type) => type.group === group && type.version === version && type.plural === plural)
}

/** The type that an owner reference names. */
export function findOwnerType(apiVersion: string, kind: string): ResourceType | undefined {
  return RESOURCE_TYPES.find((type) => apiVersionOf(type) === apiVersion && type.kind === kind)
}

export function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`
}
