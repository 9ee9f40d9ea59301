import type { OwnerReference, ServicePort } from '../../kube/objects.ts'

/** A Service as read, with what the API server has filled in. */
export interface ObservedService {
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** Tick at which this version was first seen. */
  readonly seenAt: number
  /** It is being deleted, and something (a load balancer's clean-up) holds it. */
  readonly terminating: boolean
  readonly ownerReferences: readonly OwnerReference[]
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly type: string | undefined
  /** `None`: headless. */
  readonly clusterIP: string | undefined
  readonly selector: Readonly<Record<string, string>>
  readonly ports: readonly ServicePort[]
  readonly sessionAffinity: string | undefined
  readonly ipFamilyPolicy: string | undefined
  readonly ipFamilies: readonly string[]
}
