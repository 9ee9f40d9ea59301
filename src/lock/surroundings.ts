import type { Clock } from '../clock.ts'
import type { Api } from '../kube/api.ts'
import type { KubeConfigLike } from '../kube/kube-config-like.ts'

/** What an elector takes from its process and pod where its options say nothing. */
export interface Surroundings {
  /** Unique among all processes that may contend; the same again for a container that restarts in its pod. */
  readonly identity: () => string
  /** The namespace of the pod that this runs in; undefined outside of one. */
  readonly namespace: () => string | undefined
  /** Whether `connect` knows a cluster without being given one. */
  readonly hasCluster: () => boolean
  /** Rejects when credentials cannot be read. Requests nothing. */
  readonly connect: (kube: KubeConfigLike | undefined, clock: Clock) => Promise<ApiConnection>
}

export interface ApiConnection {
  readonly api: Api
  /** Ends all connections; requests under way reject. */
  readonly close: () => Promise<void>
}

/** For electors that are given everything. */
export const NOWHERE: Surroundings = {
  identity: () => '',
  namespace: () => undefined,
  hasCluster: () => false,
  connect: () => Promise.reject(new Error('there is no cluster here')),
}
