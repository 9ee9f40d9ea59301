/** Pods that die at once. */
import type { Stage } from './stage.ts'
import type { Member } from './population.ts'

/** etcd takes no more operations in one transaction by default. */
const OPERATIONS = 128

/**
 * Takes pods out of etcd, below the API server, whose watches then show each as deleted. Through the API a thousand
 * deletions are two thousand writes, which take longer than healing should: the time would be theirs.
 */
export async function vanish(
  stage: Stage,
  pods: readonly (Pick<Member, 'namespace'> & { name: string })[],
): Promise<void> {
  for (let start = 0; start < pods.length; start += OPERATIONS) {
    const success = pods.slice(start, start + OPERATIONS).map(({ namespace, name }) => ({
      requestDeleteRange: { key: Buffer.from(`/registry/pods/${namespace}/${name}`).toString('base64') },
    }))
    const response = await fetch(`${stage.plane.etcdUrl}/v3/kv/txn`, {
      method: 'POST',
      body: JSON.stringify({ success }),
      signal: AbortSignal.any([stage.signal, AbortSignal.timeout(10_000)]),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`etcd: ${response.status} ${text}`)
    const { responses = [] } = JSON.parse(text) as {
      responses?: readonly { readonly response_delete_range?: { readonly deleted?: string } }[]
    }
    const deleted = responses.filter((each) => each.response_delete_range?.deleted === '1').length
    if (deleted !== success.length) throw new Error(`etcd: ${deleted} of ${success.length} pods were there`)
  }
}
