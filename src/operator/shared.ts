/** So many different values are looked for again; when there are more, it begins anew, and some are kept twice. */
const MOST = 4096
/** Longer strings hardly ever occur twice. */
const LONGEST = 64

/**
 * Equal values once: ten thousand groups have a few names of nodes and namespaces, times in whole seconds, messages that
 * all share, and pods of which three at a time bear the same labels. Parsing makes each anew.
 *
 * What it returns may be part of other objects too, so nothing of it may ever be changed.
 */
export class Shared {
  readonly #values = new Map<unknown, unknown>()

  /** The object with each string in it, and each part that is named in `parts`, replaced by an equal one seen before. */
  object<T extends object>(object: T, parts: readonly string[] = []): T {
    const entries = object as Record<string, unknown>
    for (const key of Object.keys(entries)) {
      const value = entries[key]
      if (typeof value === 'string') entries[key] = this.#known(value, value)
      else if (typeof value === 'object' && value !== null) {
        entries[key] = parts.includes(key) ? this.#known(JSON.stringify(value), value) : this.object(value, parts)
      }
    }
    return object
  }

  #known(key: string, value: unknown): unknown {
    if (typeof value === 'string' && value.length > LONGEST) return value
    // A part's key begins with a bracket, and so does no string that is worth sharing.
    const known = this.#values.get(key)
    if (known !== undefined && typeof known === typeof value) return known
    if (this.#values.size >= MOST) this.#values.clear()
    this.#values.set(key, value)
    return value
  }
}
