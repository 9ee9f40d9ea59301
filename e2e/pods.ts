/**
 * Pods on a cluster without nodes: the tests do what a scheduler and a kubelet would, through the same API.
 */
import { createHash } from 'node:crypto'
import { systemClock } from '../src/clock.ts'
import type { Api } from '../src/kube/api.ts'
import { type KubeObject, type OwnerReference, type Pod, Pods, type Resource } from '../src/kube/objects.ts'
import type { Outcome } from '../src/kube/outcome.ts'
import { type ContainerStatus, IMAGE, endedContainer, runningContainer, wholeSecond } from './container-status.ts'
import { must } from './controlplane/must.ts'

export const Nodes: Resource<KubeObject> = { group: '', version: 'v1', plural: 'nodes', kind: 'Node' }

const CONTAINER = 'main'

export interface PodSpec {
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** The node it is bound to; made when there is none of that name. */
  readonly node?: string
  /** Default: one that follows from namespace and name. */
  readonly ip?: string
  /** Default true. */
  readonly ready?: boolean
  readonly ownerRef?: OwnerReference
  /** Names; default: one. */
  readonly containers?: readonly string[]
  /** Names of restartable init containers, which run beside the others. */
  readonly sidecars?: readonly string[]
  /** It has the IP of its node. */
  readonly hostNetwork?: boolean
}

/** Creates a pod that is bound to a node and, as its status says, runs there. Resolves to the pod with that status. */
export async function createPod(api: Api, spec: PodSpec): Promise<Pod> {
  const node = spec.node ?? 'node-1'
  await ensureNode(api, node)
  const created = must(await api.create(Pods, spec.namespace, podManifest({ ...spec, node })))
  return must(await patchStatus(api, created, runningStatus(created, { ready: spec.ready ?? true, ip: spec.ip })))
}

/** A manifest to create; without `node` it stays unbound until somebody plays the scheduler. */
export function podManifest(spec: PodSpec): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: spec.name,
      labels: spec.labels,
      ...(spec.annotations ? { annotations: spec.annotations } : {}),
      ...(spec.ownerRef ? { ownerReferences: [spec.ownerRef] } : {}),
    },
    spec: {
      ...(spec.node === undefined ? {} : { nodeName: spec.node }),
      automountServiceAccountToken: false,
      ...(spec.hostNetwork ? { hostNetwork: true } : {}),
      ...(spec.sidecars
        ? { initContainers: spec.sidecars.map((name) => ({ name, image: IMAGE, restartPolicy: 'Always' })) }
        : {}),
      containers: (spec.containers ?? [CONTAINER]).map((name) => ({ name, image: IMAGE })),
    },
  }
}

/** As a kubelet does after a readiness probe has changed its mind. Rejects when the pod is gone or another one. */
export async function setReady(api: Api, pod: Pod, ready: boolean): Promise<Pod> {
  return must(await patchStatus(api, pod, runningStatus(pod, { ready, ip: pod.status?.podIP })))
}

/** What a kubelet reports when all containers of a pod have ended well, by themselves or on SIGTERM. */
export function succeededStatus(pod: Pod): Record<string, unknown> {
  const end = { wallMillis: systemClock.wallNow(), reason: 'Completed', exitCode: 0 }
  return {
    phase: 'Succeeded',
    conditions: conditions(pod, false, 'PodCompleted'),
    ...containerStatuses(pod, (name) => endedContainer(name, end)),
  }
}

/** As a kubelet does when containers have changed: these are shown so, the others as they were. */
export async function showContainers(api: Api, pod: Pod, ...shown: readonly ContainerStatus[]): Promise<Pod> {
  const { namespace = 'default', name } = pod.metadata
  const found = must(await api.get(Pods, { namespace, name }))
  const statuses = containerStatuses(found, (each) => {
    const status = [...shown, ...statusesOf(found)].find((known) => known.name === each)
    return status ?? runningContainer(each, false, found.metadata.creationTimestamp)
  })
  const ready = Object.values(statuses)
    .flat()
    .every((status) => status.ready)
  return must(await patchStatus(api, pod, { conditions: conditions(found, ready, 'ContainersNotReady'), ...statuses }))
}

