/**
 * A change of leader without an operator: a hand that knows everything beforehand and does nothing but write. What is left
 * is what the cluster itself takes.
 */
import type { Api } from '../../src/kube/api.ts'
import { EndpointSlices, Leases, Pods } from '../../src/kube/objects.ts'
import { must } from '../controlplane/must.ts'
import { wallMillis } from './record.ts'
import { GROUP, HAND_LABEL, serviceOf } from './setting.ts'

interface Place {
  readonly api: Api
  readonly namespace: string
}

/** As an operator orders its writes: the Lease, the slice, the label off before it is on. Resolves to when it began. */
export async function changeByHand({ api, namespace }: Place, leader?: { readonly name: string }): Promise<number> {
  const { items } = must(await api.list(Pods, { namespace, labelSelector: `app=${GROUP}` }))
  const next = items.find(({ metadata: { name } }) => name !== leader?.name)
  if (!next) throw new Error(`there is no other pod in ${namespace}`)
  const { name, uid } = next.metadata
  const targetRef = { kind: 'Pod', namespace, name, uid }
  const endpoints = [{ addresses: [next.status!.podIP!], conditions: { ready: true }, targetRef }]
  const label = async (pod: string, role: string | null): Promise<void> => {
    const metadata = { labels: { [HAND_LABEL]: role } }
    must(await api.mergePatch(Pods, { namespace, name: pod }, { metadata }))
  }
  const at = wallMillis()
  must(await api.mergePatch(Leases, { namespace, name: GROUP }, { spec: { holderIdentity: `${name}_${uid}` } }))
  must(await api.mergePatch(EndpointSlices, { namespace, name: serviceOf('leader') }, { endpoints }))
  if (leader) await label(leader.name, null)
  await label(name, 'leader')
  return at
}
