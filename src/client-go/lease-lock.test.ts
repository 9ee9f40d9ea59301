import { strict as assert } from 'node:assert'
import { LeaseLock } from './lease-lock.ts'
import { newFromKubeconfig } from './new-from-kubeconfig.ts'

const leaseMeta = { namespace: 'shop', name: 'db' }
const kube = {
  getCurrentCluster: () => ({ server: 'https://example.com' }),
  applyToHTTPSOptions: () => Promise.resolve(),
}

describe('client-go’s LeaseLock', () => {
  it('is a Lease by its name, on the cluster that is given', () => {
    const lock = new LeaseLock({ leaseMeta, labels: { app: 'db' }, kube, lockConfig: { identity: 'a' } })
    assert.deepEqual(
      [lock.identity, lock.describe(), lock.lock, lock.kube],
      ['a', 'shop/db', { ...leaseMeta, labels: { app: 'db' } }, kube],
    )
    assert.equal(lock.recordEvent('became leader'), undefined, 'nobody wants to know')
  })

  it('tells its recorder, in client-go’s words', () => {
    const told: unknown[] = []
    const eventRecorder = { event: (...event: readonly unknown[]) => told.push(event) }
    const lock = new LeaseLock({ leaseMeta, lockConfig: { identity: 'a', eventRecorder } })
    lock.recordEvent('became leader')
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...leaseMeta }
    assert.deepEqual(told, [[lease, 'Normal', 'LeaderElection', 'a became leader']])
  })
})

describe('client-go’s NewFromKubeconfig', () => {
  it('makes the lock of the type leases', () => {
    const lock = newFromKubeconfig('leases', 'shop', 'db', { identity: 'a' }, kube)
    assert.deepEqual([lock.identity, lock.lock, lock.kube], ['a', leaseMeta, kube])
    assert.equal('kube' in newFromKubeconfig('leases', 'shop', 'db', { identity: 'a' }), false)
  })

  for (const [type, message] of [
    ['endpoints', 'endpoints lock is removed, migrate to leases'],
    ['configmaps', 'configmaps lock is removed, migrate to leases'],
    ['endpointsleases', 'endpointsleases lock is removed, migrate to leases'],
    ['configmapsleases', 'configmapsleases lock is removed, migrated to leases'],
    ['toString', 'Invalid lock-type toString'],
  ] as const) {
    it(`refuses the type ${type}`, () => {
      const refused = { name: 'InvalidOptionsError', violations: [message] }
      assert.throws(() => newFromKubeconfig(type, 'shop', 'db', { identity: 'a' }), refused)
    })
  }
})
