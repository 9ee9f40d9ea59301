import type { Clock } from '../clock.ts'
import type { Api } from '../kube/api.ts'
import { ConfigMaps } from '../kube/objects.ts'
import { ownAnnotationLock } from './annotation-lock.ts'
import type { Lock } from './lock.ts'

/** Which object is the lock. */
export interface NamedLockOptions {
  /** Of the object. All candidates of one election name the same. */
  readonly name: string
  /** Of the object. */
  readonly namespace: string
  /** Of the object, if it is created. Those of one that exists are its own. */
  readonly labels?: Readonly<Record<string, string>>
  /** @default the system's */
  readonly clock?: Clock
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number
}

/**
 * A lock on a ConfigMap, in the form that client-go had before there were Leases (`configmaps`): a record in the
 * annotation `control-plane.alpha.kubernetes.io/leader`. For clusters that still migrate; see `multiLock`.
 *
 * Needs `get`, `list`, `watch`, `create` and `patch` on ConfigMaps.
 */
export function configMapLock(api: Api, { name, namespace, ...options }: NamedLockOptions): Lock {
  return ownAnnotationLock(api, { ...options, object: { ...ConfigMaps, name, namespace } })
}
