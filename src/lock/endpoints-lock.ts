import type { Api } from '../kube/api.ts'
import { Endpoints } from '../kube/objects.ts'
import { ownAnnotationLock } from './annotation-lock.ts'
import type { NamedLockOptions } from './configmap-lock.ts'
import type { Lock } from './lock.ts'

/**
 * A lock on an Endpoints object, client-go's first form (`endpoints`): a record in the annotation
 * `control-plane.alpha.kubernetes.io/leader`, which also keeps Kubernetes' own controllers away from the object.
 *
 * Needs `get`, `list`, `watch`, `create` and `patch` on Endpoints.
 */
export function endpointsLock(api: Api, { name, namespace, ...options }: NamedLockOptions): Lock {
  return ownAnnotationLock(api, { ...options, object: { ...Endpoints, name, namespace } })
}
