import { InvalidOptionsError } from '../lock/errors.ts'
import type { ElectorOptions } from '../lock/options.ts'
import { LeaseLock } from './lease-lock.ts'
import type { ResourceLock, ResourceLockConfig } from './resource-lock.ts'

/** What became of the lock types that client-go had once. */
const REMOVED: Readonly<Record<string, string>> = {
  endpoints: 'endpoints lock is removed, migrate to leases',
  configmaps: 'configmaps lock is removed, migrate to leases',
  endpointsleases: 'endpointsleases lock is removed, migrate to leases',
  configmapsleases: 'configmapsleases lock is removed, migrated to leases',
}

/**
 * The lock of a type that is named in a configuration, on the cluster of a kubeconfig. The limit of its requests follows
 * from renewDeadline in the elector, and its connections are shared with no other client.
 *
 * @param lockType `leases`
 * @throws InvalidOptionsError in client-go's words for any other type
 */
export function newFromKubeconfig(
  lockType: string,
  namespace: string,
  name: string,
  lockConfig: ResourceLockConfig,
  kube?: NonNullable<ElectorOptions['kube']>,
): ResourceLock {
  if (lockType !== 'leases') {
    const isRemoved = Object.hasOwn(REMOVED, lockType)
    throw new InvalidOptionsError([isRemoved ? REMOVED[lockType]! : `Invalid lock-type ${lockType}`])
  }
  return new LeaseLock({ leaseMeta: { namespace, name }, lockConfig, ...(kube ? { kube } : {}) })
}
