/** A namespace with groups and pods, and the questions that tests of the operator ask about them. */
import assert from 'node:assert/strict'
import { formatIdentity } from '../src/group/gate/gate.ts'
import { LEADER_ROLE, groupKeys } from '../src/group/keys.ts'
import type { LeaderGroup, LeaderGroupCondition, LeaderGroupStatus } from '../src/group/leadergroup.ts'
import type { Api } from '../src/kube/api.ts'
import {
  type EndpointSlice,
  EndpointSlices,
  type KubeObject,
  type Lease,
  Leases,
  type Pod,
  Pods,
  type Resource,
} from '../src/kube/objects.ts'
import { LeaderGroups } from '../src/operator/resources.ts'
import type { Cluster } from './controlplane/cluster.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { sharedCluster } from './controlplane/shared.ts'
import { checkHistory } from './history.ts'
import { type Witness, observe } from './observer.ts'
import { createPod, setReady } from './pods.ts'

interface GroupEvent extends KubeObject {
  readonly regarding: { readonly kind: string; readonly name: string }
  readonly eventTime: string
  readonly type: string
  readonly reason: string
  readonly note: string
}

const Events: Resource<GroupEvent> = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event' }

/** For one step of an operator that runs: it needs milliseconds, and tests run beside a whole control plane. */
const STEP_MILLIS = 10_000
/** The garbage collector looks for new kinds of owners every 30 s: the CRD may have been installed just before. */
export const COLLECTION_MILLIS = 90_000

export interface SceneOptions {
  /** Default: the one that all tests share. */
  readonly cluster?: Cluster
  readonly witness?: (cluster: Cluster, namespace: string) => Promise<Witness>
}

export async function openScene(prefix: string, options: SceneOptions = {}): Promise<Scene> {
  const { cluster = await sharedCluster(), witness = observe } = options
  const { api } = cluster
  await cluster.installCrd()
  const namespace = await cluster.createNamespace(prefix)
  // An established CRD is served a moment later.
  await eventually({ what: 'the API of LeaderGroups' }, async () =>
    (await api.list(LeaderGroups, { namespace })).kind === 'notFound' ? undefined : true,
  )
  return new Scene(api, namespace, await witness(cluster, namespace))
}

export class Scene implements AsyncDisposable {
  readonly api: Api
  readonly namespace: string
  readonly observer: Witness

  constructor(api: Api, namespace: string, observer: Witness) {
    this.api = api
    this.namespace = namespace
    this.observer = observer
  }

  /** Selects the pods with the label `app` of its own name, unless told otherwise. */
  async createGroup(name = 'db', spec: object = {}): Promise<LeaderGroup> {
    return must(
      await this.api.create(LeaderGroups, this.namespace, {
        apiVersion: 'leadergroup.io/v1alpha1',
        kind: 'LeaderGroup',
        metadata: { name },
        spec: { selector: { matchLabels: { app: name } }, ...spec },
      }),
    )
  }

  /** Running and, unless told otherwise, ready. */
  createPod(name: string, labels: Readonly<Record<string, string>> = { app: 'db' }, ready = true): Promise<Pod> {
    return createPod(this.api, { namespace: this.namespace, name, labels, ready })
  }

  /** A group with ready pods, of which the first to be ready leads. */
  async createLed(pods = ['db-0', 'db-1'], spec: object = {}): Promise<Pod> {
    await this.createGroup('db', spec)
    for (const pod of pods) await this.createPod(pod)
    const leader = await this.untilLed()
    // Enrolled: a leader that is lost now has successors.
    for (const pod of pods) await this.untilPod(pod, 'enrolled', (it) => stampOf(it) !== undefined)
    return leader
  }

