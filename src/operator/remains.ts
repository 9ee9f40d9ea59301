import type { Clock } from '../clock.ts'
import { microTime } from '../election/micro-time.ts'
import { decide } from '../group/decide.ts'
import type { GroupAction } from '../group/decision.ts'
import { MODE_ANNOTATION } from '../group/keys.ts'
import { GROUP_LABEL } from '../group/routing/routing-keys.ts'
import { isOwnSlice } from '../group/routing/slice.ts'
import { leaseNameOf } from '../group/spec.ts'
import type { Api } from '../kube/api.ts'
import {
  EndpointSlices,
  Leases,
  Pods,
  Services,
  type KubeObject,
  type Lease,
  type ObjectMeta,
  type OwnerReference,
  type Service,
} from '../kube/objects.ts'
import { ApiError } from '../kube/outcome.ts'
import { Actor } from './act.ts'
import { Cache, keyOf, splitKey } from './cache.ts'
import { listAll } from './list-all.ts'
import { LeaderGroups } from './resources.ts'
import { trimEndpointSlice, trimGroup, trimLease, trimPod, trimService } from './trim.ts'

/** Something that an operator made and that no group owns any more. */
export type Remnant = Traces | LeftObject

/** What bears the marks of a group that does not exist: label and annotations on pods, and EndpointSlices. */
export interface Traces {
  readonly kind: 'traces'
  readonly namespace: string
  readonly group: string
  readonly pods: readonly string[]
  readonly slices: readonly string[]
}

/** A Lease of mode Assign, or a Service, whose owner does not exist. */
export interface LeftObject {
  readonly kind: 'Lease' | 'Service'
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** The group whose it was, as far as the object still says. Without UID: only its name is known, from a label. */
  readonly group: { readonly name: string; readonly uid: string | undefined } | undefined
}

/** Each conflict is somebody else's write, and the next round begins with what they wrote. */
const ROUNDS = 10

