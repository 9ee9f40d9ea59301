import { GATE_ANNOTATION, INELIGIBLE_ANNOTATION, MODE_ANNOTATION, groupKeys } from '../group/keys.ts'
import type { ObservedLease, ObservedPod } from '../group/observation.ts'
import { ZONE_LABEL } from '../group/routing/routing-keys.ts'
import type { ObservedSlice } from '../group/routing/endpoint-slice.ts'
import type { ObservedService } from '../group/routing/observed-service.ts'
import type { EndpointSlice, Lease, Pod, Service } from '../kube/objects.ts'
import type { Kept } from './store.ts'

/** A pod as the group of this name sees it. */
export function observedPod(
  { object: { metadata, spec, status }, seenAt }: Kept<Pod>,
  group: string,
  selected: boolean,
  notReadySince: number | undefined,
  zone: string | undefined,
): ObservedPod {
  const keys = groupKeys(group)
  const { labels = {}, annotations = {} } = metadata
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    seenAt,
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
    zone: labels[ZONE_LABEL] ?? zone,
    ports: spec?.containers?.[0]?.ports ?? [],
  }
}

function addressesOf(status: Pod['status']): readonly string[] {
  const { podIP, podIPs } = status ?? {}
  const addresses = (podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]))
  return addresses.length > 0 || podIP === undefined ? addresses : [podIP]
}

export function observedService({ object: { metadata, spec = {} } }: Kept<Service>): ObservedService {
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
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

export function observedLease({ object: { metadata, spec }, seenAt, readAt }: Kept<Lease>): ObservedLease {
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
    transitions: spec?.leaseTransitions ?? undefined,
    acquireTime: spec?.acquireTime ?? undefined,
  }
}
