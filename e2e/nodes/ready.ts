/** What a node says of itself. */
import type { Api } from '../../src/kube/api.ts'
import type { KubeObject, Resource } from '../../src/kube/objects.ts'
import { must } from '../controlplane/must.ts'

interface NodeObject extends KubeObject {
  readonly spec?: { readonly taints?: readonly object[] }
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

const Nodes: Resource<NodeObject> = { group: '', version: 'v1', plural: 'nodes', kind: 'Node' }

/** All nodes are Ready, and nothing keeps pods away from any. */
export async function areAllOpen(api: Api): Promise<boolean> {
  const { items } = must(await api.list(Nodes, {}))
  return items.every((node) => saysReady(node) && (node.spec?.taints ?? []).length === 0)
}

export async function isReady(api: Api, name: string): Promise<boolean> {
  const found = await api.get(Nodes, { name })
  return found.kind === 'ok' && saysReady(found.object)
}

function saysReady({ status }: NodeObject): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false
}
