import type { KubeObject, Resource } from './objects.ts'

type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** `/api/v1/namespaces/NS/pods`, `/apis/GROUP/VERSION/PLURAL`: all objects of a type, of one namespace or of all. */
export function collectionPath(resource: Resource<KubeObject>, namespace?: string): string {
  const root = resource.group === '' ? '/api' : `/apis/${resource.group}`
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return `${root}/${resource.version}${scope}/${resource.plural}`
}

/** The path of one object, or of a subresource of it. */
export function objectPath(
  resource: Resource<KubeObject>,
  key: { readonly namespace?: string; readonly name: string },
  subresource?: string,
): string {
  const path = `${collectionPath(resource, key.namespace)}/${encodeURIComponent(key.name)}`
  return subresource === undefined ? path : `${path}/${subresource}`
}

/** Appends what is set of `query`. */
export function withQuery(path: string, query: Query): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined)
  if (set.length === 0) return path
  return `${path}?${set.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&')}`
}
