import type { Clock } from '../clock.ts'
import type { GroupAction } from '../group/decision.ts'
import type { Api } from '../kube/api.ts'
import { ApiError } from '../kube/outcome.ts'
import type { Acted } from '../loop.ts'
import { advanceGate, createGate, deleteGate, readGate } from './act-gate.ts'
import { readLease, releaseLease } from './act-lease.ts'
import { patchPod, readPod } from './act-pod.ts'
import { actOnRouting } from './act-routing.ts'
import { readGroup, writeStatus } from './act-status.ts'
import { DONE, failed, refused, STALE, type Errand } from './acted.ts'
import { splitKey, type Cache } from './cache.ts'
import { PodLists } from './pod-lists.ts'
import { PodTurns } from './pod-turns.ts'

/** So many requests of one decision are under way at a time: enrolling a thousand pods must not starve a failover. */
const WIDTH = 8

/**
 * Carries out what `decide` asked for. Each write carries the versions that it was decided on; what the server answers,
 * a refusal's fresh read included, goes into the cache, and the next decision is made on that.
 */
export class Actor {
  readonly #api: Api
  readonly #cache: Cache
  readonly #clock: Clock
  readonly #podLists: PodLists
  readonly #podTurns: PodTurns

  constructor(api: Api, cache: Cache, clock: Clock) {
    this.#api = api
    this.#cache = cache
    this.#clock = clock
    this.#podLists = new PodLists(api, cache)
    this.#podTurns = new PodTurns(clock)
  }

  /**
   * `signal` aborts when this process may not act any more: nothing more is sent then. With urgent actions, the first
   * `urgent` ones, how it went is how they went. `took` is called for each write that took effect.
   */
  async act(
    key: string,
    actions: readonly GroupAction[],
    urgent: number,
    signal: AbortSignal,
    took: (action: GroupAction) => void = () => undefined,
  ): Promise<Acted> {
    const [namespace, name] = splitKey(key)
    const [api, cache, clock, podTurns] = [this.#api, this.#cache, this.#clock, this.#podTurns]
    const errand = { api, cache, clock, podTurns, namespace, name, signal }
    const results: Acted[] = []
    let next = 0
    let unreachable = false
    const work = async (): Promise<void> => {
      while (next < actions.length && !signal.aborted && !unreachable) {
        const index = next++
        const action = actions[index]!
        const result = await this.#carryOut({ ...errand, took: () => took(action) }, action).catch(failed)
        unreachable ||= result.kind === 'failed' && isUnreachable(result.error)
        results[index] = result
      }
    }
    await Promise.all(Array.from({ length: Math.min(WIDTH, actions.length) }, work))
    if (signal.aborted) return failed(signal.reason)
    return worst(results.slice(0, urgent > 0 ? urgent : undefined))
  }

  #carryOut(errand: Errand, action: GroupAction): Promise<Acted> {
    switch (action.kind) {
      case 'createGate':
        return createGate(errand)
      case 'deleteGate':
        return deleteGate(errand, action)
      case 'readGate':
        return readGate(errand)
      case 'readLease':
        return readLease(errand)
      case 'releaseLease':
        return releaseLease(errand, action)
      case 'advanceGate':
        return advanceGate(errand, action)
      case 'readPod':
        return readPod(errand, action)
      case 'patchPod':
        return patchPod(errand, action)
      case 'listPods':
        return this.#listPods(errand)
      case 'readGroup':
        return readGroup(errand)
      case 'writeStatus':
        return writeStatus(errand, action)
      case 'createService':
      case 'patchService':
      case 'deleteService':
      case 'createSlice':
      case 'replaceSlice':
      case 'deleteSlice':
        return actOnRouting(errand, action)
    }
  }

  async #listPods({ namespace, signal }: Errand): Promise<Acted> {
    const refusal = await this.#podLists.list(namespace, signal)
    if (!refusal) return DONE
    // Its version was compacted between two pages: begin anew.
    return refusal.kind === 'expired' ? STALE : refused(refusal)
  }
}

/** No server, or one that wants to be left alone: no use in asking it for the rest of a thousand things. */
function isUnreachable(error: unknown): boolean {
  return error instanceof ApiError && error.status === undefined
}

function worst(results: readonly Acted[]): Acted {
  const failures = results.filter((result) => result?.kind === 'failed')
  if (failures.length > 0) {
    return failures.reduce((a, b) => ((b.retryAfterMillis ?? 0) > (a.retryAfterMillis ?? 0) ? b : a))
  }
  return results.find((result) => result?.kind === 'stale') ?? DONE
}
