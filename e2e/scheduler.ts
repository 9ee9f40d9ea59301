import { systemClock } from '../src/clock.ts'
import type { Api } from '../src/kube/api.ts'
import { Pods, type Pod } from '../src/kube/objects.ts'
import { watch } from '../src/kube/watch.ts'
import { kubectl } from './kubectl.ts'

/** Plays the scheduler: every pod of the namespace that waits for a node gets this one. Resolves when the signal aborts. */
export async function playScheduler(api: Api, namespace: string, node: string, signal: AbortSignal): Promise<void> {
  const source = { resource: Pods, namespace, trim: (pod: Pod) => pod }
  for await (const change of watch(api, source, { clock: systemClock, random: Math.random, signal })) {
    if (change.kind === 'delete') continue
    for (const { metadata, spec } of change.kind === 'reset' ? change.objects : [change.object]) {
      if (spec?.nodeName !== undefined || metadata.deletionTimestamp !== undefined) continue
      await bind(namespace, metadata.name, node)
    }
  }
}

/** The event may be older than a binding made meanwhile, or than the end of the pod. */
async function bind(namespace: string, pod: string, node: string): Promise<void> {
  const target = { apiVersion: 'v1', kind: 'Node', name: node }
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: pod }, target }
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/binding`
  const { code, stderr } = await kubectl(['create', '--raw', path], JSON.stringify(binding))
  if (code !== 0 && !/already assigned|being deleted|NotFound/.test(stderr)) throw new Error(stderr)
}
