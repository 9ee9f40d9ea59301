import type { LeaderGroup } from '../group/leadergroup.ts'
import type { Confirmation, Release } from '../group/follow/release.ts'
import { Leases, Nodes, type Lease } from '../kube/objects.ts'
import type { Acted } from '../loop.ts'
import { readPod } from './act-pod.ts'
import { DONE, refused, STALE, stale, type Errand } from './acted.ts'
import { trimLease, trimNode } from './trim.ts'
import { leaseNameOf } from '../group/spec.ts'

export function groupOf({ cache, namespace, name }: Errand): LeaderGroup | undefined {
  return cache.groups.get(namespace, name)?.object
}

/** The group's Lease, as it is known. */
export function leaseOf(errand: Errand): Lease | undefined {
  const group = groupOf(errand)
  return group && errand.cache.leases.get(errand.namespace, leaseNameOf(group))?.object
}

/** A quorum read of the group's Lease. */
export async function readLease(errand: Errand): Promise<Acted> {
  const { api, cache, clock, namespace, signal } = errand
  const group = groupOf(errand)
  if (!group) return STALE
  const name = leaseNameOf(group)
  const begunMillis = clock.now()
  const begunAt = cache.tick()
  const outcome = await api.get(Leases, { namespace, name }, { signal })
  if (outcome.kind === 'notFound') cache.leaseAbsent(namespace, name, begunAt)
  else if (outcome.kind === 'ok') cache.leases.apply(trimLease(outcome.object), begunAt, begunMillis)
  else return refused(outcome)
  return DONE
}

/** The Lease as read, UID and version included, without its holder: a renewal that came in between wins. */
export async function releaseLease(errand: Errand, release: Release): Promise<Acted> {
  const { api, cache, namespace, signal, took } = errand
  const { name, uid, resourceVersion, confirm } = release
  const lease = leaseOf(errand)
  if (lease?.metadata.uid !== uid || lease.metadata.resourceVersion !== resourceVersion) return STALE
  const outage = confirm ? await confirmOutage(errand, confirm) : DONE
  if (outage.kind !== 'done') return outage
  const begunAt = cache.tick()
  const released = { ...lease, spec: { ...lease.spec, holderIdentity: '' } }
  const outcome = await api.replace(Leases, { namespace, name }, released, { signal })
  if (outcome.kind === 'conflict' || outcome.kind === 'notFound') return stale(readLease(errand))
  if (outcome.kind !== 'ok') return refused(outcome)
  took()
  cache.leases.apply(trimLease(outcome.object), begunAt)
  return DONE
}

/** Done: the node is still out of service, and the pod still there. Stale: not so, as the cache now shows. */
async function confirmOutage(errand: Errand, { node, pod }: Confirmation): Promise<Acted> {
  const { cache, namespace } = errand
  const reads = await Promise.all([readNode(errand, node), readPod(errand, pod)])
  const failure = reads.find(({ kind }) => kind !== 'done')
  if (failure) return failure
  const isDown = cache.nodes.get('', node)?.sight?.witnessed === true
  const isThere = cache.pods.get(namespace, pod.name)?.object.metadata.uid === pod.uid
  return isDown && isThere ? DONE : STALE
}

async function readNode({ api, cache, signal }: Errand, name: string): Promise<Acted> {
  const begunAt = cache.tick()
  const outcome = await api.get(Nodes, { name }, { signal })
  if (outcome.kind === 'notFound') cache.nodes.absent('', name, begunAt)
  else if (outcome.kind === 'ok') cache.nodes.apply(trimNode(outcome.object), begunAt)
  else return refused(outcome)
  return DONE
}
