/** One item of `spec.services`, as the API server returns it: what the CRD bounds is not checked again. */
export interface ServiceWish {
  readonly name: string
  readonly role: 'Leader' | 'Follower'
  /**
   * Direct: a Service without selector, whose EndpointSlices the operator writes. Selector: a Service that selects the
   * role label, whose slices the standard controller writes. Default: Direct.
   */
  readonly routing?: Routing
  readonly ports: readonly WishedPort[]
  /** Default: ClusterIP. */
  readonly type?: ServiceType
  /** No cluster IP: names resolve to the pods' own addresses. Default: false. */
  readonly headless?: boolean
  /** Default: None. */
  readonly sessionAffinity?: 'None' | 'ClientIP'
  /** Default: the cluster's own. */
  readonly ipFamilyPolicy?: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack'
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}

export type Routing = 'Direct' | 'Selector'
export type ServiceType = 'ClusterIP' | 'NodePort' | 'LoadBalancer'
export type Protocol = 'TCP' | 'UDP' | 'SCTP'

export interface WishedPort {
  /** May be absent where there is one port only. */
  readonly name?: string
  readonly port: number
  /** A number, or the name of a container port. Default: `port`. */
  readonly targetPort?: number | string
  /** Default: TCP. */
  readonly protocol?: Protocol
  readonly appProtocol?: string
}

export function routingOf(wish: ServiceWish): Routing {
  return wish.routing ?? 'Direct'
}
