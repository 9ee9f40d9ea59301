/** An object as the in-memory API server keeps it. Never changed in place: history and open watches share it. */
export interface StoredObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: StoredMeta
  readonly [field: string]: unknown
}

export interface StoredMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  readonly generation?: number
  readonly creationTimestamp: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
  readonly finalizers?: readonly string[]
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
}

/** What a client sent: anything that is a JSON object. */
export type Incoming = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function withMeta(object: StoredObject, changes: Partial<StoredMeta>): StoredObject {
  return { ...object, metadata: { ...object.metadata, ...changes } }
}

/** The order of keys in etcd, and so of lists. Cluster-scoped objects have an empty namespace. */
export function objectKey(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

/** `metadata.name` → the value there, or undefined. */
export function fieldAt(object: unknown, path: string): unknown {
  let value = object
  for (const step of path.split('.')) value = isRecord(value) ? value[step] : undefined
  return value
}
