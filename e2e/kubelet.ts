import { systemClock } from '../src/clock.ts'
import type { Api } from '../src/kube/api.ts'
import { type Pod, Pods } from '../src/kube/objects.ts'
import type { Outcome } from '../src/kube/outcome.ts'
import { watch } from '../src/kube/watch.ts'
import { must } from './controlplane/must.ts'
import { ensureNode, patchStatus, runningStatus, succeededStatus } from './pods.ts'

export interface KubeletOptions {
  readonly namespaces: readonly string[]
  /** The nodes whose pods it plays; they are made when they are missing. Default: `node-1`. */
  readonly nodes?: readonly string[]
  readonly signal: AbortSignal
}

/**
 * Plays the kubelet of nodes that do not exist: a pod bound to one of them becomes Running and Ready; one that is
 * being deleted shows its containers ended and then goes, as on a real node. Resolves when the signal aborts; rejects
 * when the API server refuses what a kubelet may do, or cannot be reached for a write.
 */
export async function playKubelet(api: Api, options: KubeletOptions): Promise<void> {
  const { namespaces, nodes = ['node-1'], signal } = options
  for (const node of nodes) await ensureNode(api, node)
  await Promise.all(namespaces.map((namespace) => playNamespace(api, namespace, nodes, signal)))
}

async function playNamespace(
  api: Api,
  namespace: string,
  nodes: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const source = { resource: Pods, namespace, trim: (pod: Pod) => pod }
  for await (const change of watch(api, source, { clock: systemClock, random: Math.random, signal })) {
    if (change.kind === 'delete') continue
    for (const pod of change.kind === 'reset' ? change.objects : [change.object]) {
      if (pod.spec?.nodeName !== undefined && nodes.includes(pod.spec.nodeName)) await step(api, pod)
    }
  }
}

/** One step towards where the pod should be. Its result comes back as an event, which asks for the next. */
async function step(api: Api, pod: Pod): Promise<void> {
  const { namespace = 'default', name, uid, deletionTimestamp } = pod.metadata
  const phase = pod.status?.phase
  const over = phase === 'Succeeded' || phase === 'Failed'
  if (deletionTimestamp === undefined) {
    if (phase === 'Pending') done(await patchStatus(api, pod, runningStatus(pod, { ready: true })))
  } else if (!over) {
    done(await patchStatus(api, pod, succeededStatus(pod)))
  } else {
    done(await api.delete(Pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } }))
  }
}

/** The pod may have gone, or be another one of its name by now: then there is nothing left to do for this one. */
function done(outcome: Outcome<unknown>): void {
  if (outcome.kind !== 'notFound' && outcome.kind !== 'conflict') must(outcome)
}
