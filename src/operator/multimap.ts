/** A map from a key to a set of values; a key without values takes no room. */
export class Multimap {
  readonly #sets = new Map<string, Set<string>>()

  get(key: string): ReadonlySet<string> {
    return this.#sets.get(key) ?? NONE
  }

  keys(): IterableIterator<string> {
    return this.#sets.keys()
  }

  add(key: string, value: string): void {
    const values = this.#sets.get(key)
    if (values) values.add(value)
    else this.#sets.set(key, new Set([value]))
  }

  delete(key: string, value: string): void {
    const values = this.#sets.get(key)
    values?.delete(value)
    if (values?.size === 0) this.#sets.delete(key)
  }
}

const NONE: ReadonlySet<string> = new Set()
