import type { KubeObject, ObjectMeta } from './objects.ts'

/**
 * A copy without `metadata.managedFields`, half of many an object, of which nothing is used. A PUT without them leaves them
 * to the server, which keeps its own.
 */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata as ObjectMeta & { readonly managedFields?: unknown }
  return { ...object, metadata }
}
