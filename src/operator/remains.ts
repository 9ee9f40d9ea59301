import type { Clock } from '../clock.ts'
import { microTime } from '../election/micro-time.ts'
import { decide } from '../group/decide.ts'
import type { GroupAction } from '../group/decision.ts'
import { MODE_ANNOTATION } from '../group/keys.ts'
import type { Api } from '../kube/api.ts'
import { Leases, Pods, type Lease, type OwnerReference } from '../kube/objects.ts'
import { ApiError } from '../kube/outcome.ts'
import { Actor } from './act.ts'
import { Cache, keyOf, splitKey } from './cache.ts'
import { listAll } from './list-all.ts'
import { LeaderGroups } from './resources.ts'
import { trimGroup, trimLease, trimPod } from './trim.ts'
import { leaseNameOf } from '../group/spec.ts'

/** Something that an operator made and that no group owns any more. More kinds may come. */
export type Remnant = KeysOnPods | LeftLease

/** Label and annotations of a group that does not exist. */
export interface KeysOnPods {
  readonly kind: 'keys'
  readonly namespace: string
  readonly group: string
  readonly pods: readonly string[]
}

/** A Lease of mode Assign whose owner does not exist. */
export interface LeftLease {
  readonly kind: 'lease'
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** Of the LeaderGroup that owned it; undefined when no owner is on it any more. */
  readonly owner: { readonly name: string; readonly uid: string } | undefined
}

/** Each conflict is somebody else's write, and the next round begins with what they wrote. */
const ROUNDS = 10

/**
 * What is left of groups that are gone, and its removal. Pods are cleaned by the operator's own hands: the same decision
 * about a group that does not exist, and the same writes with UID and version. Nothing of a group that exists is touched:
 * each is asked for, by a quorum read, before anything under its name is taken off.
 */
export class Remains {
  readonly #api: Api
  readonly #clock: Clock
  readonly #cache: Cache
  readonly #actor: Actor

  constructor(api: Api, clock: Clock) {
    this.#api = api
    this.#clock = clock
    this.#cache = new Cache(clock, () => undefined)
    this.#actor = new Actor(api, this.#cache, clock)
  }

