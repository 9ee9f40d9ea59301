import type { LeaderGroup } from '../group/leadergroup.ts'
import { INELIGIBLE_ANNOTATION, groupOfKey } from '../group/keys.ts'
import type { Lease, ObjectMeta, Pod } from '../kube/objects.ts'

/**
 * What is kept of each object. A pod of 3 kB is kept in a few hundred bytes: all its labels, for selectors, but of its
 * annotations only ours, and of its status only what decides.
 */
export function trimPod(pod: Pod): Pod {
  const { name, namespace, uid, resourceVersion, creationTimestamp, labels, annotations } = pod.metadata
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = pod.metadata
  const own = Object.entries(annotations ?? {}).filter(([key]) => groupOfKey(key) || key === INELIGIBLE_ANNOTATION)
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')
  return {
    metadata: {
      name,
      uid,
      resourceVersion,
      ...present({ namespace, creationTimestamp, labels }),
      ...present({ deletionTimestamp, deletionGracePeriodSeconds, finalizers }),
      ...(own.length > 0 ? { annotations: Object.fromEntries(own) } : {}),
    },
    status: { ...present({ phase: pod.status?.phase }), ...(ready ? { conditions: [readiness(ready)] } : {}) },
  }
}

function readiness({
  type,
  status,
  lastTransitionTime,
}: {
  type: string
  status: string
  lastTransitionTime?: string
}): {
  type: string
  status: string
  lastTransitionTime?: string
} {
  return { type, status, ...present({ lastTransitionTime }) }
}

/** A Lease is written back whole, so only what its writer may leave out goes. */
export function trimLease(lease: Lease): Lease {
  return { ...lease, metadata: withoutManagedFields(lease.metadata) }
}

export function trimGroup(group: LeaderGroup): LeaderGroup {
  return { ...group, metadata: withoutManagedFields(group.metadata) }
}

function withoutManagedFields(metadata: ObjectMeta): ObjectMeta {
  const { managedFields: _, ...rest } = metadata as ObjectMeta & { managedFields?: unknown }
  return rest
}

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> }

/** Leaves out what is undefined or null: the API server sends nulls, and a key costs memory in every pod. */
function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as Present<T>
}