/** A node that says it is ready. Nobody renews its heartbeat, and the control plane here does not ask for it. */
export async function ensureNode(api: Api, name: string): Promise<void> {
  const found = await api.get(Nodes, { name })
  if (found.kind === 'ok') return
  const created = await api.create(Nodes, undefined, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
  })
  // Two tests may want the same node at once.
  if (created.kind !== 'exists') must(created)
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastTransitionTime: now() }
  must(await api.mergePatch(Nodes, { name }, { status: { conditions: [ready] } }, { subresource: 'status' }))
}

/** Stable per pod name, spread over 8 million addresses, and never in the range of cluster IPs (10.96.0.0/16). */
export function podAddress(namespace: string, name: string): string {
  const [a = 0, b = 0, c = 0] = createHash('sha256').update(`${namespace}/${name}`).digest()
  return `10.${128 + (a % 128)}.${b}.${c}`
}

interface Running {
  readonly ready: boolean
  readonly ip?: string | undefined
}

export function runningStatus(pod: Pod, { ready, ip }: Running): Record<string, unknown> {
  const podIP = ip ?? podAddress(pod.metadata.namespace ?? 'default', pod.metadata.name)
  const { creationTimestamp } = pod.metadata
  return {
    phase: 'Running',
    startTime: creationTimestamp,
    podIP,
    podIPs: [{ ip: podIP }],
    ...(pod.spec?.hostNetwork ? { hostIP: podIP, hostIPs: [{ ip: podIP }] } : {}),
    conditions: conditions(pod, ready, 'ContainersNotReady'),
    ...containerStatuses(pod, (name) => runningContainer(name, ready, creationTimestamp)),
  }
}

interface ContainerStatuses {
  readonly containerStatuses: readonly ContainerStatus[]
  readonly initContainerStatuses?: readonly ContainerStatus[]
}

function containerStatuses(pod: Pod, show: (name: string) => ContainerStatus): ContainerStatuses {
  const { containers, initContainers } = (pod.spec ?? {}) as {
    readonly containers?: readonly { readonly name: string }[]
    readonly initContainers?: readonly { readonly name: string }[]
  }
  const shown = (list: readonly { readonly name: string }[]) => list.map(({ name }) => show(name))
  return {
    containerStatuses: shown(containers ?? [{ name: CONTAINER }]),
    ...(initContainers ? { initContainerStatuses: shown(initContainers) } : {}),
  }
}

function statusesOf(pod: Pod): readonly ContainerStatus[] {
  const { containerStatuses = [], initContainerStatuses = [] } = (pod.status ?? {}) as Partial<ContainerStatuses>
  return [...containerStatuses, ...initContainerStatuses]
}

/** The time of a condition is that of its last change: what has not changed keeps it. */
function conditions(pod: Pod, ready: boolean, reason: string): unknown[] {
  const wanted = { PodScheduled: true, Initialized: true, ContainersReady: ready, Ready: ready }
  return Object.entries(wanted).map(([type, on]) => {
    const status = on ? 'True' : 'False'
    const before = pod.status?.conditions?.find((condition) => condition.type === type)
    const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now()) : now()
    return { type, status, lastTransitionTime, ...(on ? {} : { reason }) }
  })
}

/** Writes into the status of this very pod: of another one with its name it is a conflict. */
export function patchStatus(api: Api, pod: Pod, status: unknown): Promise<Outcome<Pod>> {
  const { namespace = 'default', name, uid } = pod.metadata
  return api.mergePatch(Pods, { namespace, name }, { metadata: { uid }, status }, { subresource: 'status' })
}

/** Kubernetes' times have whole seconds. */
function now(): string {
  return wholeSecond(systemClock.wallNow())
}
