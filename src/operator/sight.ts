import {
  electingContainers,
  standstillOf,
  type ObservedContainer,
  type Standstill,
} from '../group/follow/containers.ts'
import type { NodeOutage } from '../group/follow/death.ts'
import { sightOf, type RecordSight } from '../group/follow/silence.ts'
import type { Lease } from '../kube/objects.ts'
import { addressesOf } from './addresses.ts'
import type { Before, Kept, See } from './store.ts'
import { shownIn, type CachedNode, type CachedPod } from './trim.ts'

/*
 * What this process saw of an object's past, for mode Observe: when things came to be as they are, and whether that
 * happened under its eyes. All of it is of the present process; a restart begins anew.
 */

export interface PodSight {
  readonly firstSeenAt: number
  /** Since when it has the addresses that it has now. */
  readonly podIPsSeenAt: number
  readonly appeared: boolean
  /** Undefined: as shown now, for no end was ever seen, which is so for almost every pod. */
  readonly electing: readonly ObservedContainer[] | undefined
  readonly standstill: Standstill | undefined
}

export const seePod: See<CachedPod, PodSight> = (pod, before, { tick }) => {
  const known = sameUID(pod, before)
  const electing = electingContainers(known && electingIn(known), shownIn(pod), tick)
  const kept = known?.sight
  const isCalm = electing.every(({ end }) => end === undefined)
  const sight = {
    firstSeenAt: kept?.firstSeenAt ?? tick,
    podIPsSeenAt: known && haveSameAddresses(known.object, pod) ? known.sight.podIPsSeenAt : tick,
    // Another pod that had its name was there before it, as a list of later tells.
    appeared: kept?.appeared ?? before !== undefined,
    electing: isCalm ? undefined : electing,
    standstill: standstillOf(kept, electing, tick),
  }
  return kept && isUnchanged(kept, sight) ? kept : sight
}

/** The containers of a pod that may elect, with their ends as far as they were seen. */
export function electingIn({
  object,
  sight,
}: Pick<Kept<CachedPod, PodSight>, 'object' | 'sight'>): readonly ObservedContainer[] {
  return sight.electing ?? shownIn(object).map(({ name, state }) => ({ name, state, end: undefined }))
}

function haveSameAddresses(a: CachedPod, b: CachedPod): boolean {
  return addressesOf(a.status).join() === addressesOf(b.status).join()
}

function isUnchanged(a: PodSight, b: PodSight): boolean {
  return a.podIPsSeenAt === b.podIPsSeenAt && a.electing === b.electing && a.standstill === b.standstill
}

export interface LeaseSight {
  readonly record: RecordSight
  /** When the last quorum read began that showed this record, in monotonic milliseconds. */
  readonly readMillis: number | undefined
}

export const seeLease: See<Lease, LeaseSight> = ({ metadata: { uid }, spec }, before, { tick, millis, readMillis }) => {
  if (typeof before !== 'object') {
    return { record: sightOf(before, { uid, ...spec }, { tick, millis }), readMillis }
  }
  const { object, sight } = before
  const past = { uid: object.metadata.uid, sight: sight.record, ...object.spec }
  const record = sightOf(past, { uid, ...spec }, { tick, millis })
  return { record, readMillis: readMillis ?? (record === sight.record ? sight.readMillis : undefined) }
}

/** Undefined: the node is in service. */
export type NodeSight = NodeOutage | undefined

export const seeNode: See<CachedNode, NodeSight> = (node, before, { tick }) => {
  if (!node.outOfService) return undefined
  const known = sameUID(node, before)
  return known?.sight ?? { node: node.metadata.name, seenAt: tick, witnessed: known !== undefined }
}

function sameUID<T extends CachedPod | CachedNode, S>(object: T, before: Before<T, S>): Kept<T, S> | undefined {
  return typeof before === 'object' && before.object.metadata.uid === object.metadata.uid ? before : undefined
}
