import { GATE_ANNOTATION, INELIGIBLE_ANNOTATION, MODE_ANNOTATION, groupKeys } from '../group/keys.ts'
import type { ObservedLease, ObservedPod } from '../group/observation.ts'
import { ZONE_LABEL } from '../group/routing/routing-keys.ts'
import type { ObservedSlice } from '../group/routing/endpoint-slice.ts'
import type { ObservedService } from '../group/routing/observed-service.ts'
import type { EndpointSlice, Lease, Pod, Service } from '../kube/objects.ts'
import { addressesOf } from './addresses.ts'
import { electingIn, type LeaseSight, type NodeSight, type PodSight } from './sight.ts'
import type { Kept } from './store.ts'
import type { CachedNode, CachedPod } from './trim.ts'

/** What beside the pod itself says something of it. */
export interface PodContext {
  /** Name of the group that looks. */
  readonly group: string
  readonly selected: boolean
  readonly notReadySince: number | undefined
  /** Undefined: not known. */
  readonly node: Kept<CachedNode, NodeSight> | undefined
  /** This is the last that was seen of it. */
  readonly deleted?: boolean
}

/** A pod as a group sees it. */
export function observedPod(
  kept: Kept<CachedPod, PodSight>,
  { group, selected, notReadySince, node, deleted = false }: PodContext,
): ObservedPod {
  const { object, seenAt, untouchedSince, sight } = kept
  const { metadata, spec, status } = object
  const keys = groupKeys(group)
  const { labels = {}, annotations = {} } = metadata
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    seenAt,
    ...(untouchedSince === undefined ? {} : { untouchedSince }),
    selected,
    phase: status?.phase,
    terminating: metadata.deletionTimestamp !== undefined,
    ready: ready?.status === 'True',
    readyTime: ready?.lastTransitionTime,
    notReadySince,
    excluded: annotations[INELIGIBLE_ANNOTATION] === 'true',
    revision: labels['pod-template-hash'] ?? labels['controller-revision-hash'],
    creationTime: metadata.creationTimestamp ?? '',
    role: labels[keys.role],
    term: annotations[keys.term],
    sealed: annotations[keys.sealed],
    podIPs: addressesOf(status),
    nodeName: spec?.nodeName,
    zone: labels[ZONE_LABEL] ?? node?.object.metadata.labels?.[ZONE_LABEL],
    ports: spec?.containers?.[0]?.ports ?? [],
    deleted,
    hostNetwork: spec?.hostNetwork === true,
    podIPsSeenAt: sight.podIPsSeenAt,
    firstSeenAt: sight.firstSeenAt,
    appeared: sight.appeared,
    startTime: status?.startTime,
    electing: electingIn(kept),
    standstill: sight.standstill,
    outOfService: node?.sight,
  }
}

export function observedService({ object: { metadata, spec = {} }, seenAt }: Kept<Service>): ObservedService {
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    seenAt,
    terminating: metadata.deletionTimestamp !== undefined,
    ownerReferences: metadata.ownerReferences ?? [],
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    type: spec.type,
    clusterIP: spec.clusterIP,
    selector: spec.selector ?? {},
    ports: spec.ports ?? [],
    sessionAffinity: spec.sessionAffinity,
    ipFamilyPolicy: spec.ipFamilyPolicy,
    ipFamilies: spec.ipFamilies ?? [],
  }
}

export function observedSlice({ object, seenAt }: Kept<EndpointSlice>): ObservedSlice {
  const { metadata, addressType, endpoints, ports } = object
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    seenAt,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    ownerReferences: metadata.ownerReferences ?? [],
    addressType,
    endpoints: endpoints ?? [],
    ports: ports ?? [],
  }
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

export function observedLease({
  object: { metadata, spec },
  seenAt,
  readAt,
  sight,
}: Kept<Lease, LeaseSight>): ObservedLease {
  const owners = metadata.ownerReferences ?? []
  const owner = owners.find(({ kind }) => kind === 'LeaderGroup') ?? owners[0]
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    seenAt,
    readAt,
    ownerUID: owner?.uid,
    ownerName: owner && `${owner.kind} ${owner.name}`,
    mode: metadata.annotations?.[MODE_ANNOTATION],
    mark: metadata.annotations?.[GATE_ANNOTATION],
    holderIdentity: spec?.holderIdentity ?? undefined,
    leaseDurationSeconds: spec?.leaseDurationSeconds,
    transitions: spec?.leaseTransitions ?? undefined,
    acquireTime: spec?.acquireTime ?? undefined,
    renewTime: spec?.renewTime,
    sight: sight.record,
    readMillis: sight.readMillis,
  }
}