/**
 * What is left of groups that are gone, and its removal. Pods and slices are cleaned by the operator's own hands: the
 * same decision about a group that does not exist, and the same writes with UID and version. Nothing of a group that
 * exists is touched: each is asked for, by a quorum read, before anything under its name is taken off.
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
    for (const slice of (await listAll(this.#api, EndpointSlices, namespace, signal, trimEndpointSlice)) ?? []) {
      this.#cache.slices.apply(slice)
    }
    const leases = (await listAll(this.#api, Leases, namespace, signal, trimLease)) ?? []
    const services = (await listAll(this.#api, Services, namespace, signal, trimService)) ?? []
    // The groups last: then one that is not among them did not exist after all else was listed, unless it is new.
    for (const group of (await listAll(this.#api, LeaderGroups, namespace, signal, trimGroup)) ?? []) {
      this.#cache.groups.apply(group)
    }
    return [
      ...this.#traces(),
      ...services.flatMap((service) => this.#leftService(service) ?? []),
      ...leases.flatMap((lease) => this.#leftLease(lease) ?? []),
    ].toSorted(byPlace)
  }

  /**
   * Removes one; resolves to what was done, one line for each thing, or to why nothing was.
   *
   * @throws ApiError when a request fails or is refused
   */
  remove(remnant: Remnant, signal: AbortSignal): Promise<readonly string[]> {
    return remnant.kind === 'traces' ? this.#removeTraces(remnant, signal) : this.#delete(remnant, signal)
  }

  #traces(): readonly Traces[] {
    return [...this.#cache.keys()].flatMap((key) => {
      const [namespace, group] = splitKey(key)
      if (this.#cache.groups.get(namespace, group)) return []
      const seen = this.#cache.observe(key)
      const pods = seen.pods.map(({ name }) => name).toSorted()
      const own = seen.slices.filter((slice) => isOwnSlice(slice, group))
      const slices = own.map(({ name }) => name).toSorted()
      return pods.length + slices.length > 0 ? [{ kind: 'traces', namespace, group, pods, slices }] : []
    })
  }

  #leftLease({ metadata }: Lease): LeftObject | undefined {
    const { namespace = '', name, annotations, ownerReferences = [] } = metadata
    if (annotations?.[MODE_ANNOTATION] !== 'Assign' || metadata.deletionTimestamp !== undefined) return undefined
    const owner = ownerReferences.find(isLeaderGroup)
    if (owner ? this.#lives(namespace, owner) : ownerReferences.length > 0 || this.#isUsed(namespace, name)) {
      return undefined
    }
    return leftObject('Lease', metadata, owner)
  }

  /** The label says which group made it. Without an owner it was orphaned: one that a group of that name could use stays. */
  #leftService({ metadata }: Service): LeftObject | undefined {
    const { namespace = '', labels, ownerReferences = [] } = metadata
    const group = labels?.[GROUP_LABEL]
    if (group === undefined || metadata.deletionTimestamp !== undefined) return undefined
    const owner = ownerReferences.find(isLeaderGroup)
    if (owner) return this.#lives(namespace, owner) ? undefined : leftObject('Service', metadata, owner)
    if (ownerReferences.length > 0 || this.#cache.groups.get(namespace, group)) return undefined
    return leftObject('Service', metadata, { name: group, uid: undefined })
  }

  #lives(namespace: string, { name, uid }: { readonly name: string; readonly uid: string }): boolean {
    return this.#cache.groups.get(namespace, name)?.object.metadata.uid === uid
  }

  /** Without an owner it cannot be asked whether that lives: one that a group would use is left to people. */
  #isUsed(namespace: string, name: string): boolean {
    return [...this.#cache.groups.all(namespace)].some((group) => leaseNameOf(group) === name)
  }

  async #removeTraces({ namespace, group }: Traces, signal: AbortSignal): Promise<readonly string[]> {
    const key = keyOf(namespace, group)
    const done: string[] = []
    const took = (action: GroupAction): void => {
      if (action.kind === 'patchPod') done.push(`pod ${namespace}/${action.pod.name}: keys of group ${group} taken off`)
      if (action.kind === 'deleteSlice')
        done.push(`EndpointSlice ${namespace}/${action.name} of group ${group}: deleted`)
    }
    // Since the group was found to be missing, somebody may have thought for minutes: the decision first asks for a read.
    for (let round = 0; round < ROUNDS; round++) {
      if (this.#cache.groups.get(namespace, group)) return [...done, `group ${key} exists again: left to its operator`]
      const { actions } = decide(this.#cache.observe(key), this.#now())
      if (actions.length === 0) return done.toSorted()
      await this.#act(key, actions, signal, took)
    }
    return [...done, `pods or slices of group ${key} keep changing, or are being deleted: run this again`]
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

  async #delete(left: LeftObject, signal: AbortSignal): Promise<readonly string[]> {
    const { kind, namespace, name, uid, resourceVersion } = left
    const what = `${kind} ${namespace}/${name}`
    if (left.group && (await this.#exists(namespace, left.group, signal))) return [`${what}: its group exists; left`]
    const outcome = await this.#api.delete<KubeObject>(
      kind === 'Lease' ? Leases : Services,
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

  async #exists(
    namespace: string,
    { name, uid }: NonNullable<LeftObject['group']>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const group = await this.#api.get(LeaderGroups, { namespace, name }, { signal })
    if (group.kind === 'ok') return uid === undefined || group.object.metadata.uid === uid
    if (group.kind !== 'notFound') throw new ApiError(group.message, { reason: group.kind })
    return false
  }

  #now(): { readonly monotonic: number; readonly wall: string } {
    return { monotonic: this.#clock.now(), wall: microTime(this.#clock.wallNow()) }
  }
}

function leftObject(kind: LeftObject['kind'], metadata: ObjectMeta, group: LeftObject['group']): LeftObject {
  const { namespace = '', name, uid, resourceVersion } = metadata
  return { kind, namespace, name, uid, resourceVersion, group: group && { name: group.name, uid: group.uid } }
}

function isLeaderGroup({ apiVersion, kind }: OwnerReference): boolean {
  return kind === LeaderGroups.kind && apiVersion.startsWith(`${LeaderGroups.group}/`)
}

function byPlace(a: Remnant, b: Remnant): number {
  return a.namespace < b.namespace ? -1 : a.namespace > b.namespace ? 1 : 0
}
