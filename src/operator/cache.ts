import type { Clock } from '../clock.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { GroupMemory, GroupObservation, ObservedPod } from '../group/observation.ts'
import { leaseNameOf } from '../group/status.ts'
import { ZONE_LABEL } from '../group/routing/routing-keys.ts'
import type { EndpointSlice, KubeObject, Lease, Node, Pod, Service } from '../kube/objects.ts'
import { Membership, markedHolder } from './membership.ts'
import { isReady, observedLease, observedPod, observedService, observedSlice } from './observe.ts'
import { RoutingIndex } from './routing-index.ts'
import { Shared } from './shared.ts'
import { Deaths, Store, Ticks, type Kept } from './store.ts'

/** Of pods, those of one group or one node are often equal; of Leases, the labels are. */
const SHARED_PARTS = ['labels', 'spec', 'conditions']

const NO_MEMORY: GroupMemory = { statusWrittenAt: undefined, takenBackAt: [], fault: undefined, putOff: undefined }

/**
 * What this process knows of the cluster: everything that `observe` reads. Nothing else is remembered, so that a
 * decision is a function of this and the time.
 */
export class Cache {
  readonly groups: Store<LeaderGroup>
  readonly pods: Store<Pod>
  readonly leases: Store<Lease>
  readonly services: Store<Service>
  readonly slices: Store<EndpointSlice>
  readonly nodes: Store<Node>
  readonly #ticks = new Ticks()
  readonly #deaths = new Deaths()
  readonly #clock: Clock
  readonly #wake: (key: string) => void
  readonly #memberships = new Map<string, Membership>()
  readonly #routing = new Map<string, RoutingIndex>()
  readonly #memory = new Map<string, GroupMemory>()
  /** By UID of the pod. */
  readonly #notReadySince = new Map<string, number>()
  /** Ticks at which quorum lists of a namespace's pods began. */
  readonly #podsListedAt = new Map<string, number>()
  /** Ticks at which quorum reads began that found no such group, by key. */
  readonly #absentAt = new Map<string, number>()

  /** `wake` is called with the key of each group whose observation may have changed. */
  constructor(clock: Clock, wake: (key: string) => void) {
    this.#clock = clock
    this.#wake = wake
    const shared = new Shared()
    const compact = <T extends KubeObject>(object: T): T => shared.object(object, SHARED_PARTS)
    this.groups = new Store(this.#ticks, this.#deaths, (after, before) => this.#groupChanged(after, before), compact)
    this.pods = new Store(this.#ticks, this.#deaths, (after, before) => this.#podChanged(after, before), compact)
    this.leases = new Store(this.#ticks, this.#deaths, (after, before) => this.#leaseChanged(after, before), compact)
    // Slices die by the thousand in a busy cluster: they must not crowd out the deaths of pods.
    const others = new Deaths()
    this.services = new Store(this.#ticks, others, (after, before) => this.#serviceChanged(after, before))
    this.slices = new Store(this.#ticks, others, (after, before) => this.#sliceChanged(after, before))
    this.nodes = new Store(this.#ticks, others, (after, before) => this.#nodeChanged(after, before))
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
    const routing = this.#routingIndex(namespace)
    return {
      namespace,
      name,
      group,
      ...(kept ? { groupSeenAt: kept.seenAt, groupReadAt: kept.readAt } : {}),
      groupAbsentAt: this.#absentAt.get(key),
      pods: this.#podsOf(namespace, name, lease),
      lease: lease && observedLease(lease),
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

  /** The pods that concern the group, and the one that its Lease names even if nothing else ties it to the group. */
  #podsOf(namespace: string, name: string, lease: Kept<Lease> | undefined): readonly ObservedPod[] {
    const membership = this.#membership(namespace)
    const names = new Set(membership.podsOf(name))
    const holder = lease && markedHolder(lease.object)
    if (holder && this.pods.get(namespace, holder.name)?.object.metadata.uid === holder.uid) names.add(holder.name)
    const pods: ObservedPod[] = []
    for (const podName of names) {
      const kept = this.pods.get(namespace, podName)
      if (!kept) continue
      const selected = membership.selection.selects(name, kept.object)
      const zone = this.#zoneOf(kept.object.spec?.nodeName)
      pods.push(observedPod(kept, name, selected, this.#notReadySince.get(kept.object.metadata.uid), zone))
    }
    return pods
  }

  #podChanged(after: Pod | undefined, before: Pod | undefined): void {
    if (before && before.metadata.uid !== after?.metadata.uid) this.#notReadySince.delete(before.metadata.uid)
    if (after) this.#timeReadiness(after)
    const { namespace = '' } = (after ?? before)!.metadata
    this.#wakeAll(namespace, this.#membership(namespace).setPod(after, before))
  }

  #timeReadiness(pod: Pod): void {
    const { uid } = pod.metadata
    if (isReady(pod)) this.#notReadySince.delete(uid)
    else if (!this.#notReadySince.has(uid)) this.#notReadySince.set(uid, this.#clock.now())
  }

  #leaseChanged(after: Lease | undefined, before: Lease | undefined): void {
    const { namespace = '' } = (after ?? before)!.metadata
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

  /** Nodes change all the time, their zones hardly ever: so no index leads from a node to its pods. */
  #nodeChanged(after: Node | undefined, before: Node | undefined): void {
    const [was, is] = [before, after].map((node) => node?.metadata.labels?.[ZONE_LABEL])
    if (was === is) return
    const { name } = (after ?? before)!.metadata
    for (const pod of this.pods.all()) if (pod.spec?.nodeName === name) this.#podChanged(pod, pod)
  }

  #zoneOf(node: string | undefined): string | undefined {
    return node === undefined ? undefined : this.nodes.get('', node)?.object.metadata.labels?.[ZONE_LABEL]
  }

  #groupChanged(after: LeaderGroup | undefined, before: LeaderGroup | undefined): void {
    const { namespace = '', name } = (after ?? before)!.metadata
    const key = keyOf(namespace, name)
    if (after) this.#absentAt.delete(key)
    if (before && before.metadata.uid !== after?.metadata.uid) this.#memory.delete(key)
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
