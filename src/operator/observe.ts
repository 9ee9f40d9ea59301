import { GATE_ANNOTATION, INELIGIBLE_ANNOTATION, MODE_ANNOTATION, groupKeys } from '../group/keys.ts'
import type { ObservedLease, ObservedPod } from '../group/observation.ts'
import type { Lease, Pod } from '../kube/objects.ts'
import type { Kept } from './store.ts'

/** A pod as the group of this name sees it. */
export function observedPod(
  { object: { metadata, status }, seenAt }: Kept<Pod>,
  group: string,
  selected: boolean,
  notReadySince: number | undefined,
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
