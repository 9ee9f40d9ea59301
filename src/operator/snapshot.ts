import type { Clock } from '../clock.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { GroupObservation, ObservedPod } from '../group/observation.ts'
import type { Api, Key } from '../kube/api.ts'
import { Leases } from '../kube/objects.ts'
import { ApiError, type Refusal } from '../kube/outcome.ts'
import { Cache, keyOf } from './cache.ts'
import { PodLists } from './pod-lists.ts'
import { LeaderGroups } from './resources.ts'
import { trimGroup, trimLease } from './trim.ts'
import { leaseNameOf } from '../group/spec.ts'

export interface Snapshot {
  readonly group: LeaderGroup
  readonly observation: GroupObservation
}

/**
 * What an operator would see of a group if it started now, from three reads; undefined when there is no such group.
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
  // The Lease last: it is then read after every pod, as the rules ask for.
  const begunAt = cache.tick()
  const lease = await api.get(Leases, { namespace, name: leaseNameOf(group.object) }, { signal })
  if (lease.kind === 'ok') cache.leases.apply(trimLease(lease.object), begunAt)
  else if (lease.kind !== 'notFound') throw errorOf(lease)
  const observation = cache.observe(keyOf(namespace, name))
  const pods = observation.pods.map((pod) => ({ ...pod, notReadySince: notReadySince(pod, clock) }))
  return { group: group.object, observation: { ...observation, pods } }
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
