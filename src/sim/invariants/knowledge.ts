import type { Fact, Shown } from './facts.ts'
import type { Invariant } from './rule.ts'

/** What one process was shown of one object. */
export interface Known {
  readonly uid: string
  /** The highest. */
  readonly version: number
  /** When it was first shown that one. */
  readonly at: number
  /** What it knew until then. */
  readonly versionBefore: number
}

const UNKNOWN = 0

/**
 * What each process was shown, the highest version of each object: by the answers to its requests, by lists and watches. A
 * process that ends forgets all.
 */
export class Knowledge implements Invariant {
  readonly #known = new Map<string, Map<string, Known>>()

  hear(fact: Fact): void {
    if (fact.kind === 'shown') this.#show(fact)
    else if (fact.kind === 'process') this.#known.delete(fact.process)
  }

  /** @param key `<resource> <namespace>/<name>` */
  find(process: string, key: string): Known | undefined {
    return this.#known.get(process)?.get(key)
  }

  /** 0: nothing. */
  version(process: string, key: string): number {
    return this.find(process, key)?.version ?? UNKNOWN
  }

  /**
   * What it knew before this instant: what it does now it may have decided before it took in what comes at the same time.
   */
  versionBefore(process: string, key: string, at: number): number {
    const known = this.find(process, key)
    if (!known) return UNKNOWN
    return known.at < at ? known.version : known.versionBefore
  }

  #show({ process, resource, namespace = '', name, uid, version, at }: Shown): void {
    let known = this.#known.get(process)
    if (!known) this.#known.set(process, (known = new Map()))
    const key = `${resource} ${namespace}/${name}`
    const last = known.get(key)
    if (last && last.version >= version) return
    const versionBefore = last === undefined ? UNKNOWN : last.at < at ? last.version : last.versionBefore
    known.set(key, { uid, version, at, versionBefore })
  }
}
