/** Nodes on a cluster without any: what their kubelets, the node lifecycle controller and people do to them. */
import { systemClock } from '../src/clock.ts'
import type { Api } from '../src/kube/api.ts'
import { wholeSecond } from './container-status.ts'
import { must } from './controlplane/must.ts'
import { Nodes } from './pods.ts'

/** `Unknown`: its kubelet has not been heard of. */
export async function setNodeReady(api: Api, name: string, status: 'True' | 'False' | 'Unknown'): Promise<void> {
  const lastTransitionTime = wholeSecond(systemClock.wallNow())
  const ready = { type: 'Ready', status, reason: 'NodeStatus', lastTransitionTime }
  must(await api.mergePatch(Nodes, { name }, { status: { conditions: [ready] } }, { subresource: 'status' }))
}

/** A person asserts that the machine is off. */
export async function taintOutOfService(api: Api, name: string): Promise<void> {
  const taint = { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }
  must(await api.mergePatch(Nodes, { name }, { spec: { taints: [taint] } }))
}
