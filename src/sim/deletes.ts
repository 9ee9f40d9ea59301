import type { ResourceType } from './resource-types.ts'
import { conflict } from './status-error.ts'
import { fieldAt, withMeta, type StoredMeta, type StoredObject } from './stored-object.ts'

export interface DeleteOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: string
  readonly dryRun?: readonly string[]
}

/**
 * What a delete does to an object: pure. `mark`, if any, is stored first (deletionTimestamp and what goes with it);
 * then, with `remove`, the object goes. A pod takes both steps even when it goes at once: two revisions.
 */
export interface Deletion {
  readonly mark: StoredObject | undefined
  readonly remove: boolean
}

export function checkPreconditions(type: ResourceType, stored: StoredObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {}
  const { name, uid: foundUid, resourceVersion: foundVersion } = stored.metadata
  if (uid !== undefined && uid !== foundUid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${foundUid})`
    throw conflict(type, 'kind', name, `${why}. The object might have been deleted and then recreated`)
  }
  if (resourceVersion !== undefined && resourceVersion !== foundVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match`
    throw conflict(
      type,
      'kind',
      name,
      `${why} the ResourceVersion in record (${foundVersion}). The object might have been modified`,
    )
  }
}

export function deletion(
  type: ResourceType,
  stored: StoredObject,
  options: DeleteOptions,
  wallMillis: number,
): Deletion {
  const held = (stored.metadata.finalizers ?? []).length > 0
  if (type.graceful) return gracefulDeletion(stored, options, held, wallMillis)
  if (!held) return { mark: undefined, remove: true }
  if (stored.metadata.deletionTimestamp !== undefined) return { mark: undefined, remove: false }
  return { mark: marked(stored, wallMillis, 0), remove: false }
}

/** A second delete can only shorten the grace that the first one gave. */
function gracefulDeletion(stored: StoredObject, options: DeleteOptions, held: boolean, wallMillis: number): Deletion {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = stored.metadata
  if (deletionTimestamp === undefined) {
    const grace = graceOf(stored, options)
    return { mark: marked(stored, wallMillis, grace), remove: grace === 0 && !held }
  }
  const wanted = options.gracePeriodSeconds
  if (wanted === undefined || wanted >= deletionGracePeriodSeconds) return { mark: undefined, remove: false }
  const began = Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000
  const mark = withMeta(stored, deletionMeta(began, Math.max(wanted, 0)))
  return { mark, remove: wanted <= 0 && !held }
}

/** Nobody has to stop a pod that is on no node, or whose containers have all ended. */
function graceOf(pod: StoredObject, options: DeleteOptions): number {
  const phase = fieldAt(pod, 'status.phase')
  if (!fieldAt(pod, 'spec.nodeName') || phase === 'Succeeded' || phase === 'Failed') return 0
  const own = fieldAt(pod, 'spec.terminationGracePeriodSeconds')
  return Math.max(options.gracePeriodSeconds ?? (typeof own === 'number' ? own : 30), 0)
}

function marked(stored: StoredObject, wallMillis: number, graceSeconds: number): StoredObject {
  const { generation } = stored.metadata
  const raised = generation === undefined ? {} : { generation: generation + 1 }
  return withMeta(stored, { ...deletionMeta(wallMillis, graceSeconds), ...raised })
}

function deletionMeta(beganWallMillis: number, graceSeconds: number): Partial<StoredMeta> {
  const deletionTimestamp = wholeSeconds(beganWallMillis + graceSeconds * 1000)
  return { deletionTimestamp, deletionGracePeriodSeconds: graceSeconds }
}

/** An object marked as deleted goes with the update that takes off its last finalizer, once its grace is over. */
export function goesWithUpdate({ metadata }: StoredObject): boolean {
  const held = (metadata.finalizers ?? []).length > 0
  return metadata.deletionTimestamp !== undefined && (metadata.deletionGracePeriodSeconds ?? 0) === 0 && !held
}

/** RFC 3339 in whole seconds, as in every metadata time. */
export function wholeSeconds(wallMillis: number): string {
  return `${new Date(wallMillis).toISOString().slice(0, 19)}Z`
}
