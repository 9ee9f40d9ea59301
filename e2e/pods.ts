/**
 * Pods on a cluster without nodes: the tests do what a scheduler and a kubelet would, through the same API.
 */
import { createHash } from 'node:crypto'
import { systemClock } from '../src/clock.ts'
import type { Api } from '../src/kube/api.ts'
import { type KubeObject, type OwnerReference, type Pod, Pods, type Resource } from '../src/kube/objects.ts'
import type { Outcome } from '../src/kube/outcome.ts'
import { must } from './controlplane/must.ts'

export const Nodes: Resource<KubeObject> = { group: '', version: 'v1', plural: 'nodes', kind: 'Node' }

/** It is never pulled: nothing here runs containers. */
const IMAGE = 'registry.k8s.io/pause:3.10'
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
      containers: [{ name: CONTAINER, image: IMAGE }],
    },
  }
}

/** As a kubelet does after a readiness probe has changed its mind. Rejects when the pod is gone or another one. */
export async function setReady(api: Api, pod: Pod, ready: boolean): Promise<Pod> {
  return must(await patchStatus(api, pod, runningStatus(pod, { ready, ip: pod.status?.podIP })))
}

/** What a kubelet reports when all containers of a pod have ended well, by themselves or on SIGTERM. */
export function succeededStatus(pod: Pod): Record<string, unknown> {
  const finishedAt = now()
  const startedAt = pod.metadata.creationTimestamp
  return {
    phase: 'Succeeded',
    conditions: conditions(pod, false, 'PodCompleted'),
    containerStatuses: [
      {
        ...containerStatus(false),
        started: false,
        state: { terminated: { exitCode: 0, reason: 'Completed', startedAt, finishedAt } },
      },
    ],
  }
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
  return {
    phase: 'Running',
    startTime: pod.metadata.creationTimestamp,
    podIP,
    podIPs: [{ ip: podIP }],
    conditions: conditions(pod, ready, 'ContainersNotReady'),
    containerStatuses: [
      { ...containerStatus(ready), state: { running: { startedAt: pod.metadata.creationTimestamp } } },
    ],
  }
}

function containerStatus(ready: boolean): Record<string, unknown> {
  return { name: CONTAINER, image: IMAGE, imageID: '', restartCount: 0, ready, started: true }
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
  return new Date(systemClock.wallNow()).toISOString().replace(/\.\d+Z$/, 'Z')
}
