/** What a node says of itself. */
import type { Api } from '../../src/kube/api.ts'
import type { KubeObject, Resource } from '../../src/kube/objects.ts'

interface NodeObject extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

const Nodes: Resource<NodeObject> = { group: '', version: 'v1', plural: 'nodes', kind: 'Node' }

export async function isReady(api: Api, name: string): Promise<boolean> {
  const found = await api.get(Nodes, { name })
  if (found.kind !== 'ok') return false
  return found.object.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}
