import type { PatchPod } from '../group/decision.ts'
import { Pods, type Pod } from '../kube/objects.ts'
import type { Acted } from '../loop.ts'
import { DONE, refused, stale, type Errand } from './acted.ts'
import { trimPod } from './trim.ts'

export async function readPod(
  { api, cache, namespace, signal }: Errand,
  { name, uid }: { readonly name: string; readonly uid: string },
): Promise<Acted> {
  const begunAt = cache.tick()
  const outcome = await api.get(Pods, { namespace, name }, { signal })
  if (outcome.kind !== 'ok' && outcome.kind !== 'notFound') return refused(outcome)
  if (outcome.kind === 'notFound' || outcome.object.metadata.uid !== uid) cache.podGone(namespace, name, uid)
  if (outcome.kind === 'ok') cache.pods.apply(trimPod(outcome.object), begunAt)
  return DONE
}

export async function patchPod(errand: Errand, { pod, labels, annotations }: PatchPod): Promise<Acted> {
  const { api, cache, namespace, podTurns, signal, took } = errand
  const { name, uid, resourceVersion } = pod
  const seen = cache.pods.get(namespace, name)?.object
  // A write to a pod on its way out by force ends it, and the API server (1.36) then deletes whatever has its name,
  // without looking at the UID: that may be its successor. So it is only watched until it is gone.
  if (seen?.metadata.uid === uid && isVanishing(seen)) {
    return (await ends(errand, uid)) ? DONE : stale(readPod(errand, pod))
  }
  using turn = podTurns.queue(uid, errand.name)
  if (turn.before) await turn.before
  const kept = cache.pods.get(namespace, name)
  const base = kept?.object.metadata.resourceVersion === resourceVersion ? kept : undefined
  if (turn.before && !base) {
    // It would be refused. What another group of this process wrote is in the cache: decide on that, at once.
    turn.keep()
    return DONE
  }
  const begunAt = cache.tick()
  const patch = { metadata: { uid, resourceVersion, labels, annotations } }
  const outcome = await api.mergePatch(Pods, { namespace, name }, patch, { signal })
  if (outcome.kind === 'notFound') {
    cache.podGone(namespace, name, uid)
    return DONE
  }
  // Whoever comes next is to see what is read.
  if (outcome.kind === 'conflict') return await stale(readPod(errand, pod))
  if (outcome.kind !== 'ok') return refused(outcome)
  took()
  const written = trimPod(outcome.object)
  if (base) cache.pods.replaced(base, written, begunAt)
  else cache.pods.apply(written, begunAt)
  return DONE
}

/**
 * The event of its end follows in milliseconds. A read instead would cross it, and hold up what the event permits; it
 * comes only when the event does not.
 */
const END_MILLIS = 50

/** Resolves to whether the pod is proved gone in time. */
function ends({ cache, clock }: Errand, uid: string): Promise<boolean> {
  return new Promise((resolve) => {
    const forget = cache.onPodGone(uid, () => {
      cancel()
      forget()
      resolve(true)
    })
    const cancel = clock.timer(clock.now() + END_MILLIS, () => {
      forget()
      resolve(false)
    })
  })
}

/** Force-deleted, with nobody to wait for: only the second of the two writes of its deletion is missing. */
function isVanishing({ metadata }: Pod): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = metadata
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0
}
