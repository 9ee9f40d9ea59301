/** Up to so many values are looked through one by one. */
const FEW = 8

/**
 * A map from a key to a set of values; a key without values takes no room, one with a single value no list, and few
 * values no set: with ten thousand groups the sets would take more than the objects' names.
 */
export class Multimap {
  readonly #values = new Map<string, string | string[] | Set<string>>()

  get(key: string): Iterable<string> {
    const values = this.#values.get(key)
    if (values === undefined) return NONE
    return typeof values === 'string' ? [values] : values
  }

  keys(): IterableIterator<string> {
    return this.#values.keys()
  }

  add(key: string, value: string): void {
    const values = this.#values.get(key)
    if (values === undefined) this.#values.set(key, value)
    else if (values instanceof Set) values.add(value)
    else if (typeof values === 'string') {
      if (values !== value) this.#values.set(key, [values, value])
    } else if (!values.includes(value)) {
      this.#values.set(key, values.length < FEW ? [...values, value] : new Set([...values, value]))
    }
  }

  delete(key: string, value: string): void {
    const values = this.#values.get(key)
    if (values === undefined) return
    if (values instanceof Set) {
      values.delete(value)
      if (values.size === 0) this.#values.delete(key)
    } else if (typeof values === 'string') {
      if (values === value) this.#values.delete(key)
    } else {
      const left = values.filter((each) => each !== value)
      this.#values.set(key, left.length === 1 ? left[0]! : left)
    }
  }
}

const NONE: Iterable<string> = []
