/** What an observer on its own watches sees of a failover, and when. */
import { systemClock } from '../../src/clock.ts'
import type { Api } from '../../src/kube/api.ts'
import { Leases, Pods, type KubeObject, type Lease, type Pod, type Resource } from '../../src/kube/objects.ts'
import { watch } from '../../src/kube/watch.ts'

interface EndpointSlice extends KubeObject {
  readonly endpoints?: readonly { readonly targetRef?: { readonly name?: string } }[]
}

const EndpointSlices: Resource<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
}

export interface Sighting {
  /** Monotonic milliseconds. */
  readonly at: number
  readonly what: string
}

export interface Observer {
  /** Everything seen since the last call of `begin`, in order. */
  readonly sightings: readonly Sighting[]
  begin(): void
}

/** Names of the group, its role label and its Service. */
export interface Observed {
  readonly namespace: string
  readonly group: string
  readonly role: string
  readonly service: string
}

/** Watches until the signal aborts. What stands when it starts is not a sighting. */
export function observe(api: Api, { namespace, group, role, service }: Observed, signal: AbortSignal): Observer {
  let sightings: Sighting[] = []
  const saw = (what: string): void => void sightings.push({ at: systemClock.now(), what })
  const labelled = new Set<string>()
  follow<Pod>(api, { resource: Pods, namespace }, signal, (pod, gone) => {
    const { name, labels } = pod.metadata
    if (gone) {
      labelled.delete(name)
      saw(`pod ${name} is gone`)
    } else if (labels?.[role] === 'leader' && !labelled.has(name)) {
      labelled.add(name)
      saw(`pod ${name} has the label ${role}=leader`)
    }
  })
  let holder = ''
  follow<Lease>(api, { resource: Leases, namespace, fieldSelector: `metadata.name=${group}` }, signal, (lease) => {
    const now = lease.spec?.holderIdentity?.split('_')[0] ?? ''
    if (now !== holder) saw(`the Lease names ${now || 'nobody'} in term ${lease.spec?.leaseTransitions}`)
    holder = now
  })
  let routed = ''
  const labelSelector = `kubernetes.io/service-name=${service}`
  follow<EndpointSlice>(api, { resource: EndpointSlices, namespace, labelSelector }, signal, (slice) => {
    const now = (slice.endpoints ?? []).map(({ targetRef }) => targetRef?.name).join(', ')
    if (now !== routed) saw(`the Service's EndpointSlice has ${now || 'no pod'}`)
    routed = now
  })
  return {
    get sightings() {
      return sightings
    },
    begin() {
      sightings = []
    },
  }
}

function follow<T extends KubeObject>(
  api: Api,
  source: { resource: Resource<T>; namespace: string; labelSelector?: string; fieldSelector?: string },
  signal: AbortSignal,
  saw: (object: T, gone: boolean) => void,
): void {
  const run = async (): Promise<void> => {
    const trim = (object: T): T => object
    for await (const change of watch(api, { ...source, trim }, { clock: systemClock, random: Math.random, signal })) {
      if (change.kind === 'reset') for (const object of change.objects) saw(object, false)
      else saw(change.object, change.kind === 'delete')
    }
  }
  void run()
}
