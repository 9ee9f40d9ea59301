/** What the API server showed of one namespace, and when it was seen here, in milliseconds of the wall clock. */
import { systemClock } from '../../src/clock.ts'
import type { Api } from '../../src/kube/api.ts'
import {
  EndpointSlices,
  type KubeObject,
  Leases,
  type Pod,
  Pods,
  type Resource,
  Services,
} from '../../src/kube/objects.ts'
import { wholeSeconds } from '../../src/group/follow/whole-seconds.ts'
import { watch } from '../../src/kube/watch.ts'
import { eventually } from '../controlplane/eventually.ts'
import { GROUP, serviceOf } from './setting.ts'

export type Sighting =
  /** The Lease names this pod now; empty: nobody. */
  | { readonly at: number; readonly kind: 'lease'; readonly pod: string }
  /** The leader label came or went. */
  | { readonly at: number; readonly kind: 'labelled' | 'unlabelled'; readonly pod: string }
  /** The rules of the client's node lead to it. */
  | { readonly at: number; readonly kind: 'rule'; readonly pod: string }
  /** It was asked to end. */
  | { readonly at: number; readonly kind: 'terminating'; readonly pod: string }
  /** Addresses of the leader's Service are those of these pods, joined by a comma. */
  | { readonly at: number; readonly kind: 'slice'; readonly pod: string }

/** With a part of a millisecond, and comparable with the workload's clock where both run on one machine. */
export function wallMillis(): number {
  return performance.timeOrigin + performance.now()
}

/** What a pod's status says of containers that have ended. */
interface Ends {
  readonly containerStatuses?: readonly ContainerStatus[]
  readonly initContainerStatuses?: readonly ContainerStatus[]
}
interface ContainerStatus {
  readonly state?: { readonly terminated?: { readonly finishedAt?: string } }
  readonly lastState?: ContainerStatus['state']
}

export class Record implements AsyncDisposable {
  readonly sightings: Sighting[] = []
  readonly #api: Api
  readonly #namespace: string
  readonly #label: string
  readonly #stop = new AbortController()
  readonly #following: Promise<void>[]
  readonly #terminating = new Set<string>()
  /** Pod name by address. */
  readonly #addresses = new Map<string, string>()
  /** Pod name by UID. */
  readonly #labelled = new Map<string, string>()
  /** `<pod name> <second>` of each renewal. */
  readonly #renewals = new Set<string>()
  /** Seconds in which containers ended, by the pod's UID. */
  readonly #ends = new Map<string, Set<number | undefined>>()
  #routedAt = 0