  async deletePod(name: string, gracePeriodSeconds?: number): Promise<void> {
    const options = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }
    must(await this.api.delete(Pods, { namespace: this.namespace, name }, options))
  }

  async setReady(name: string, ready: boolean): Promise<void> {
    await setReady(this.api, await this.pod(name), ready)
  }

  /** Merges into the pod's metadata as a user would. */
  async patchPod(name: string, metadata: object): Promise<Pod> {
    return must(await this.api.mergePatch(Pods, { namespace: this.namespace, name }, { metadata }))
  }

  async patchGroup(spec: object, name = 'db'): Promise<void> {
    must(await this.api.mergePatch(LeaderGroups, { namespace: this.namespace, name }, { spec }))
  }

  async patchLease(patch: object, name = 'db'): Promise<Lease> {
    return must(await this.api.mergePatch(Leases, { namespace: this.namespace, name }, patch))
  }

  async deleteGroup(name = 'db'): Promise<void> {
    must(await this.api.delete(LeaderGroups, { namespace: this.namespace, name }))
  }

  async deleteLease(name = 'db'): Promise<void> {
    must(await this.api.delete(Leases, { namespace: this.namespace, name }))
  }

  async pod(name: string): Promise<Pod> {
    return must(await this.api.get(Pods, { namespace: this.namespace, name }))
  }

  async pods(): Promise<readonly Pod[]> {
    return must(await this.api.list(Pods, { namespace: this.namespace })).items
  }

  async group(name = 'db'): Promise<LeaderGroup> {
    return must(await this.api.get(LeaderGroups, { namespace: this.namespace, name }))
  }

  async lease(name = 'db'): Promise<Lease | undefined> {
    const found = await this.api.get(Leases, { namespace: this.namespace, name })
    return found.kind === 'notFound' ? undefined : must(found)
  }

  /** Those that bear the leader label. */
  async leaders(group = 'db'): Promise<readonly Pod[]> {
    const labelSelector = `${groupKeys(group).role}=${LEADER_ROLE}`
    return must(await this.api.list(Pods, { namespace: this.namespace, labelSelector })).items
  }

  /** Until exactly this pod, or any when it is not said which, bears the label, and Lease and status say the same. */
  untilLed(name?: string, group = 'db', millis: number = STEP_MILLIS): Promise<Pod> {
    const what = `${this.namespace}: ${name ?? 'a pod'} leads group ${group}`
    return eventually({ what, millis }, async () => {
      const leader = await this.led(group)
      return name === undefined || leader?.metadata.name === name ? leader : undefined
    })
  }

  /** The only pod that bears the label, if Lease and status say the same. */
  async led(group = 'db'): Promise<Pod | undefined> {
    const [leader, ...others] = await this.leaders(group)
    if (!leader || others.length > 0) return undefined
    const { status, spec } = await this.group(group)
    const lease = await this.lease(spec.leaseName ?? group)
    const identity = formatIdentity(leader.metadata)
    const agreed = status?.holderIdentity === identity && lease?.spec?.holderIdentity === identity
    return agreed && String(status.term) === termOf(leader, group) ? leader : undefined
  }

  async slicesOf(service: string): Promise<readonly EndpointSlice[]> {
    const labelSelector = `kubernetes.io/service-name=${service}`
    return must(await this.api.list(EndpointSlices, { namespace: this.namespace, labelSelector })).items
  }

  /** Names of the pods in the slices of a Service. */
  async podsBehind(service: string): Promise<readonly string[]> {
    return podsIn(await this.slicesOf(service))
  }

  /** Until exactly these pods are behind the Service. */
  untilBehind(service: string, ...pods: readonly string[]): Promise<readonly EndpointSlice[]> {
    const what = `${this.namespace}: ${pods.join(', ') || 'nobody'} behind Service ${service}`
    return eventually({ what, millis: STEP_MILLIS }, async () => {
      const slices = await this.slicesOf(service)
      return podsIn(slices).join() === pods.join() ? slices : undefined
    })
  }

  /** Until the condition ServicesReady has this status and reason; resolves to its message. */
  untilServicesReady(status: string, reason: string, group = 'db'): Promise<string> {
    const what = `${this.namespace}: group ${group} is ServicesReady=${status} ${reason}`
    return eventually({ what, millis: STEP_MILLIS }, async () => {
      const conditions = (await this.group(group)).status?.conditions ?? []
      const found = conditions.find(({ type }) => type === 'ServicesReady')
      return found?.status === status && found.reason === reason ? found.message : undefined
    })
  }

  /** Until exactly one pod bears the label, another than `than`, whatever Lease and status say by now. */
  untilLabelled(group: string, millis: number, than?: string): Promise<Pod> {
    const what = `${this.namespace}: a pod bears the label of group ${group}`
    return eventually({ what, millis, intervalMillis: 20 }, async () => {
      const [leader, ...others] = await this.leaders(group)
      return others.length === 0 && leader?.metadata.uid !== than ? leader : undefined
    })
  }

  /** Until the pod does not bear the label in the term any more in which it does here. */
  async untilOver(leader: Pod, group: string, millis: number): Promise<void> {
    const { name, uid } = leader.metadata
    await eventually(
      { what: `${this.namespace}: the term of ${name} is over`, millis, intervalMillis: 20 },
      async () => {
        const leaders = await this.leaders(group)
        const leads = leaders.some((pod) => pod.metadata.uid === uid && termOf(pod, group) === termOf(leader, group))
        return leads ? undefined : true
      },
    )
  }

  untilPod(name: string, what: string, isSo: (pod: Pod) => boolean): Promise<Pod> {
    return eventually({ what: `${this.namespace}: pod ${name} is ${what}`, millis: STEP_MILLIS }, async () => {
      const pod = await this.pod(name)
      return isSo(pod) ? pod : undefined
    })
  }

  /** Until the condition Ready has this status and reason. */
  untilCondition(status: string, reason: string, group = 'db'): Promise<LeaderGroupCondition> {
    const what = `${this.namespace}: group ${group} is Ready=${status} ${reason}`
    return eventually({ what, millis: STEP_MILLIS }, async () => {
      const ready = readyOf(await this.group(group))
      return ready?.status === status && ready.reason === reason ? ready : undefined
    })
  }

  untilStatus(what: string, isSo: (status: LeaderGroupStatus) => boolean, group = 'db'): Promise<LeaderGroup> {
    return eventually({ what: `${this.namespace}: status of ${group}: ${what}`, millis: STEP_MILLIS }, async () => {
      const found = await this.group(group)
      return found.status && isSo(found.status) ? found : undefined
    })
  }

  /** Until the term before the present one is said to have ended for this reason. */
  async untilEnded(reason: string): Promise<void> {
    await this.untilStatus(`the last term ended with ${reason}`, ({ history = [] }) => {
      const over = history.find(({ endTime }) => endTime !== undefined)
      return over?.reason === reason
    })
  }

  /** The events about a group, the oldest first. */
  untilEvents(areSo: (events: readonly GroupEvent[]) => boolean, group = 'db'): Promise<readonly GroupEvent[]> {
    return eventually({ what: `${this.namespace}: events of group ${group}`, millis: STEP_MILLIS }, async () => {
      const { items } = must(await this.api.list(Events, { namespace: this.namespace }))
      const about = items.filter(({ regarding }) => regarding.kind === 'LeaderGroup' && regarding.name === group)
      const inOrder = about.toSorted((a, b) => (a.eventTime < b.eventTime ? -1 : 1))
      return areSo(inOrder) ? inOrder : undefined
    })
  }

  /** Until no pod bears a key of the group, and its Lease is gone. */
  untilGone(group = 'db', leaseName = group): Promise<true> {
    const what = `${this.namespace}: nothing is left of group ${group}`
    return eventually({ what, millis: COLLECTION_MILLIS }, async () => {
      const left = (await this.pods()).filter((pod) => keysOn(pod, group).length > 0)
      return left.length === 0 && (await this.lease(leaseName)) === undefined ? true : undefined
    })
  }

  /** The whole history keeps the promises, and at least so many terms are in it. */
  async check(terms: number, group = 'db'): Promise<void> {
    const tally = checkHistory(await this.observer.history(), group)
    assert.ok(tally.terms >= terms, `the history holds ${tally.terms} terms of ${terms} at least`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.observer[Symbol.asyncDispose]()
  }
}

/** Names, in their order. */
export function podsIn(slices: readonly EndpointSlice[]): readonly string[] {
  const endpoints = slices.flatMap((slice) => (slice.endpoints ?? []) as readonly Endpoint[])
  return endpoints.map(({ targetRef }) => targetRef.name).toSorted()
}

interface Endpoint {
  readonly targetRef: { readonly name: string }
}

export function readyOf({ status }: Pick<LeaderGroup, 'status'>): LeaderGroupCondition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')
}

export function termOf({ metadata }: Pod, group = 'db'): string | undefined {
  return metadata.annotations?.[groupKeys(group).term]
}

export function stampOf({ metadata }: Pod, group = 'db'): string | undefined {
  return metadata.annotations?.[groupKeys(group).sealed]
}

export function isLabelled({ metadata }: Pod, group = 'db'): boolean {
  return metadata.labels?.[groupKeys(group).role] === LEADER_ROLE
}

export function keysOn({ metadata: { labels = {}, annotations = {} } }: Pod, group = 'db'): readonly string[] {
  const keys = Object.values(groupKeys(group))
  return [...Object.keys(labels), ...Object.keys(annotations)].filter((key) => keys.includes(key))
}
