import type { Clock } from '../../clock.ts'
import type { Feed, Revision } from '../store.ts'
import type { ResourceType } from '../resource-types.ts'
import type { StoredObject } from '../stored-object.ts'

/**
 * What one API server has got of the store: a position that follows, late. Watches and lists of version 0 show it; other
 * reads are the store's. Frozen, it stays where it is, and whoever comes to it from another server meets the past.
 */
export class WatchCache implements Feed {
  readonly #store: Feed
  readonly #clock: Clock
  /** How late it is with the next revision. */
  readonly #lagMillis: () => number
  readonly #listeners: ((revision: Revision) => void)[] = []
  readonly #waiting: { readonly revision: Revision; readonly at: number }[] = []
  #isFrozen = false
  #cancel: (() => void) | undefined
  revision: number

  constructor(store: Feed, clock: Clock, lagMillis: () => number) {
    this.#store = store
    this.#clock = clock
    this.#lagMillis = lagMillis
    this.revision = store.revision
    store.onCommit((revision) => this.#commit(revision))
  }

  get compacted(): number {
    return this.#store.compacted
  }

  onCommit(listener: (revision: Revision) => void): void {
    this.#listeners.push(listener)
  }

  since(revision: number): readonly Revision[] {
    const all = this.#store.since(revision)
    return this.#waiting.length === 0 ? all : all.filter((each) => each.revision <= this.revision)
  }

  list(type: ResourceType, at = this.revision): StoredObject[] {
    return this.#store.list(type, at)
  }

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  freeze(): void {
    this.#isFrozen = true
  }

  thaw(): void {
    this.#isFrozen = false
    this.#advance()
  }

  #commit(revision: Revision): void {
    const at = Math.max(this.#clock.now() + this.#lagMillis(), this.#waiting.at(-1)?.at ?? 0)
    this.#waiting.push({ revision, at })
    this.#arm()
  }

  #arm(): void {
    const [next] = this.#waiting
    if (this.#isFrozen || this.#cancel || !next) return
    this.#cancel = this.#clock.timer(next.at, () => {
      this.#cancel = undefined
      this.#advance()
    })
  }

  #advance(): void {
    const now = this.#clock.now()
    while (!this.#isFrozen && (this.#waiting[0]?.at ?? Infinity) <= now) {
      const { revision } = this.#waiting.shift()!
      this.revision = revision.revision
      for (const listener of this.#listeners) listener(revision)
    }
    this.#arm()
  }
}
