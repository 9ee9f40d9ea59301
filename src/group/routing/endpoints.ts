import { ADDRESS_FAMILIES, type AddressFamily } from './address.ts'
import type { Endpoint, SlicePort } from './endpoint-slice.ts'
import { routableAddress, type RoutedPod } from './routed-pod.ts'
import type { ServiceWish, WishedPort } from './service-wish.ts'

/** Endpoints that may share slices: of one family, and with the same numbers behind the Service's ports. */
export interface EndpointSet {
  readonly family: AddressFamily
  readonly ports: readonly SlicePort[]
  /** By name of the pod. */
  readonly endpoints: readonly Endpoint[]
}

/** A pod that has no container port of the name that the Service targets. */
export interface UnresolvedPort {
  readonly service: string
  readonly targetPort: string
  readonly pod: string
}

/**
 * The endpoints of one Service. A named target port is looked up in each pod: pods of different revisions may have
 * different numbers behind one name, and then belong to different sets. A port that a pod does not have is reported and
 * left out; a pod that has none of the ports is left out, since a slice without ports can stand for all of them.
 */
export function endpointsFor(
  wish: ServiceWish,
  pods: readonly RoutedPod[],
  namespace: string,
  families: readonly AddressFamily[] = ADDRESS_FAMILIES,
): { readonly sets: readonly EndpointSet[]; readonly unresolved: readonly UnresolvedPort[] } {
  const sets = new Map<string, { family: AddressFamily; ports: readonly SlicePort[]; endpoints: Endpoint[] }>()
  const unresolved: UnresolvedPort[] = []
  for (const pod of pods.toSorted(byName)) {
    const addresses = families.flatMap((family) => {
      const address = routableAddress(pod, family)
      return address === undefined ? [] : [{ family, address }]
    })
    if (addresses.length === 0) continue
    const { ports, missing } = resolve(wish.ports, pod)
    for (const targetPort of missing) unresolved.push({ service: wish.name, targetPort, pod: pod.name })
    if (ports.length === 0) continue
    for (const { family, address } of addresses) {
      const key = `${family} ${portsKey(ports)}`
      const set = sets.get(key) ?? { family, ports, endpoints: [] }
      sets.set(key, set)
      set.endpoints.push(endpointOf(pod, namespace, address))
    }
  }
  return { sets: [...sets].toSorted(([a], [b]) => compare(a, b)).map(([, set]) => set), unresolved }
}

/** Equal for equal lists of ports, also for one that the server returned with its fields in another order. */
export function portsKey(ports: readonly object[]): string {
  return JSON.stringify(ports.map((port) => Object.entries(port).toSorted(([a], [b]) => compare(a, b))))
}

function resolve(
  wished: readonly WishedPort[],
  pod: RoutedPod,
): { readonly ports: readonly SlicePort[]; readonly missing: ReadonlySet<string> } {
  const ports: SlicePort[] = []
  const missing = new Set<string>()
  for (const { name = '', port, targetPort = port, protocol = 'TCP', appProtocol } of wished) {
    const number = typeof targetPort === 'number' ? targetPort : containerPort(pod, targetPort, protocol)
    if (number === undefined) missing.add(String(targetPort))
    else ports.push({ name, port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) })
  }
  return { ports, missing }
}

function containerPort(pod: RoutedPod, name: string, protocol: string): number | undefined {
  return pod.ports.find((port) => port.name === name && (port.protocol ?? 'TCP') === protocol)?.containerPort
}

/** The conditions mirror the pod, as the standard controller's do: a pod that terminates but serves is not ready. */
function endpointOf(pod: RoutedPod, namespace: string, address: string): Endpoint {
  const { name, uid, nodeName, zone, ready: serving, terminating } = pod
  return {
    addresses: [address],
    conditions: { ready: serving && !terminating, serving, terminating },
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
  }
}

function byName(a: RoutedPod, b: RoutedPod): number {
  return compare(a.name, b.name) || compare(a.uid, b.uid)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
