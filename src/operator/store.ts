import { isNewer } from '../election/version.ts'
import type { KubeObject } from '../kube/objects.ts'
import type { Change } from '../kube/watch.ts'

/** An object as kept, and when this process saw it, in ticks (`group/observation.ts`). */
export interface Kept<T> {
  readonly object: T
  /** When this version first arrived. */
  readonly seenAt: number
  /** When the last quorum read, or write of ours, that returned this version began. */
  readonly readAt: number | undefined
}

/** The counter that orders what arrives and what is asked. */
export class Ticks {
  #last = 0
  next(): number {
    return ++this.#last
  }
}

/** Proofs of death are kept for so many objects; one that was forgotten costs one read. */
const REMEMBERED_DEATHS = 20_000

/** UIDs of objects that are proved gone. */
export class Deaths {
  readonly #uids = new Set<string>()
  readonly #listeners = new Map<string, () => void>()
  get uids(): ReadonlySet<string> {
    return this.#uids
  }
  /** Calls `listener` when this object is proved gone; of one object the last listener counts. The returned function ends that. */
  on(uid: string, listener: () => void): () => void {
    this.#listeners.set(uid, listener)
    return () => {
      if (this.#listeners.get(uid) === listener) this.#listeners.delete(uid)
    }
  }
  add(uid: string): void {
    this.#uids.add(uid)
    this.#listeners.get(uid)?.()
    for (const oldest of this.#uids) {
      if (this.#uids.size <= REMEMBERED_DEATHS) return
      this.#uids.delete(oldest)
    }
  }
}

/**
 * The objects of one resource. Watch events, replies to writes and quorum reads all come in here, and knowledge only
 * grows: an older version never replaces a newer one, and what is proved gone does not come back by a late reply.
 */
export class Store<T extends KubeObject> {
  readonly #byNamespace = new Map<string, Map<string, Kept<T>>>()
  /** Version of the last list, by the namespace that was listed; undefined: all. */
  readonly #listed = new Map<string | undefined, string>()
  readonly #ticks: Ticks
  readonly #deaths: Deaths
  readonly #changed: (after: T | undefined, before: T | undefined) => void
  readonly #compact: (object: T) => T

  /**
   * `changed` is called after each change of an object that is kept, was kept, or is proved gone. `compact` returns an
   * equal object that takes less room.
   */
  constructor(
    ticks: Ticks,
    deaths: Deaths,
    changed: (after: T | undefined, before: T | undefined) => void,
    compact: (object: T) => T = (object) => object,
  ) {
    this.#ticks = ticks
    this.#deaths = deaths
    this.#changed = changed
    this.#compact = compact
  }

  get(namespace: string, name: string): Kept<T> | undefined {
    return this.#byNamespace.get(namespace)?.get(name)
  }

  *all(namespace?: string): IterableIterator<T> {
    for (const [name, objects] of this.#byNamespace) {
      if (namespace !== undefined && name !== namespace) continue
      for (const { object } of objects.values()) yield object
    }
  }

  /** A change seen by a watch of `namespace`, or of all. */
  change(change: Change<T>, namespace?: string): void {
    switch (change.kind) {
      case 'apply':
        return this.apply(change.object)
      case 'delete':
        return this.gone(change.object)
      case 'reset': {
        this.#listed.set(namespace, change.resourceVersion)
        const uids = new Set(change.objects.map(({ metadata }) => metadata.uid))
        for (const object of this.all(namespace)) {
          const { uid, resourceVersion } = object.metadata
          // What a list lacks is no longer known, yet not proved gone. A reply of ours may be newer than the list.
          if (!uids.has(uid) && !isNewer(resourceVersion, change.resourceVersion)) this.#drop(object)
        }
        return change.objects.forEach((object) => this.apply(object))
      }
    }
  }

  /** `begunAt`: the tick at which the read or write that returned this object began; absent for a watch event. */
  apply(object: T, begunAt?: number): void {
    const { name, namespace = '', uid, resourceVersion } = object.metadata
    if (this.#deaths.uids.has(uid)) return
    const kept = this.get(namespace, name)
    if (kept && isNewer(kept.object.metadata.resourceVersion, resourceVersion)) return
    if (!kept && begunAt !== undefined && this.#listLacked(namespace, resourceVersion)) return
    const known = kept?.object.metadata.resourceVersion === resourceVersion ? kept : undefined
    const readAt = latest(known?.readAt, begunAt)
    if (known && readAt === known.readAt) return
    const after = known?.object ?? this.#compact(object)
    this.#put(namespace, name, { object: after, seenAt: known?.seenAt ?? this.#ticks.next(), readAt })
    this.#changed(after, kept?.object)
  }

  /** The object with this UID does not exist any more; another of its name may. */
  gone(object: T): void {
    const { name, namespace = '', uid } = object.metadata
    this.#deaths.add(uid)
    if (!this.#drop(object)) this.#changed(this.get(namespace, name)?.object, object)
  }

  /** A quorum read or write that began at `begunAt` found no object of this name. */
  absent(namespace: string, name: string, begunAt: number): void {
    const kept = this.get(namespace, name)
    if (kept && kept.seenAt < begunAt) this.gone(kept.object)
  }

  /**
   * The last list was made after this version and did not show it: the reply is later than the deletion, of which no
   * event will come, because the watch goes on from the list.
   */
  #listLacked(namespace: string, resourceVersion: string): boolean {
    const listed = this.#listed.get(namespace) ?? this.#listed.get(undefined)
    return listed !== undefined && !isNewer(resourceVersion, listed)
  }

  #put(namespace: string, name: string, kept: Kept<T>): void {
    const objects = this.#byNamespace.get(namespace)
    if (objects) objects.set(name, kept)
    else this.#byNamespace.set(namespace, new Map([[name, kept]]))
  }

  #drop(object: T): boolean {
    const { name, namespace = '', uid } = object.metadata
    const objects = this.#byNamespace.get(namespace)
    const kept = objects?.get(name)
    if (kept?.object.metadata.uid !== uid) return false
    objects?.delete(name)
    if (objects?.size === 0) this.#byNamespace.delete(namespace)
    this.#changed(undefined, kept.object)
    return true
  }
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b)
}
