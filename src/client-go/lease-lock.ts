import type { LeaseName } from '../lock/lease-name.ts'
import type { ElectorOptions } from '../lock/options.ts'
import type { ResourceLock, ResourceLockConfig } from './resource-lock.ts'

/** What a {@link LeaseLock} consists of. */
export interface LeaseLockOptions {
  /** Which Lease. All candidates must name the same one. */
  readonly leaseMeta: { readonly name: string; readonly namespace: string }
  /** Labels of a Lease that is created. Those of one that exists are its own. */
  readonly labels?: Readonly<Record<string, string>>
  /** The cluster. @default that of an Elector */
  readonly kube?: NonNullable<ElectorOptions['kube']>
  /** Who competes. */
  readonly lockConfig: ResourceLockConfig
}

/** A `coordination.k8s.io/v1` Lease as the lock. */
export class LeaseLock implements ResourceLock {
  /** That of `lockConfig`. */
  readonly identity: string
  /** The Lease by its name: the elector reads and writes it. */
  readonly lock: LeaseName
  /** The cluster, where one was given. */
  declare readonly kube?: NonNullable<ElectorOptions['kube']>
  readonly #options: LeaseLockOptions

  constructor(options: LeaseLockOptions) {
    const { leaseMeta, labels, kube, lockConfig } = options
    this.#options = options
    this.identity = lockConfig.identity
    this.lock = { ...leaseMeta, ...(labels ? { labels } : {}) }
    if (kube) this.kube = kube
  }

  /** `namespace/name` */
  describe(): string {
    const { namespace, name } = this.#options.leaseMeta
    return `${namespace}/${name}`
  }

  /** Passes `<identity> <message>` on to the recorder, as a Normal event of reason LeaderElection on the Lease. */
  recordEvent(message: string): unknown {
    const { namespace, name } = this.#options.leaseMeta
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name }
    const { eventRecorder } = this.#options.lockConfig
    return eventRecorder?.event(lease, 'Normal', 'LeaderElection', `${this.identity} ${message}`)
  }
}
