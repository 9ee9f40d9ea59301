import { systemClock, type Clock } from '../clock.ts'
import { Api } from '../kube/api.ts'
import { inClusterCredentials } from '../kube/in-cluster.ts'
import { kubeConfigCredentials, type KubeConfigLike } from '../kube/kubeconfig.ts'
import { undiciTransport } from '../kube/undici.ts'

export interface ConnectOptions {
  /**
   * A `KubeConfig` of `@kubernetes/client-node` fits.
   * @default the service account of the pod that this runs in
   */
  readonly kube?: KubeConfigLike
  /** @default the system's */
  readonly clock?: Clock
}

/** Connections to one API server, for any number of locks. Dispose of it when no elector uses them any more. */
export interface Connection extends AsyncDisposable {
  readonly api: Api
}

/** The API server's name in every cluster, which its certificate bears. */
const IN_CLUSTER = { host: 'kubernetes.default.svc', port: '443' }

/**
 * Opens nothing before the first request. Locks that share an `api` share its connections, of which those for locks are
 * kept apart from all others.
 *
 * @throws Error when `kube` has no current context with a cluster
 */
export function connect({ kube, clock = systemClock }: ConnectOptions = {}): Connection {
  const credentials = kube ? kubeConfigCredentials(kube, clock) : inClusterCredentials({ ...IN_CLUSTER, clock })
  const transport = undiciTransport({ credentials, userAgent: 'leadergroup leader-election' })
  return { api: new Api(transport, clock), [Symbol.asyncDispose]: () => transport.close() }
}