  /**
   * In one namespace or, without, in all. A cluster that knows no LeaderGroups has no living ones.
   *
   * @throws ApiError when something may not be listed
   */
  async find(namespace: string | undefined, signal: AbortSignal): Promise<readonly Remnant[]> {
    for (const pod of (await listAll(this.#api, Pods, namespace, signal, trimPod)) ?? []) this.#cache.pods.apply(pod)
    const leases = (await listAll(this.#api, Leases, namespace, signal, trimLease)) ?? []
    // The groups last: then one that is not among them did not exist after its pods were listed, unless it is new.
    for (const group of (await listAll(this.#api, LeaderGroups, namespace, signal, trimGroup)) ?? []) {
      this.#cache.groups.apply(group)
    }
    return [...this.#keysOnPods(), ...leases.flatMap((lease) => this.#leftLease(lease) ?? [])].toSorted(byPlace)
  }

  /**
   * Removes one; resolves to what was done, one line for each thing, or to why nothing was.
   *
   * @throws ApiError when a request fails or is refused
   */
  remove(remnant: Remnant, signal: AbortSignal): Promise<readonly string[]> {
    switch (remnant.kind) {
      case 'keys':
        return this.#takeKeysOff(remnant, signal)
      case 'lease':
        return this.#deleteLease(remnant, signal)
    }
  }

  #keysOnPods(): readonly KeysOnPods[] {
    return [...this.#cache.keys()].flatMap((key) => {
      const [namespace, group] = splitKey(key)
      if (this.#cache.groups.get(namespace, group)) return []
      const pods = this.#cache.observe(key).pods.map(({ name }) => name)
      return [{ kind: 'keys' as const, namespace, group, pods: pods.toSorted() }]
    })
  }

  #leftLease({ metadata }: Lease): LeftLease | undefined {
    const { namespace = '', name, uid, resourceVersion, annotations, ownerReferences = [] } = metadata
    if (annotations?.[MODE_ANNOTATION] !== 'Assign' || metadata.deletionTimestamp !== undefined) return undefined
    const owner = ownerReferences.find(isLeaderGroup)
    if (owner ? this.#lives(namespace, owner) : ownerReferences.length > 0 || this.#isUsed(namespace, name)) {
      return undefined
    }
    return { kind: 'lease', namespace, name, uid, resourceVersion, owner }
  }

  #lives(namespace: string, { name, uid }: { readonly name: string; readonly uid: string }): boolean {
    return this.#cache.groups.get(namespace, name)?.object.metadata.uid === uid
  }

  /** Without an owner it cannot be asked whether that lives: one that a group would use is left to people. */
  #isUsed(namespace: string, name: string): boolean {
    return [...this.#cache.groups.all(namespace)].some((group) => leaseNameOf(group) === name)
  }

  async #takeKeysOff({ namespace, group }: KeysOnPods, signal: AbortSignal): Promise<readonly string[]> {
    const key = keyOf(namespace, group)
    const done: string[] = []
    const took = (action: GroupAction): void => {
      if (action.kind === 'patchPod') done.push(`pod ${namespace}/${action.pod.name}: keys of group ${group} taken off`)
    }
    // Since the group was found to be missing, somebody may have thought for minutes: the decision first asks for a read.
    for (let round = 0; round < ROUNDS; round++) {
      if (this.#cache.groups.get(namespace, group)) return [...done, `group ${key} exists again: left to its operator`]
      const { actions } = decide(this.#cache.observe(key), this.#now())
      if (actions.length === 0) return done.toSorted()
      await this.#act(key, actions, signal, took)
    }
    return [...done, `pods of group ${key} keep changing, or are being deleted: run this again`]
  }

  async #act(
    key: string,
    actions: readonly GroupAction[],
    signal: AbortSignal,
    took: (action: GroupAction) => void,
  ): Promise<void> {
    const acted = await this.#actor.act(key, actions, 0, signal, took)
    if (acted.kind === 'failed') throw acted.error
  }

  async #deleteLease(lease: LeftLease, signal: AbortSignal): Promise<readonly string[]> {
    const { namespace, name, uid, resourceVersion, owner } = lease
    const what = `Lease ${namespace}/${name}`
    if (owner) {
      const group = await this.#api.get(LeaderGroups, { namespace, name: owner.name }, { signal })
      if (group.kind === 'ok' && group.object.metadata.uid === owner.uid) return [`${what}: its group exists; left`]
      if (group.kind !== 'ok' && group.kind !== 'notFound') throw new ApiError(group.message, { reason: group.kind })
    }
    const outcome = await this.#api.delete(
      Leases,
      { namespace, name },
      { preconditions: { uid, resourceVersion }, signal },
    )
    switch (outcome.kind) {
      case 'ok':
        return [`${what}: deleted`]
      case 'notFound':
        return [`${what}: already gone`]
      case 'conflict':
        return [`${what}: somebody changed it just now; left. Run this again`]
      case 'exists':
      case 'expired':
      case 'invalid':
      case 'throttled':
        throw new ApiError(outcome.message, { reason: outcome.kind })
    }
  }

  #now(): { readonly monotonic: number; readonly wall: string } {
    return { monotonic: this.#clock.now(), wall: microTime(this.#clock.wallNow()) }
  }
}

function isLeaderGroup({ apiVersion, kind }: OwnerReference): boolean {
  return kind === LeaderGroups.kind && apiVersion.startsWith(`${LeaderGroups.group}/`)
}

function byPlace(a: Remnant, b: Remnant): number {
  return a.namespace < b.namespace ? -1 : a.namespace > b.namespace ? 1 : 0
}
