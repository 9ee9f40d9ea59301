import type { Api } from '../kube/api.ts'
import { Pods } from '../kube/objects.ts'
import type { Refusal } from '../kube/outcome.ts'
import type { Cache } from './cache.ts'
import { trimPod } from './trim.ts'

const PAGE = 500

/**
 * Quorum lists of a namespace's pods, shared: all groups of a namespace that wait for a list begun from now on get the
 * same one, so that a hundred groups applied at once cost two lists and not a hundred.
 */
export class PodLists {
  readonly #api: Api
  readonly #cache: Cache
  readonly #running = new Map<string, Promise<Refusal | undefined>>()
  readonly #next = new Map<string, Promise<Refusal | undefined>>()

  constructor(api: Api, cache: Cache) {
    this.#api = api
    this.#cache = cache
  }

  /** Resolves when a list that began after this call is in the cache, or with the refusal of one of its pages. */
  list(namespace: string, signal: AbortSignal): Promise<Refusal | undefined> {
    const waiting = this.#next.get(namespace)
    if (waiting) return waiting
    const before = this.#running.get(namespace)
    const begin = (): Promise<Refusal | undefined> => {
      this.#next.delete(namespace)
      const running = this.#list(namespace, signal).finally(() => this.#running.delete(namespace))
      this.#running.set(namespace, running)
      return running
    }
    if (!before) return begin()
    const next = before.then(begin, begin)
    this.#next.set(namespace, next)
    return next
  }

  async #list(namespace: string, signal: AbortSignal): Promise<Refusal | undefined> {
    const begunAt = this.#cache.tick()
    const pods = []
    let continueToken: string | undefined
    do {
      const page = await this.#api.list(Pods, {
        namespace,
        limit: PAGE,
        signal,
        ...(continueToken ? { continueToken } : {}),
      })
      if (page.kind !== 'ok') return page
      pods.push(...page.object.items.map(trimPod))
      continueToken = page.object.continueToken
    } while (continueToken)
    this.#cache.podsListed(namespace, pods, begunAt)
    return undefined
  }
}
