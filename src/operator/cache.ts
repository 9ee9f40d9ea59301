import type { Clock } from '../clock.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import { parseMark } from '../group/gate/gate.ts'
import { isMeantBy } from '../group/follow/holder.ts'
import { MODE_ANNOTATION } from '../group/keys.ts'
import type { GroupMemory, GroupObservation, ObservedPod } from '../group/observation.ts'
import { ZONE_LABEL } from '../group/routing/routing-keys.ts'
import type { EndpointSlice, KubeObject, Lease, Pod, Service } from '../kube/objects.ts'
import { Births } from './births.ts'
import { Membership, markedHolder } from './membership.ts'
import { isReady, observedLease, observedPod, observedService, observedSlice } from './observe.ts'
import { RoutingIndex } from './routing-index.ts'
import { seeLease, seeNode, seePod, type LeaseSight, type NodeSight, type PodSight } from './sight.ts'
import { Shared } from './shared.ts'
import { Deaths, Store, Ticks, type Kept } from './store.ts'
import type { CachedNode, CachedPod } from './trim.ts'
import { modeOf, leaseNameOf } from '../group/spec.ts'

/** Of pods, those of one group or one node are often equal; of Leases, the labels are. */
const SHARED_PARTS = ['labels', 'spec', 'conditions']

const NO_MEMORY: GroupMemory = { statusWrittenAt: undefined, takenBackAt: [], fault: undefined, putOff: undefined }

/**
 * What this process knows of the cluster: everything that `observe` reads. Nothing else is remembered, so that a
 * decision is a function of this and the time.
 */
export class Cache {
  readonly groups: Store<LeaderGroup>
  readonly pods: Store<CachedPod, PodSight>
  readonly leases: Store<Lease, LeaseSight>
  readonly services: Store<Service>
  readonly slices: Store<EndpointSlice>
  readonly nodes: Store<CachedNode, NodeSight>
  readonly #ticks = new Ticks()
  readonly #deaths = new Deaths()
  readonly #clock: Clock
  readonly #wake: (key: string) => void
  readonly #memberships = new Map<string, Membership>()
  readonly #routing = new Map<string, RoutingIndex>()
  readonly #memory = new Map<string, GroupMemory>()
  /** By UID of the pod. */
  readonly #notReadySince = new Map<string, number>()
  readonly #births = new Births()
  /** Ticks at which quorum lists of a namespace's pods began. */
  readonly #podsListedAt = new Map<string, number>()
  /** The last states of deleted pods that a followed Lease named when they died, by key of the group. */
  readonly #deadHolders = new Map<string, readonly Kept<CachedPod, PodSight>[]>()
  /** Ticks at which quorum reads began that found no such Lease, by namespace and name. */
  readonly #leaseAbsentAt = new Map<string, number>()
  /** Ticks at which quorum reads began that found no such group, by key. */
  readonly #absentAt = new Map<string, number>()

