import { systemClock, type Clock } from '../clock.ts'
import type { Api } from '../kube/api.ts'
import type { KubeConfigLike } from '../kube/kube-config-like.ts'
import { surroundings } from './surroundings.ts'

/** To which API server, and with whose credentials. */
export interface ConnectOptions {
  /**
   * A `KubeConfig` of `@kubernetes/client-node` fits.
   * @default the service account of the pod that this runs in; outside of a pod, the kubeconfig that kubectl would read
   */
  readonly kube?: KubeConfigLike
  /** @default the system's */
  readonly clock?: Clock
}

/** Connections to one API server, for any number of locks. Dispose of it when no elector uses them any more. */
export interface Connection extends AsyncDisposable {
  /** What locks are made of. */
  readonly api: Api
}

/**
 * Opens nothing before the first request. Locks that share an `api` share its connections, of which those for locks are
 * kept apart from all others.
 *
 * Rejects when credentials cannot be read, or when `kube` has no current context with a cluster.
 */
export async function connect({ kube, clock = systemClock }: ConnectOptions = {}): Promise<Connection> {
  const { api, close } = await surroundings.connect(kube, clock)
  return { api, [Symbol.asyncDispose]: close }
}
