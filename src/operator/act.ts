import type { Clock } from '../clock.ts'
import type { AdvanceGate, GroupAction, PatchPod } from '../group/decision.ts'
import { formatIdentity, formatMark, transitionsOf } from '../group/gate.ts'
import { GATE_ANNOTATION, MODE_ANNOTATION } from '../group/keys.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import { leaseNameOf } from '../group/status.ts'
import type { Api } from '../kube/api.ts'
import { Leases, Pods, type Lease, type Pod } from '../kube/objects.ts'
import { ApiError, type Refusal } from '../kube/outcome.ts'
import type { Acted } from '../loop.ts'
import { splitKey, type Cache } from './cache.ts'
import { PodLists } from './pod-lists.ts'
import { LeaderGroups } from './resources.ts'
import { trimGroup, trimLease, trimPod } from './trim.ts'

/** A term of mode Assign ends by the operator's decision, not by time, and the Lease says so. */
const ENDLESS_SECONDS = 2 ** 31 - 1

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

  constructor(api: Api, cache: Cache, clock: Clock) {
    this.#api = api
    this.#cache = cache
    this.#clock = clock
    this.#podLists = new PodLists(api, cache)
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
    const results: Acted[] = []
    let next = 0
    let unreachable = false
    const work = async (): Promise<void> => {
      while (next < actions.length && !signal.aborted && !unreachable) {
        const index = next++
        const action = actions[index]!
        const result = await this.#carryOut(key, action, signal, () => took(action)).catch(failed)
        unreachable ||= result.kind === 'failed' && isUnreachable(result.error)
        results[index] = result
      }
    }
    await Promise.all(Array.from({ length: Math.min(WIDTH, actions.length) }, work))
    if (signal.aborted) return failed(signal.reason)
    return worst(results.slice(0, urgent > 0 ? urgent : undefined))
  }

  #carryOut(key: string, action: GroupAction, signal: AbortSignal, took: () => void): Promise<Acted> {
    const [namespace, name] = splitKey(key)
    switch (action.kind) {
      case 'createGate':
        return this.#createGate(namespace, name, signal, took)
      case 'deleteGate':
        return this.#deleteGate(namespace, name, action, signal, took)
      case 'readGate':
        return this.#readGate(namespace, name, signal)
      case 'advanceGate':
        return this.#advanceGate(key, action, signal, took)
      case 'readPod':
        return this.#readPod(namespace, action, signal)
      case 'patchPod':
        return this.#patchPod(namespace, action, signal, took)
      case 'listPods':
        return this.#listPods(namespace, signal)
      case 'readGroup':
        return this.#readGroup(namespace, name, signal)
      case 'writeStatus':
        return this.#writeStatus(key, action, signal, took)
    }
  }

  async #createGate(namespace: string, name: string, signal: AbortSignal, took: () => void): Promise<Acted> {
    const group = this.#cache.groups.get(namespace, name)?.object
    if (!group) return STALE
    const begunAt = this.#cache.tick()
    const outcome = await this.#api.create(Leases, namespace, emptyGate(group), { signal })
    if (outcome.kind === 'exists') return this.#readGate(namespace, name, signal)
    if (outcome.kind !== 'ok') return refused(outcome)
    took()
    this.#cache.leases.apply(trimLease(outcome.object), begunAt)
    return DONE
  }

  async #deleteGate(
    namespace: string,
    name: string,
    { uid, resourceVersion }: { uid: string; resourceVersion: string },
    signal: AbortSignal,
    took: () => void,
  ): Promise<Acted> {
    const lease = this.#gateOf(namespace, name)
    if (lease?.metadata.uid !== uid) return STALE
    const key = { namespace, name: lease.metadata.name }
    const outcome = await this.#api.delete(Leases, key, { preconditions: { uid, resourceVersion }, signal })
    if (outcome.kind === 'conflict') return this.#reread(() => this.#readGate(namespace, name, signal))
    if (outcome.kind !== 'ok' && outcome.kind !== 'notFound') return refused(outcome)
    took()
    // A finalizer may keep it: that it is gone, only a read tells.
    const read = await this.#readGate(namespace, name, signal)
    if (read.kind !== 'done' || this.#gateOf(namespace, name)?.metadata.uid !== uid) return read
    const message = `Lease ${namespace}/${key.name} is deleted, but its finalizers keep it: remove them`
    return { kind: 'failed', error: new Error(message) }
  }

  async #readGate(namespace: string, name: string, signal: AbortSignal): Promise<Acted> {
    const group = this.#cache.groups.get(namespace, name)?.object
    if (!group) return STALE
    const lease = leaseNameOf(group)
    const begunAt = this.#cache.tick()
    const outcome = await this.#api.get(Leases, { namespace, name: lease }, { signal })
    if (outcome.kind === 'notFound') this.#cache.leases.absent(namespace, lease, begunAt)
    else if (outcome.kind === 'ok') this.#cache.leases.apply(trimLease(outcome.object), begunAt)
    else return refused(outcome)
    return DONE
  }

  async #advanceGate(key: string, action: AdvanceGate, signal: AbortSignal, took: () => void): Promise<Acted> {
    const [namespace, name] = splitKey(key)
    const lease = this.#gateOf(namespace, name)
    if (lease?.metadata.resourceVersion !== action.resourceVersion) return STALE
    const begunAt = this.#cache.tick()
    const target = { namespace, name: lease.metadata.name }
    const outcome = await this.#api.replace(Leases, target, advanced(lease, action), { signal })
    if (outcome.kind === 'conflict' || outcome.kind === 'notFound') {
      return this.#reread(() => this.#readGate(namespace, name, signal))
    }
    if (outcome.kind !== 'ok') return refused(outcome)
    took()
    if (action.takesBack) {
      const { takenBackAt } = this.#cache.observe(key).memory
      this.#cache.remember(key, { takenBackAt: [...takenBackAt.slice(-9), this.#clock.now()] })
    }
    this.#cache.leases.apply(trimLease(outcome.object), begunAt)
    return DONE
  }

  async #readPod(namespace: string, { name, uid }: { name: string; uid: string }, signal: AbortSignal): Promise<Acted> {
    const begunAt = this.#cache.tick()
    const outcome = await this.#api.get(Pods, { namespace, name }, { signal })
    if (outcome.kind !== 'ok' && outcome.kind !== 'notFound') return refused(outcome)
    if (outcome.kind === 'notFound' || outcome.object.metadata.uid !== uid) this.#cache.podGone(namespace, name, uid)
    if (outcome.kind === 'ok') this.#cache.pods.apply(trimPod(outcome.object), begunAt)
    return DONE
  }

  async #listPods(namespace: string, signal: AbortSignal): Promise<Acted> {
    const refusal = await this.#podLists.list(namespace, signal)
    if (!refusal) return DONE
    // Its version was compacted between two pages: begin anew.
    return refusal.kind === 'expired' ? STALE : refused(refusal)
  }

  async #patchPod(
    namespace: string,
    { pod, labels, annotations }: PatchPod,
    signal: AbortSignal,
    took: () => void,
  ): Promise<Acted> {
    const { name, uid, resourceVersion } = pod
    const seen = this.#cache.pods.get(namespace, name)?.object
    // A write to a pod on its way out by force ends it, and the API server (1.36) then deletes whatever has its name,
    // without looking at the UID: that may be its successor. So it is only watched until it is gone.
    if (seen?.metadata.uid === uid && isVanishing(seen))
      return this.#reread(() => this.#readPod(namespace, pod, signal))
    const begunAt = this.#cache.tick()
    const patch = { metadata: { uid, resourceVersion, labels, annotations } }
    const outcome = await this.#api.mergePatch(Pods, { namespace, name }, patch, { signal })
    if (outcome.kind === 'notFound') {
      this.#cache.podGone(namespace, name, uid)
      return DONE
    }
    if (outcome.kind === 'conflict') return this.#reread(() => this.#readPod(namespace, pod, signal))
    if (outcome.kind !== 'ok') return refused(outcome)
    took()
    this.#cache.pods.apply(trimPod(outcome.object), begunAt)
    return DONE
  }

  async #readGroup(namespace: string, name: string, signal: AbortSignal): Promise<Acted> {
    const begunAt = this.#cache.tick()
    const outcome = await this.#api.get(LeaderGroups, { namespace, name }, { signal })
    if (outcome.kind === 'notFound') this.#cache.groupAbsent(namespace, name, begunAt)
    else if (outcome.kind === 'ok') this.#cache.groups.apply(trimGroup(outcome.object), begunAt)
    else return refused(outcome)
    return DONE
  }

  async #writeStatus(
    key: string,
    { uid, resourceVersion, status }: Extract<GroupAction, { kind: 'writeStatus' }>,
    signal: AbortSignal,
    took: () => void,
  ): Promise<Acted> {
    const [namespace, name] = splitKey(key)
    const group = {
      apiVersion: `${LeaderGroups.group}/${LeaderGroups.version}`,
      kind: LeaderGroups.kind,
      metadata: { name, namespace, uid, resourceVersion },
      spec: this.#cache.groups.get(namespace, name)?.object.spec,
      status,
    }
    const begunAt = this.#cache.tick()
    const outcome = await this.#api.replace(LeaderGroups, { namespace, name }, group, { subresource: 'status', signal })
    if (outcome.kind === 'conflict' || outcome.kind === 'notFound') {
      return this.#reread(() => this.#readGroup(namespace, name, signal))
    }
    if (outcome.kind !== 'ok') return refused(outcome)
    took()
    this.#cache.remember(key, { statusWrittenAt: this.#clock.now() })
    this.#cache.groups.apply(trimGroup(outcome.object), begunAt)
    return DONE
  }

  #gateOf(namespace: string, name: string): Lease | undefined {
    const group = this.#cache.groups.get(namespace, name)?.object
    return group && this.#cache.leases.get(namespace, leaseNameOf(group))?.object
  }

  /** Somebody else was faster: never retry blindly, read and decide anew. */
  async #reread(read: () => Promise<Acted>): Promise<Acted> {
    const reading = await read()
    return reading.kind === 'done' ? STALE : reading
  }
}

