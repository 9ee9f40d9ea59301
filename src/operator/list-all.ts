import type { Api } from '../kube/api.ts'
import type { KubeObject, Resource } from '../kube/objects.ts'
import { ApiError } from '../kube/outcome.ts'

const PAGE = 500

/**
 * All objects of a type, page by page, in one namespace or, without, in all. Undefined: the cluster knows no such type.
 * `keep` reduces each object as it is parsed, so that a large cluster does not fill the memory.
 *
 * @throws ApiError when a page fails or is refused
 */
export async function listAll<T extends KubeObject>(
  api: Api,
  resource: Resource<T>,
  namespace: string | undefined,
  signal: AbortSignal,
  keep: (object: T) => T = (object) => object,
): Promise<readonly T[] | undefined> {
  const objects: T[] = []
  let continueToken: string | undefined
  do {
    const page = await api.list(resource, {
      limit: PAGE,
      signal,
      keep,
      ...(namespace === undefined ? {} : { namespace }),
      ...(continueToken === undefined ? {} : { continueToken }),
    })
    if (page.kind === 'notFound') return undefined
    if (page.kind !== 'ok') throw new ApiError(page.message, { reason: page.kind })
    for (const object of page.object.items) objects.push(object)
    continueToken = page.object.continueToken
  } while (continueToken)
  return objects
}
