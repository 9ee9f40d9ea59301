/** A control plane and what tests ask of it. */
import { randomBytes } from 'node:crypto'
import { systemClock } from '../../src/clock.ts'
import { Api } from '../../src/kube/api.ts'
import type { KubeObject, Resource } from '../../src/kube/objects.ts'
import { type UndiciTransport, undiciTransport } from '../../src/kube/undici.ts'
import type { ControlPlane } from './controlplane.ts'
import { installCrd } from './crd.ts'
import { eventually } from './eventually.ts'
import { must } from './must.ts'
import { type ControlPlaneOptions, startControlPlane } from './start.ts'

export const Namespaces: Resource<KubeObject> = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' }
export const ServiceAccounts: Resource<KubeObject> = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
}

/** Starts a control plane; dispose of it to stop that. */
export async function openCluster(options: ControlPlaneOptions = {}): Promise<Cluster> {
  return new Cluster(await startControlPlane(options))
}

/** After an API server was away, the controller manager's informers wait before they list again: 30 s, and jitter doubles that. */
export const INFORMER_MILLIS = 90_000

export class Cluster implements AsyncDisposable {
  readonly plane: ControlPlane
  /** As a user who may do everything. Closed together with the control plane. */
  readonly api: Api
  readonly #transport: UndiciTransport
  #crd: Promise<void> | undefined

  constructor(plane: ControlPlane) {
    this.plane = plane
    this.#transport = this.transport(plane.adminToken, 'leadergroup-e2e')
    this.api = new Api(this.#transport, systemClock, { fieldManager: 'e2e' })
  }

  /** Connections of their own, as whoever the token belongs to; to be closed by the caller. */
  transport(token: string, userAgent: string): UndiciTransport {
    const access = { tls: { ca: this.plane.ca }, headers: { authorization: `Bearer ${token}` } }
    const credentials = { server: this.plane.server, load: () => Promise.resolve(access) }
    return undiciTransport({ credentials, userAgent })
  }

  /** The LeaderGroup resource, installed once. */
  installCrd(): Promise<void> {
    return (this.#crd ??= installCrd(this.plane))
  }

  /** A namespace of its own for a test, with the service account that its pods need. Resolves to its name. */
  async createNamespace(prefix = 'test'): Promise<string> {
    const name = `${prefix}-${randomBytes(4).toString('hex')}`
    must(await this.api.create(Namespaces, undefined, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
    await eventually(
      { what: `the default service account of namespace ${name}`, millis: INFORMER_MILLIS },
      async () => {
        const found = await this.api.get(ServiceAccounts, { namespace: name, name: 'default' })
        return found.kind === 'ok' ? true : undefined
      },
    )
    return name
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport.close()
    await this.plane.stop()
  }
}
