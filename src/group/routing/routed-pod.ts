import type { ContainerPort } from '../../kube/objects.ts'
import { addressFamily, type AddressFamily } from './address.ts'

/** A pod as routing looks at it. */
export interface RoutedPod {
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** Tick at which this version was read, as in `observation.ts`. */
  readonly seenAt: number
  /** All of `status.podIPs`, or `status.podIP` alone where that is all there is. */
  readonly podIPs: readonly string[]
  readonly nodeName: string | undefined
  /** Label `topology.kubernetes.io/zone` of the pod or its node. */
  readonly zone: string | undefined
  readonly ready: boolean
  readonly terminating: boolean
  readonly phase: string | undefined
  /** Those with a name, of all containers, restartable init containers included. */
  readonly ports: readonly ContainerPort[]
}

/** The pod's address of a family; undefined while it has none, and for good once none of its containers runs. */
export function routableAddress(pod: RoutedPod, family: AddressFamily): string | undefined {
  // The address of a pod that ended may belong to another pod already.
  if (pod.phase === 'Succeeded' || pod.phase === 'Failed') return undefined
  return pod.podIPs.find((address) => addressFamily(address) === family)
}
