import type { KubeObject, Resource } from '../../kube/objects.ts'
import { collectionPath, objectPath } from '../../kube/path.ts'
import type { ApiServer } from '../apiserver.ts'
import { findResourceType } from '../resource-types.ts'
import type { StoredObject } from '../stored-object.ts'

export const NAMESPACE = 'default'

/** Whoever writes to the API server without a network between: kubelets, users, strangers. */
export class Hands {
  readonly #api: ApiServer
  readonly #user: string

  constructor(api: ApiServer, user: string) {
    this.#api = api
    this.#user = user
  }

  /** As it is now, in the namespace of the groups if it has one. */
  find<T extends KubeObject>(resource: Resource<T>, name: string): (StoredObject & T) | undefined {
    const type = findResourceType(resource.group, resource.version, resource.plural)!
    return this.#api.find(type, type.namespaced ? NAMESPACE : undefined, name) as (StoredObject & T) | undefined
  }

  create<T extends KubeObject>(resource: Resource<T>, object: object): StoredObject | undefined {
    return this.#perform('POST', collectionPath(resource, namespaceOf(resource)), 'application/json', object)
  }

  replace<T extends KubeObject>(resource: Resource<T>, name: string, object: object): StoredObject | undefined {
    return this.#perform('PUT', pathOf(resource, name), 'application/json', object)
  }

  /** A merge patch; undefined if the server refuses it. */
  patch<T extends KubeObject>(
    resource: Resource<T>,
    name: string,
    patch: object,
    subresource?: 'status',
  ): StoredObject | undefined {
    return this.#perform('PATCH', pathOf(resource, name, subresource), 'application/merge-patch+json', patch)
  }

  delete<T extends KubeObject>(resource: Resource<T>, name: string, options: object = {}): StoredObject | undefined {
    return this.#perform('DELETE', pathOf(resource, name), 'application/json', options)
  }

  #perform(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    contentType: string,
    body: object,
  ): StoredObject | undefined {
    const answer = this.#api.perform({ method, path, contentType, body: JSON.stringify(body) }, this.#user)
    return answer.code < 300 ? (answer.body as StoredObject) : undefined
  }
}

function namespaceOf<T extends KubeObject>({ plural }: Resource<T>): string | undefined {
  return plural === 'nodes' ? undefined : NAMESPACE
}

function pathOf<T extends KubeObject>(resource: Resource<T>, name: string, subresource?: 'status'): string {
  const namespace = namespaceOf(resource)
  return objectPath(resource, { name, ...(namespace === undefined ? {} : { namespace }) }, subresource)
}
