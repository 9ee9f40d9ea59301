import type { Lease, Pod } from '../../kube/objects.ts'
import type { Revision } from '../store.ts'

/** What a write says to whoever reads the story; undefined: nothing that matters. */
export function told({ type, resource, object, previous }: Revision): string | undefined {
  const { name } = object.metadata
  switch (resource.plural) {
    case 'leases':
      return name === 'db' ? toldLease(type, object, previous) : undefined
    case 'pods':
      return toldPod(type, object, previous)
    default:
      return undefined
  }
}

function toldLease(type: Revision['type'], { spec }: Lease, previous: Lease | undefined): string | undefined {
  if (type === 'DELETED') return 'deletes the Lease'
  const [before, after] = [previous?.spec?.holderIdentity || undefined, spec?.holderIdentity || undefined]
  const number = spec?.leaseTransitions
  if (type === 'ADDED') return `creates the Lease: ${after ?? 'nobody'} holds it, number ${number}`
  if (before === after && number === previous?.spec?.leaseTransitions) return undefined
  if (before === after) return `begins anew in the Lease, number ${number}`
  return after === undefined
    ? `empties the Lease, which ${before} held`
    : `writes ${after} into the Lease in place of ${before ?? 'nobody'}, number ${number}`
}

function toldPod(type: Revision['type'], pod: Pod, previous: Pod | undefined): string | undefined {
  const { name } = pod.metadata
  if (type === 'DELETED') return `deletes pod ${name}`
  if (type === 'ADDED') return `creates pod ${name}`
  const [was, is] = [previous, pod].map((each) => each?.metadata.labels?.['db.leadergroup.io/role'] === 'leader')
  if (was !== is) return is ? `labels ${name} as the leader` : `takes the leader label off ${name}`
  const [wasReady, isReady] = [previous, pod].map(ready)
  return wasReady === isReady ? undefined : `says that ${name} is ${isReady ? '' : 'not '}ready`
}

function ready(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}
