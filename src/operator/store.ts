import { isNewer } from '../election/version.ts'
import type { KubeObject } from '../kube/objects.ts'
import type { Change } from '../kube/watch.ts'

/** An object as kept, and when this process saw it, in ticks (`group/observation.ts`). */
export interface Kept<T, S = undefined> {
  readonly object: T
  /** When this version first arrived. */
  readonly seenAt: number
  /** When the last quorum read, or write of ours, that returned this version began. */
  readonly readAt: number | undefined
  /** When the version arrived of which writes of ours alone have made this one; absent: it is that one. */
  readonly untouchedSince?: number
  /** What this process saw of its past, see `sight.ts`. */
  readonly sight: S
}

/** What was known before a version arrived: `absent`, a complete list did not contain it; undefined, nothing. */
export type Before<T, S> = Kept<T, S> | 'absent' | undefined

/** The sight of an object once this version has arrived, too. `readMillis`: when the quorum read that brought it began. */
export type See<T, S> = (
  object: T,
  before: Before<T, S>,
  at: { readonly tick: number; readonly millis: number; readonly readMillis: number | undefined },
) => S

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

export interface StoreOptions<T, S> {
  readonly ticks: Ticks
  readonly deaths: Deaths
  readonly see: See<T, S>
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Called after each change of an object that is kept, was kept, or is proved gone. */
  readonly changed: (after: T | undefined, before: T | undefined) => void
  /** Called with the last state of each object that was kept and is proved gone, before `changed`. */
  readonly died?: (last: Kept<T, S>) => void
  /** Returns an equal object that takes less room. */
  readonly compact?: (object: T) => T
}

/**
 * The objects of one resource. Watch events, replies to writes and quorum reads all come in here, and knowledge only
 * grows: an older version never replaces a newer one, and what is proved gone does not come back by a late reply.
 */
export class Store<T extends KubeObject, S = undefined> {
  readonly #byNamespace = new Map<string, Map<string, Kept<T, S>>>()
  /** Version of the last list, by the namespace that was listed; undefined: all. */
  readonly #listed = new Map<string | undefined, string>()
  readonly #ticks: Ticks
  readonly #deaths: Deaths
  readonly #see: See<T, S>
  readonly #now: () => number
  readonly #changed: (after: T | undefined, before: T | undefined) => void
  readonly #died: (last: Kept<T, S>) => void
  readonly #compact: (object: T) => T

  constructor(options: StoreOptions<T, S>) {
    const { ticks, deaths, see, now, changed, died = () => undefined, compact = (object) => object } = options
    this.#ticks = ticks
    this.#deaths = deaths
    this.#see = see
    this.#now = now
    this.#changed = changed
    this.#died = died
    this.#compact = compact
  }

  get(namespace: string, name: string): Kept<T, S> | undefined {
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
        // What the event shows is the last state, which no event before it may have shown.
        this.apply(change.object)
        return this.gone(change.object)
      case 'reset': {
        const wasListed = this.#listed.has(namespace)
        this.#listed.set(namespace, change.resourceVersion)
        const uids = new Set(change.objects.map(({ metadata }) => metadata.uid))
        for (const object of this.all(namespace)) {
          const { uid, resourceVersion } = object.metadata
          // What a list lacks is no longer known, yet not proved gone. A reply of ours may be newer than the list.
          if (!uids.has(uid) && !isNewer(resourceVersion, change.resourceVersion)) this.#drop(object)
        }
        return change.objects.forEach((object) => this.#apply(object, wasListed))
      }
    }
  }

  /**
   * @param begunAt the tick at which the read or write that returned this object began; absent for a watch event
   * @param begunMillis the same in monotonic milliseconds, of a quorum read
   */
  apply(object: T, begunAt?: number, begunMillis?: number): void {
    this.#apply(object, this.#isListed(object), begunAt, begunMillis)
  }

  /** What a write of ours made of `base`, whose version it named: nobody else has touched it in between. */
  replaced(base: Kept<T, S>, object: T, begunAt: number): void {
    this.#apply(object, this.#isListed(object), begunAt, undefined, base.untouchedSince ?? base.seenAt)
  }

  #isListed({ metadata: { namespace = '' } }: T): boolean {
    return this.#listed.has(namespace) || this.#listed.has(undefined)
  }

  #apply(object: T, wasListed: boolean, begunAt?: number, readMillis?: number, untouchedSince = Infinity): void {
    const { name, namespace = '', uid, resourceVersion } = object.metadata
    if (this.#deaths.uids.has(uid)) return
    const kept = this.get(namespace, name)
    if (kept && isNewer(kept.object.metadata.resourceVersion, resourceVersion)) return
    if (!kept && begunAt !== undefined && this.#listLacked(namespace, resourceVersion)) return
    const known = kept?.object.metadata.resourceVersion === resourceVersion ? kept : undefined
    const readAt = latest(known?.readAt, begunAt)
    if (known && readAt === known.readAt) return
    const after = known?.object ?? this.#compact(object)
    const seenAt = known?.seenAt ?? this.#ticks.next()
    const at = { tick: seenAt, millis: this.#now(), readMillis }
    const sight = this.#see(after, kept ?? (wasListed ? 'absent' : undefined), at)
    const since = Math.min(known?.untouchedSince ?? seenAt, untouchedSince)
    const own = since < seenAt ? { untouchedSince: since } : {}
    this.#put(namespace, name, { object: after, seenAt, readAt, ...own, sight })
    this.#changed(after, kept?.object)
  }

  /** The object with this UID does not exist any more; another of its name may. */
  gone(object: T): void {
    const { name, namespace = '', uid } = object.metadata
    this.#deaths.add(uid)
    const last = this.get(namespace, name)
    if (last?.object.metadata.uid === uid) this.#died(last)
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

  #put(namespace: string, name: string, kept: Kept<T, S>): void {
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
