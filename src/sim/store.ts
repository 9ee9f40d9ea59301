import type { ResourceType } from './resource-types.ts'
import { objectKey, withMeta, type StoredObject } from './stored-object.ts'

export type RevisionType = 'ADDED' | 'MODIFIED' | 'DELETED'

/** One committed write. */
export interface Revision {
  readonly revision: number
  readonly type: RevisionType
  readonly resource: ResourceType
  /** As written, with this revision as its resourceVersion; for DELETED its last state. */
  readonly object: StoredObject
  /** What the write replaced. */
  readonly previous: StoredObject | undefined
  readonly user: string
  /** Monotonic milliseconds. */
  readonly at: number
}

interface Version {
  readonly revision: number
  /** Undefined once deleted. */
  readonly object: StoredObject | undefined
}

/** What a server shows of the store: all of it, or what its watch cache has got by now. */
export type Feed = Pick<Store, 'revision' | 'compacted' | 'since' | 'list' | 'onCommit'>

/**
 * Every version of every object, under one counter, as in etcd: a resourceVersion is the revision of the whole store
 * at the write. So any past state can be listed, and any watch resumed, until the versions are compacted.
 */
export class Store {
  readonly history: Revision[] = []
  /** Versions below this are gone for clients; the history stays whole for those who judge it. */
  compacted = 0
  revision = 1
  readonly #objects = new Map<ResourceType, Map<string, Version[]>>()
  readonly #listeners: ((revision: Revision) => void)[] = []

  /** Called after every commit, in order, before the writer has its answer. */
  onCommit(listener: (revision: Revision) => void): void {
    this.#listeners.push(listener)
  }

  get(type: ResourceType, namespace: string | undefined, name: string): StoredObject | undefined {
    return this.#versions(type).get(objectKey(namespace, name))?.at(-1)?.object
  }

  /** All objects of the type as of a revision, in the order of their keys. */
  list(type: ResourceType, at = this.revision): StoredObject[] {
    const objects: [string, StoredObject][] = []
    for (const [key, versions] of this.#versions(type)) {
      const object = versions.findLast((version) => version.revision <= at)?.object
      if (object !== undefined) objects.push([key, object])
    }
    return objects.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
  }

  put(resource: ResourceType, object: StoredObject, by: { user: string; at: number }): StoredObject {
    const { namespace, name } = object.metadata
    const previous = this.get(resource, namespace, name)
    return this.#commit({ type: previous === undefined ? 'ADDED' : 'MODIFIED', resource, object, previous, ...by })
  }

  remove(resource: ResourceType, previous: StoredObject, by: { user: string; at: number }): StoredObject {
    return this.#commit({ type: 'DELETED', resource, object: previous, previous, ...by })
  }

  /** The writes after a revision, oldest first. */
  since(revision: number): readonly Revision[] {
    let low = 0
    let high = this.history.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.history[middle]!.revision <= revision) low = middle + 1
      else high = middle
    }
    return this.history.slice(low)
  }

  #commit(change: Omit<Revision, 'revision'>): StoredObject {
    const revision = ++this.revision
    const object = withMeta(change.object, { resourceVersion: String(revision) })
    const { namespace, name } = object.metadata
    const key = objectKey(namespace, name)
    const versions = this.#versions(change.resource)
    const version: Version = { revision, object: change.type === 'DELETED' ? undefined : object }
    const earlier = versions.get(key)
    if (earlier === undefined) versions.set(key, [version])
    else earlier.push(version)
    const committed: Revision = { ...change, revision, object }
    this.history.push(committed)
    for (const listener of this.#listeners) listener(committed)
    return object
  }

  #versions(type: ResourceType): Map<string, Version[]> {
    const versions = this.#objects.get(type) ?? new Map<string, Version[]>()
    this.#objects.set(type, versions)
    return versions
  }
}
