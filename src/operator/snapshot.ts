import type { Clock } from '../clock.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { GroupObservation, ObservedLease, ObservedPod } from '../group/observation.ts'
import type { Routed } from '../group/routing/enacted.ts'
import { isOwnSlice } from '../group/routing/slice.ts'
import { leaseNameOf } from '../group/spec.ts'
import type { Api, Key } from '../kube/api.ts'
import { EndpointSlices, Leases, Services, type KubeObject, type Resource } from '../kube/objects.ts'
import { ApiError, type Refusal } from '../kube/outcome.ts'
import { Cache, keyOf } from './cache.ts'
import { listAll } from './list-all.ts'
import { observedService, observedSlice } from './observe.ts'
import { PodLists } from './pod-lists.ts'
import { LeaderGroups } from './resources.ts'
import { trimEndpointSlice, trimGroup, trimLease, trimService } from './trim.ts'

export interface Snapshot {
  readonly group: LeaderGroup
  readonly observation: GroupObservation
  /** All Services and slices of the namespace, in full: an operator keeps little of those that are not its own. */
  readonly around: Routed
}

/**
 * What an operator would see of a group if it started now, from five reads; undefined when there is no such group.
 *
 * @throws ApiError when a read fails or is refused
 */
export async function snapshot(
  api: Api,
  clock: Clock,
  { namespace, name }: Required<Key>,
  signal: AbortSignal,
): Promise<Snapshot | undefined> {
  const cache = new Cache(clock, () => undefined)
  const group = await api.get(LeaderGroups, { namespace, name }, { signal })
  if (group.kind === 'notFound') return undefined
  if (group.kind !== 'ok') throw errorOf(group)
  cache.groups.apply(trimGroup(group.object), cache.tick())
  const refusal = await new PodLists(api, cache).list(namespace, signal)
  if (refusal) throw errorOf(refusal)
  const services = await list(api, Services, namespace, signal)
  for (const service of services) cache.services.apply(trimService(service))
  const slices = await list(api, EndpointSlices, namespace, signal)
  for (const slice of slices) cache.slices.apply(trimEndpointSlice(slice))
  // The Lease last: it is then read after every pod and slice, as the rules ask for.
  const begunAt = cache.tick()
  const lease = await api.get(Leases, { namespace, name: leaseNameOf(group.object) }, { signal })
  if (lease.kind === 'ok') cache.leases.apply(trimLease(lease.object), begunAt)
  else if (lease.kind !== 'notFound') throw errorOf(lease)
  const seen = { seenAt: begunAt, readAt: undefined, sight: undefined }
  return {
    group: group.object,
    observation: asAnOperator(cache.observe(keyOf(namespace, name)), clock),
    around: {
      services: services.map((object) => observedService({ object, ...seen })),
      slices: slices.map((object) => observedSlice({ object, ...seen })),
    },
  }
}

/** What an operator knows besides, and a person may not read or cannot have seen. */
function asAnOperator(o: GroupObservation, clock: Clock): GroupObservation {
  const zones = writtenZones(o)
  const pods = o.pods.map((pod) => ({
    ...pod,
    notReadySince: notReadySince(pod, clock),
    zone: pod.zone ?? zones.get(pod.uid),
  }))
  return { ...o, pods, lease: o.lease && asFollowed(o.lease, clock) }
}

/** An operator times a Lease by its own clock, from when it saw it change. Here its stamp must do, as for readiness. */
function asFollowed(lease: ObservedLease, clock: Clock): ObservedLease {
  const renewed = Date.parse(lease.renewTime ?? '')
  const agoMillis = Number.isNaN(renewed) ? 0 : Math.max(clock.wallNow() - renewed, 0)
  const sight = { ...lease.sight, sinceMillis: clock.now() - agoMillis, changed: true }
  return { ...lease, sight, readMillis: clock.now() }
}

/** The zones of nodes are taken to be those that the group's slices name: nodes are nobody's namespace. */
function writtenZones({ name, slices }: GroupObservation): ReadonlyMap<string, string> {
  const zones = new Map<string, string>()
  for (const { endpoints } of slices.filter((slice) => isOwnSlice(slice, name))) {
    for (const { targetRef, zone } of endpoints) if (targetRef?.uid && zone) zones.set(targetRef.uid, zone)
  }
  return zones
}

async function list<T extends KubeObject>(
  api: Api,
  resource: Resource<T>,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly T[]> {
  const objects = await listAll(api, resource, namespace, signal)
  if (!objects) throw new ApiError(`the server knows no ${resource.plural}`, { reason: 'notFound' })
  return objects
}

/**
 * An operator times readiness by its own clock, from when it saw the change. This process has only just looked, so it
 * takes the kubelet's word for it: good for an answer to a person, not for a decision.
 */
function notReadySince({ ready, readyTime }: ObservedPod, clock: Clock): number | undefined {
  if (ready) return undefined
  const agoMillis = readyTime === undefined ? 0 : clock.wallNow() - Date.parse(readyTime)
  return clock.now() - Math.max(agoMillis, 0)
}

function errorOf(refusal: Refusal): ApiError {
  return new ApiError(refusal.message, { reason: refusal.kind })
}
