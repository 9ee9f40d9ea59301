import assert from 'node:assert/strict'
import { Leases, Pods } from './objects.ts'
import { collectionPath, objectPath, withQuery } from './path.ts'

describe('path', () => {
  for (const [actual, expected] of [
    [collectionPath(Pods), '/api/v1/pods'],
    [collectionPath(Pods, 'ns'), '/api/v1/namespaces/ns/pods'],
    [collectionPath(Leases), '/apis/coordination.k8s.io/v1/leases'],
    [collectionPath(Leases, 'ns'), '/apis/coordination.k8s.io/v1/namespaces/ns/leases'],
    [objectPath(Leases, { namespace: 'ns', name: 'db' }), '/apis/coordination.k8s.io/v1/namespaces/ns/leases/db'],
    [objectPath(Pods, { namespace: 'ns', name: 'db-0' }, 'status'), '/api/v1/namespaces/ns/pods/db-0/status'],
    [objectPath(Pods, { namespace: 'a/b', name: '../c?d' }), '/api/v1/namespaces/a%2Fb/pods/..%2Fc%3Fd'],
    [withQuery('/p', {}), '/p'],
    [withQuery('/p', { limit: undefined }), '/p'],
    [
      withQuery('/p', { labelSelector: 'a in (b,c)', limit: 5, watch: true }),
      '/p?labelSelector=a%20in%20(b%2Cc)&limit=5&watch=true',
    ],
  ] as const) {
    it(expected, () => assert.equal(actual, expected))
  }
})
