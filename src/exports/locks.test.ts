import { strict as assert } from 'node:assert'
import { KubeConfig } from '@kubernetes/client-node'
import * as coordinatedEntry from './coordinated.ts'
import * as locksEntry from './locks.ts'

describe('exports', () => {
  it('of locks: every lock, and what they are told', () => {
    assert.deepEqual(Object.keys(locksEntry).toSorted(), [
      'LEADER_ANNOTATION',
      'UNKNOWN_HOLDER',
      'annotationLock',
      'configMapLock',
      'connect',
      'endpointsLock',
      'leaseLock',
      'multiLock',
    ])
  })

  it('of coordinated elections', () => {
    assert.deepEqual(Object.keys(coordinatedEntry).toSorted(), ['CoordinatedElector', 'connect', 'coordinated'])
  })

  it('connect to the cluster of client-node’s KubeConfig, with the first request', async () => {
    const { connect, configMapLock } = locksEntry
    const kube = new KubeConfig()
    kube.loadFromClusterAndUser(
      { name: 'c', server: 'https://127.0.0.1:1', skipTLSVerify: false },
      { name: 'u', token: 't' },
    )
    await using cluster = await connect({ kube })
    const { signal } = new AbortController()
    await assert.rejects(
      configMapLock(cluster.api, { name: 'db', namespace: 'default' }).read(signal),
      /GET \/api\/v1\/namespaces\/default\/configmaps\/db: no answer from the API server: .*ECONNREFUSED/,
    )
    await assert.rejects(connect({ kube: new KubeConfig() }), /no current context/)
  })
})