  /** `wake` is called with the key of each group whose observation may have changed. */
  constructor(clock: Clock, wake: (key: string) => void) {
    this.#clock = clock
    this.#wake = wake
    const now = (): number => clock.now()
    const blind = (): undefined => undefined
    const shared = new Shared()
    const compact = <T extends KubeObject>(object: T): T => shared.object(object, SHARED_PARTS)
    // Slices die by the thousand in a busy cluster: they must not crowd out the deaths of pods.
    const lives = { ticks: this.#ticks, deaths: this.#deaths, now }
    const others = { ticks: this.#ticks, deaths: new Deaths(), now }
    this.groups = new Store({
      ...lives,
      see: blind,
      compact,
      changed: (after, before) => this.#groupChanged(after, before),
    })
    this.pods = new Store({
      ...lives,
      see: seePod,
      compact,
      changed: (after, before) => this.#podChanged(after, before),
      died: (last) => this.#podDied(last),
    })
    this.leases = new Store({
      ...lives,
      see: seeLease,
      // Each renewal of an elector brings a time that never comes again.
      compact: (lease) => (lease.metadata.annotations?.[MODE_ANNOTATION] === undefined ? lease : compact(lease)),
      changed: (after, before) => this.#leaseChanged(after, before),
    })
    this.services = new Store({
      ...others,
      see: blind,
      changed: (after, before) => this.#serviceChanged(after, before),
    })
    this.slices = new Store({ ...others, see: blind, changed: (after, before) => this.#sliceChanged(after, before) })
    this.nodes = new Store({ ...others, see: seeNode, changed: (after, before) => this.#nodeChanged(after, before) })
  }

  /** Take one when a request begins; its reply is then a read that began there. */
  tick(): number {
    return this.#ticks.next()
  }

  observe(key: string): GroupObservation {
    const [namespace, name] = splitKey(key)
    const kept = this.groups.get(namespace, name)
    const group = kept?.object
    const lease = group && this.leases.get(namespace, leaseNameOf(group))
    const leaseAbsentAt = group && this.#leaseAbsentAt.get(keyOf(namespace, leaseNameOf(group)))
    const routing = this.#routingIndex(namespace)
    return {
      namespace,
      name,
      group,
      ...(kept ? { groupSeenAt: kept.seenAt, groupReadAt: kept.readAt } : {}),
      groupAbsentAt: this.#absentAt.get(key),
      pods: this.#podsOf(namespace, name, group, lease),
      deletedPods: (this.#deadHolders.get(key) ?? []).map((kept) => this.#observed(kept, namespace, name, true)),
      lease: lease && observedLease(lease),
      ...(leaseAbsentAt === undefined ? {} : { leaseAbsentAt }),
      services: group ? all(this.services, namespace, routing.servicesOf(group)).map(observedService) : [],
      slices: all(this.slices, namespace, routing.slicesOf(name, group)).map(observedSlice),
      podsListedAt: this.#podsListedAt.get(namespace),
      gone: this.#deaths.uids,
      memory: this.#memory.get(key) ?? NO_MEMORY,
    }
  }

  remember(key: string, change: Partial<GroupMemory>): void {
    this.#memory.set(key, { ...(this.#memory.get(key) ?? NO_MEMORY), ...change })
  }

  /** A quorum read found no pod of this name, or one with another UID: the pod with this UID is gone. */
  podGone(namespace: string, name: string, uid: string): void {
    this.pods.gone({ metadata: { namespace, name, uid, resourceVersion: '' } })
  }

  /** Calls `listener` when the pod with this UID is proved gone; the returned function ends that. */
  onPodGone(uid: string, listener: () => void): () => void {
    return this.#deaths.on(uid, listener)
  }

  /** A quorum list of all pods of a namespace that began at `begunAt`. What it lacks proves nothing. */
  podsListed(namespace: string, pods: readonly Pod[], begunAt: number): void {
    for (const pod of pods) this.pods.apply(pod, begunAt)
    this.#podsListedAt.set(namespace, begunAt)
  }

  /** A quorum read that began at `begunAt` found no such Lease. */
  leaseAbsent(namespace: string, name: string, begunAt: number): void {
    this.leases.absent(namespace, name, begunAt)
    this.#leaseAbsentAt.set(keyOf(namespace, name), begunAt)
  }

  /** A quorum read that began at `begunAt` found no such group. */
  groupAbsent(namespace: string, name: string, begunAt: number): void {
    this.groups.absent(namespace, name, begunAt)
    this.#absentAt.set(keyOf(namespace, name), begunAt)
  }

  /** Each group, and each name that pods bear keys of, or slices the label, although no such group exists. */
  *keys(): IterableIterator<string> {
    for (const { metadata } of this.groups.all()) yield keyOf(metadata.namespace, metadata.name)
    for (const namespace of new Set([...this.#memberships.keys(), ...this.#routing.keys()])) {
      const membership = this.#membership(namespace)
      const left = new Set([...membership.groupsWithPods(), ...this.#routingIndex(namespace).groupsWithSlices()])
      for (const name of left) if (!this.groups.get(namespace, name)) yield keyOf(namespace, name)
    }
  }

  /** The pods that concern the group, and those that its gate or its Lease names even if nothing else ties them to it. */
  #podsOf(
    namespace: string,
    name: string,
    group: LeaderGroup | undefined,
    lease: Kept<Lease, LeaseSight> | undefined,
  ): readonly ObservedPod[] {
    const names = new Set(this.#membership(namespace).podsOf(name))
    const observes = group !== undefined && modeOf(group) === 'Observe'
    // By the gate alone: electors may have taken over a Lease that bears the mark of a group in mode Assign.
    const holder = observes ? parseMark(group.status?.gate)?.holder : lease && markedHolder(lease.object)
    if (holder && this.pods.get(namespace, holder.name)?.object.metadata.uid === holder.uid) names.add(holder.name)
    // Not selected, it cannot lead; but the person who asks why is told so.
    if (observes) names.add((lease?.object.spec?.holderIdentity ?? '').split('_', 1)[0]!)
    return [...names].flatMap((podName) => {
      const kept = this.pods.get(namespace, podName)
      return kept ? [this.#observed(kept, namespace, name)] : []
    })
  }

  #observed(kept: Kept<CachedPod, PodSight>, namespace: string, group: string, deleted = false): ObservedPod {
    const { metadata, spec } = kept.object
    const bornLabelled = this.#births.makerOf(metadata.uid, group)
    const pod = observedPod(kept, {
      group,
      selected: this.#membership(namespace).selection.selects(group, kept.object),
      notReadySince: this.#notReadySince.get(metadata.uid),
      node: spec?.nodeName === undefined ? undefined : this.nodes.get('', spec.nodeName),
      deleted,
    })
    return bornLabelled === undefined ? pod : { ...pod, bornLabelled }
  }

  /** What its containers showed at last may prove that a holder is dead. */
  #podDied(last: Kept<CachedPod, PodSight>): void {
    const { namespace = '' } = last.object.metadata
    for (const name of this.#membership(namespace).selection.selecting(last.object)) {
      const group = this.groups.get(namespace, name)?.object
      if (!group || modeOf(group) !== 'Observe') continue
      const identity = this.leases.get(namespace, leaseNameOf(group))?.object.spec?.holderIdentity
      if (!identity || !isMeantBy(this.#observed(last, namespace, name), identity)) continue
      const key = keyOf(namespace, name)
      this.#deadHolders.set(key, [...(this.#deadHolders.get(key) ?? []), last].slice(-MOST_DEAD_HOLDERS))
    }
  }

  #podChanged(after: Pod | undefined, before: Pod | undefined): void {
    if (before && before.metadata.uid !== after?.metadata.uid) this.#notReadySince.delete(before.metadata.uid)
    if (after) this.#timeReadiness(after)
    this.#births.setPod(after, before)
    const { namespace = '' } = (after ?? before)!.metadata
    this.#wakeAll(namespace, this.#membership(namespace).setPod(after, before))
  }

  #timeReadiness(pod: Pod): void {
    const { uid } = pod.metadata
    if (isReady(pod)) this.#notReadySince.delete(uid)
    else if (!this.#notReadySince.has(uid)) this.#notReadySince.set(uid, this.#clock.now())
  }

  #leaseChanged(after: Lease | undefined, before: Lease | undefined): void {
    const { namespace = '', name } = (after ?? before)!.metadata
    if (after) this.#leaseAbsentAt.delete(keyOf(namespace, name))
    this.#wakeAll(namespace, this.#membership(namespace).setLease(after, before))
  }

  #serviceChanged(after: Service | undefined, before: Service | undefined): void {
    const { namespace = '' } = (after ?? before)!.metadata
    this.#wakeAll(namespace, this.#routingIndex(namespace).setService(after, before))
  }

  #sliceChanged(after: EndpointSlice | undefined, before: EndpointSlice | undefined): void {
    const { namespace = '' } = (after ?? before)!.metadata
    this.#wakeAll(namespace, this.#routingIndex(namespace).setSlice(after, before))
  }

  /** Nodes change all the time, what is kept of them hardly ever: so no index leads from a node to its pods. */
  #nodeChanged(after: CachedNode | undefined, before: CachedNode | undefined): void {
    const [was, is] = [before, after].map((node) => `${node?.metadata.labels?.[ZONE_LABEL]} ${node?.outOfService}`)
    if (was === is) return
    const { name } = (after ?? before)!.metadata
    for (const pod of this.pods.all()) if (pod.spec?.nodeName === name) this.#podChanged(pod, pod)
  }

  #groupChanged(after: LeaderGroup | undefined, before: LeaderGroup | undefined): void {
    const { namespace = '', name } = (after ?? before)!.metadata
    const key = keyOf(namespace, name)
    if (after) this.#absentAt.delete(key)
    if (before && before.metadata.uid !== after?.metadata.uid) {
      this.#memory.delete(key)
      this.#deadHolders.delete(key)
    }
    this.#membership(namespace).setGroup(after, before, () => this.pods.all(namespace))
    this.#routingIndex(namespace).setGroup(after, before)
    this.#wake(key)
  }

  #wakeAll(namespace: string, groups: Iterable<string>): void {
    for (const name of groups) this.#wake(keyOf(namespace, name))
  }

  #routingIndex(namespace: string): RoutingIndex {
    let index = this.#routing.get(namespace)
    if (!index) this.#routing.set(namespace, (index = new RoutingIndex()))
    return index
  }

  #membership(namespace: string): Membership {
    let membership = this.#memberships.get(namespace)
    if (!membership) this.#memberships.set(namespace, (membership = new Membership()))
    return membership
  }
}

/** One is enough, but a Lease's next holder may die before anybody has renewed it. */
const MOST_DEAD_HOLDERS = 4

function all<T extends KubeObject>(store: Store<T>, namespace: string, names: Iterable<string>): readonly Kept<T>[] {
  const found: Kept<T>[] = []
  for (const name of names) {
    const kept = store.get(namespace, name)
    if (kept) found.push(kept)
  }
  return found
}

export function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`
}

export function splitKey(key: string): readonly [namespace: string, name: string] {
  const slash = key.indexOf('/')
  return [key.slice(0, slash), key.slice(slash + 1)]
}