  /** `label`: the key of the leader's, with the value `leader`. */
  constructor(api: Api, namespace: string, label: string) {
    this.#api = api
    this.#namespace = namespace
    this.#label = label
    this.#following = [
      this.#follow(Leases, (lease) => {
        if (lease.metadata.name !== GROUP) return
        const holder = lease.spec?.holderIdentity?.split('_')[0] ?? ''
        this.#add('lease', holder)
        this.#renewals.add(`${holder} ${wholeSeconds(lease.spec?.renewTime)}`)
      }),
      this.#follow(Pods, (pod, gone) => this.#pod(pod, gone)),
      this.#follow(EndpointSlices, (slice, gone) => {
        if (slice.metadata.labels?.['kubernetes.io/service-name'] !== serviceOf('leader')) return
        const ready = (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false)
        this.#add('slice', gone ? '' : ready.map(({ targetRef }) => targetRef?.name ?? '?').join(','))
      }),
      // Of all namespaces, for kube-proxy counts its pauses over all Services of the cluster.
      ...[Services, EndpointSlices].map((resource: Resource<KubeObject>) =>
        this.#follow(resource, () => (this.#routedAt = wallMillis()), {}),
      ),
    ]
    for (const following of this.#following) following.catch(() => undefined)
  }

  /** Who bears the label, or did when it was last seen. */
  get leader(): string | undefined {
    return [...this.#labelled.values()].at(-1)
  }

  /**
   * It renewed the Lease in the very second in which one of its containers ended. Kubelets tell whole seconds, so nobody
   * can tell which was first, and nothing is proved.
   */
  renewedAsItEnded({ name, uid }: { readonly name: string; readonly uid: string }): boolean {
    return [...(this.#ends.get(uid) ?? [])].some((second) => this.#renewals.has(`${name} ${second}`))
  }

  /** The rules of the client's node lead to this address now. */
  rule(address: string): void {
    this.#add('rule', this.#addresses.get(address) ?? address)
  }

  /** The most pods that bore the label at once, as far as was seen. */
  most = 0

  /** When anything last changed, in any namespace, that kube-proxy writes rules for. */
  get routedAt(): number {
    return this.#routedAt
  }

  /** Resolves to the first sighting after `since` that `is` wanted. */
  async until(what: string, millis: number, since: number, is: (sighting: Sighting) => boolean): Promise<Sighting> {
    return await eventually({ what, millis }, () => {
      return Promise.resolve(this.sightings.find((sighting) => sighting.at >= since && is(sighting)))
    })
  }

  #pod(pod: Pod, gone: boolean): void {
    const { name, uid, deletionTimestamp } = pod.metadata
    const { status } = pod
    if (status?.podIP !== undefined) this.#addresses.set(status.podIP, name)
    this.#end(uid, status)
    if (deletionTimestamp !== undefined && !this.#terminating.has(uid)) {
      this.#terminating.add(uid)
      this.#add('terminating', name)
    }
    const bears = !gone && this.#bearsLabel(pod)
    if (bears === this.#labelled.has(uid)) return
    if (bears) this.#labelled.set(uid, name)
    else this.#labelled.delete(uid)
    this.most = Math.max(this.most, this.#labelled.size)
    this.#add(bears ? 'labelled' : 'unlabelled', name)
  }

  #end(uid: string, status: Pod['status']): void {
    const ends = this.#ends.get(uid) ?? new Set()
    this.#ends.set(uid, ends)
    const { containerStatuses = [], initContainerStatuses = [] } = (status ?? {}) as Ends
    for (const { state, lastState } of [...containerStatuses, ...initContainerStatuses]) {
      for (const each of [state, lastState]) if (each?.terminated) ends.add(wholeSeconds(each.terminated.finishedAt))
    }
  }

  #add(kind: Sighting['kind'], pod: string): void {
    const last = this.sightings.findLast((each) => each.kind === kind)
    if ((kind === 'lease' || kind === 'slice' || kind === 'rule') && last?.pod === pod) return
    this.sightings.push({ at: wallMillis(), kind, pod })
  }

  async #follow<T extends KubeObject>(
    resource: Resource<T>,
    saw: (object: T, gone: boolean) => void,
    where: { readonly namespace?: string } = { namespace: this.#namespace },
  ): Promise<void> {
    const source = { resource, ...where, trim: (object: T) => object }
    const surroundings = { clock: systemClock, random: Math.random, signal: this.#stop.signal }
    let known = new Map<string, T>()
    for await (const change of watch(this.#api, source, surroundings)) {
      if (change.kind === 'reset') {
        // The API server was away. All of a list is true at one time, so what has ended comes before what has begun.
        const now = new Map(change.objects.map((object) => [object.metadata.uid, object]))
        for (const [uid, object] of known) if (!now.has(uid)) saw(object, true)
        const [others, bearers] = [false, true].map((is) =>
          change.objects.filter((object) => this.#bearsLabel(object) === is),
        )
        for (const object of [...others!, ...bearers!]) saw(object, false)
        known = now
      } else {
        const { object, kind } = change
        saw(object, kind === 'delete')
        if (kind === 'delete') known.delete(object.metadata.uid)
        else known.set(object.metadata.uid, object)
      }
    }
  }

  #bearsLabel({ metadata: { labels } }: KubeObject): boolean {
    return labels?.[this.#label] === 'leader'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#following)
  }
}
