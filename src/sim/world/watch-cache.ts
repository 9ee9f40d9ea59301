import type { Clock } from '../../clock.ts'
import type { Feed, Revision } from '../store.ts'
import type { ResourceType } from '../resource-types.ts'
import type { StoredObject } from '../stored-object.ts'

/**
 * What one API server has got of one type: a position that follows the store, late. Watches and lists of version 0 show it;
 * other reads are the store's. Frozen, it stays where it is, and whoever comes to it from another server meets the past.
 * Each type has its own, so events of two types come in any order.
 */
export class WatchCache implements Feed {
  readonly #store: Feed
  readonly #type: ResourceType
  readonly #clock: Clock
  /** How late it is with the next revision. */
  readonly #lagMillis: () => number
  readonly #listeners: ((revision: Revision) => void)[] = []
  readonly #waiting: { readonly revision: Revision; readonly at: number }[] = []
  /** Where it was frozen. */
  #frozenAt: number | undefined
  #cancel: (() => void) | undefined

  constructor(store: Feed, type: ResourceType, clock: Clock, lagMillis: () => number) {
    this.#store = store
    this.#type = type
    this.#clock = clock
    this.#lagMillis = lagMillis
    store.onCommit((revision) => {
      if (revision.resource === type) this.#commit(revision)
    })
  }

  /** Of the whole store: nothing of its type before that is still to come. The server is told so of a type that rests. */
  get revision(): number {
    if (this.#frozenAt !== undefined) return this.#frozenAt
    const [next] = this.#waiting
    return next ? next.revision.revision - 1 : this.#store.revision
  }

  get compacted(): number {
    return this.#store.compacted
  }

  onCommit(listener: (revision: Revision) => void): void {
    this.#listeners.push(listener)
  }

  since(revision: number): readonly Revision[] {
    const last = this.revision
    return this.#store.since(revision).filter((each) => each.resource === this.#type && each.revision <= last)
  }

  list(type: ResourceType, at = this.revision): StoredObject[] {
    return this.#store.list(type, at)
  }

  freeze(): void {
    this.#frozenAt ??= this.revision
  }

  thaw(): void {
    this.#frozenAt = undefined
    this.#advance()
  }

  #commit(revision: Revision): void {
    const at = Math.max(this.#clock.now() + this.#lagMillis(), this.#waiting.at(-1)?.at ?? 0)
    this.#waiting.push({ revision, at })
    this.#arm()
  }

  #arm(): void {
    const [next] = this.#waiting
    if (this.#frozenAt !== undefined || this.#cancel || !next) return
    this.#cancel = this.#clock.timer(next.at, () => {
      this.#cancel = undefined
      this.#advance()
    })
  }

  #advance(): void {
    const now = this.#clock.now()
    while (this.#frozenAt === undefined && (this.#waiting[0]?.at ?? Infinity) <= now) {
      const { revision } = this.#waiting.shift()!
      for (const listener of this.#listeners) listener(revision)
    }
    this.#arm()
  }
}
