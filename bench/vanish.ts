/** Pods that die at once. */
import { inParallel } from './population.ts'
import type { Stage } from './stage.ts'

/**
 * Takes pods out of etcd, below the API server, whose watches then show each as deleted. Through the API a thousand
 * deletions are two thousand writes, which take longer than healing should: the time would be theirs. One by one, for
 * the API server ends its watches when two changes are of one revision.
 */
export async function vanish(
  { plane, signal }: Stage,
  pods: readonly { readonly namespace: string; readonly name: string }[],
): Promise<void> {
  await inParallel(pods, async ({ namespace, name }) => {
    const response = await fetch(`${plane.etcdUrl}/v3/kv/deleterange`, {
      method: 'POST',
      body: JSON.stringify({ key: Buffer.from(`/registry/pods/${namespace}/${name}`).toString('base64') }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]),
    })
    const text = await response.text()
    const { deleted } = JSON.parse(text) as { readonly deleted?: string }
    if (deleted !== '1') throw new Error(`pod ${namespace}/${name} is not in etcd: ${response.status} ${text}`)
  })
}