/** No server, no use in asking it for the rest of a thousand things. */
function isUnreachable(error: unknown): boolean {
  return error instanceof ApiError && error.status === undefined
}

function failed(error: unknown): Extract<Acted, { kind: 'failed' }> {
  return { kind: 'failed', error }
}

function worst(results: readonly Acted[]): Acted {
  const failures = results.filter((result) => result?.kind === 'failed')
  if (failures.length > 0) {
    return failures.reduce((a, b) => ((b.retryAfterMillis ?? 0) > (a.retryAfterMillis ?? 0) ? b : a))
  }
  return results.find((result) => result?.kind === 'stale') ?? DONE
}

const DONE: Acted = { kind: 'done' }
const STALE: Acted = { kind: 'stale' }

/** Force-deleted, with nobody to wait for: only the second of the two writes of its deletion is missing. */
function isVanishing({ metadata }: Pod): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = metadata
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0
}

function refused(refusal: Refusal): Acted {
  const error = new ApiError(refusal.message, { reason: refusal.kind })
  return refusal.kind === 'throttled'
    ? { kind: 'failed', error, retryAfterMillis: refusal.retryAfterMillis }
    : { kind: 'failed', error }
}

/** A gate is born empty: it names nobody until every pod has been stamped under it. */
function emptyGate(group: LeaderGroup): object {
  const { name, uid } = group.metadata
  return {
    apiVersion: `${Leases.group}/${Leases.version}`,
    kind: Leases.kind,
    metadata: {
      name: leaseNameOf(group),
      labels: { 'app.kubernetes.io/managed-by': 'leadergroup' },
      annotations: {
        [MODE_ANNOTATION]: 'Assign',
        [GATE_ANNOTATION]: formatMark({ holder: undefined, gateUID: undefined, term: 0 }),
      },
      ownerReferences: [
        { apiVersion: `${LeaderGroups.group}/${LeaderGroups.version}`, kind: LeaderGroups.kind, name, uid },
      ],
    },
    spec: { holderIdentity: '', leaseDurationSeconds: ENDLESS_SECONDS, leaseTransitions: 0 },
  }
}

/** The Lease as read, UID and version included (a PUT to a deleted Lease would else create it), with the next holder. */
function advanced(lease: Lease, { holder, term, acquireTime }: AdvanceGate): Lease {
  const mark = formatMark({ holder, gateUID: lease.metadata.uid, term })
  const annotations = { ...lease.metadata.annotations, [GATE_ANNOTATION]: mark }
  return {
    ...lease,
    metadata: { ...lease.metadata, annotations },
    spec: {
      ...lease.spec,
      holderIdentity: formatIdentity(holder),
      leaseDurationSeconds: ENDLESS_SECONDS,
      leaseTransitions: transitionsOf(term),
      acquireTime,
      renewTime: acquireTime,
    },
  }
}
