import type { ObservedPod } from './observation.ts'

/** Why a pod cannot lead, in words that fit behind "pod db-0 …". */
export type Ineligibility =
  'is not selected' | 'is excluded by annotation' | 'is terminating' | 'is not running' | 'is not ready'

/** Undefined: the pod could lead now. The first reason that applies, the most lasting first. */
export function ineligibility(pod: ObservedPod): Ineligibility | undefined {
  if (!pod.selected) return 'is not selected'
  if (pod.excluded) return 'is excluded by annotation'
  if (pod.terminating) return 'is terminating'
  if (pod.phase !== 'Running') return 'is not running'
  if (!pod.ready) return 'is not ready'
  return undefined
}

/**
 * Until when a leader that is merely not ready keeps its place (`failover.notReadySeconds`), in monotonic milliseconds
 * as this process has seen it; undefined when that is no reason to wait.
 */
export function patience(leader: ObservedPod, notReadySeconds = 0): number | undefined {
  if (ineligibility(leader) !== 'is not ready' || leader.notReadySince === undefined || notReadySeconds === 0) {
    return undefined
  }
  return leader.notReadySince + notReadySeconds * 1000
}

/**
 * The pods that could lead, best first: those of the newest revision, then the one Ready longest, then by name.
 *
 * The newest revision is the one whose oldest pod is youngest, so that a rollout costs one hand-over and not one per
 * old pod. The order only chooses a successor: it never moves a leader that is eligible, so there is no failback.
 */
export function ranked(pods: readonly ObservedPod[]): readonly ObservedPod[] {
  const births = revisionBirths(pods)
  const birth = (pod: ObservedPod): string => births.get(pod.revision) ?? ''
  return pods
    .filter((pod) => ineligibility(pod) === undefined)
    .toSorted(
      (a, b) => compare(birth(b), birth(a)) || compare(a.readyTime ?? '', b.readyTime ?? '') || compare(a.name, b.name),
    )
}

/** What puts the first of two pods that could lead before the second, in words that fit behind the first one's name. */
export function precedence(pods: readonly ObservedPod[], first: ObservedPod, second: ObservedPod): string {
  const births = revisionBirths(pods)
  if (births.get(first.revision) !== births.get(second.revision)) return 'is of a newer revision'
  if (first.readyTime !== second.readyTime) return 'has been ready longer'
  return 'comes first by name'
}

/** For each revision the creation time of its oldest selected pod. */
function revisionBirths(pods: readonly ObservedPod[]): ReadonlyMap<string | undefined, string> {
  const births = new Map<string | undefined, string>()
  for (const pod of pods) {
    if (!pod.selected) continue
    const oldest = births.get(pod.revision)
    if (oldest === undefined || pod.creationTime < oldest) births.set(pod.revision, pod.creationTime)
  }
  return births
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
