import assert from 'node:assert/strict'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { Lease, Pod } from '../kube/objects.ts'
import { observedPod } from './observe.ts'
import { seePod } from './sight.ts'
import { trimEndpointSlice, trimGroup, trimLease, trimNode, trimPod, trimService } from './trim.ts'

const AT = { tick: 1, millis: 0, readMillis: undefined }

/** As the API server sends it, nulls and much else included. */
function sent(json: string): Pod {
  return JSON.parse(json) as Pod
}

const FULL = sent(`{
  "apiVersion": "v1", "kind": "Pod",
  "metadata": {
    "name": "db-0", "namespace": "shop", "uid": "u", "resourceVersion": "7", "generateName": "db-",
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "labels": {"app": "db", "__proto__": "x", "db.leadergroup.io/role": "leader"},
    "annotations": {
      "db.leadergroup.io/term": "4", "db.leadergroup.io/sealed": "g/3", "web.leadergroup.io/sealed": "",
      "leadergroup.io/ineligible": "true", "db.leadergroup.io/other": "x", "__proto__": "x",
      "kubectl.kubernetes.io/last-applied-configuration": "{}"
    },
    "managedFields": [{"manager": "kubelet"}], "ownerReferences": [{"kind": "StatefulSet"}]
  },
  "spec": {
    "nodeName": "n",
    "containers": [
      {"name": "c", "ports": [{"name": "sql", "containerPort": 5432, "protocol": "TCP"}, {"containerPort": 1}]}, {"name": "d"}
    ],
    "initContainers": [
      {"name": "once", "restartPolicy": "Never", "ports": [{"name": "never", "containerPort": 2}]},
      {"name": "beside", "restartPolicy": "Always", "ports": [{"name": "admin", "containerPort": 9000}]}
    ]
  },
  "status": {
    "phase": "Running", "podIP": "10.0.0.1",
    "conditions": [
      {"type": "Initialized", "status": "True"},
      {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:05Z", "lastProbeTime": null}
    ]
  }
}`)

describe('trim', () => {
  it('keeps of a pod what decides', () => {
    assert.deepEqual(
      JSON.stringify(trimPod(FULL)),
      JSON.stringify({
        metadata: {
          name: 'db-0',
          uid: 'u',
          resourceVersion: '7',
          namespace: 'shop',
          creationTimestamp: '2026-01-01T00:00:00Z',
          labels: FULL.metadata.labels,
          annotations: {
            'db.leadergroup.io/term': '4',
            'db.leadergroup.io/sealed': 'g/3',
            'web.leadergroup.io/sealed': '',
            'leadergroup.io/ineligible': 'true',
          },
        },
        spec: {
          nodeName: 'n',
          containers: [
            {
              ports: [
                { name: 'sql', containerPort: 5432, protocol: 'TCP' },
                { name: 'admin', containerPort: 9000 },
              ],
            },
          ],
        },
        status: {
          phase: 'Running',
          podIP: '10.0.0.1',
          conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:05Z' }],
        },
        shown: '?c/?d/?beside',
      }),
    )
  })

  it('loses nothing that a group sees', () => {
    const bare = sent('{"metadata": {"name": "a", "uid": "u", "resourceVersion": "1"}}')
    const going = sent(
      '{"metadata": {"name": "a", "uid": "u", "resourceVersion": "1", "labels": null, "annotations": null, "deletionTimestamp": "x"}, "status": {}}',
    )
    for (const pod of [
      { ...FULL, spec: { nodeName: 'n' } },
      bare,
      { ...going, metadata: { ...going.metadata, labels: {}, annotations: {} } },
    ]) {
      const seen = (object: Pod) =>
        observedPod(
          { object, seenAt: 1, readAt: undefined, sight: seePod(object, undefined, AT) },
          { group: 'db', selected: true, notReadySince: undefined, node: undefined },
        )
      assert.deepEqual(seen(trimPod(pod)), seen(pod))
    }
    assert.equal(trimPod(going).metadata.labels, undefined)
  })

  it('keeps one address, or all of several', () => {
    const [one, two] = [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }]
    const kept = (status: Pod['status']) => trimPod({ ...FULL, ...(status ? { status } : {}) }).status
    assert.deepEqual(kept({ podIP: one.ip, podIPs: [one] }), { podIP: one.ip })
    assert.deepEqual(kept({ podIPs: [one] }), { podIP: one.ip })
    assert.deepEqual(kept({ podIP: one.ip, podIPs: [one, two] }), { podIPs: [one, two] })
    assert.deepEqual(kept({ podIPs: null }), {})
  })

  it('is the same again', () => assert.deepEqual(trimPod(trimPod(FULL)), trimPod(FULL)))

  it('keeps all of a Lease and of a group but managedFields: they are written back', () => {
    const metadata = { name: 'db', uid: 'u', resourceVersion: '7', finalizers: ['x'], labels: { a: 'b' } }
    const spec = { holderIdentity: 'x', unknownToUs: 5 }
    const lease = { apiVersion: 'v1', kind: 'Lease', metadata: { ...metadata, managedFields: [{}] }, spec } as Lease
    assert.deepEqual(trimLease(lease), { ...lease, metadata })
    const group = {
      metadata: { ...metadata, managedFields: [{}] },
      spec: { selector: {} },
      status: { term: 4 },
    } as LeaderGroup
    assert.deepEqual(trimGroup(group), { ...group, metadata })
  })
})

describe('trim, of what routes', () => {
  const metadata = { name: 'db', namespace: 'shop', uid: 'u', resourceVersion: '7', managedFields: [{}] }
  const identity = { name: 'db', uid: 'u', resourceVersion: '7', namespace: 'shop' }
  const owner = (kind: string) => [{ apiVersion: 'x', kind, name: 'db', uid: 'o' }]

  it('keeps of a Service of ours all that is compared, whichever of its two marks is left', () => {
    const spec = { type: 'ClusterIP', clusterIP: '10.96.0.1', ports: null, externalTrafficPolicy: 'Local' }
    for (const mark of [{ labels: { 'leadergroup.io/group': 'db' } }, { ownerReferences: owner('LeaderGroup') }]) {
      const service = { metadata: { ...metadata, ...mark, annotations: { a: 'b' } }, spec }
      assert.deepEqual(trimService(service), {
        metadata: { ...identity, ...mark, annotations: { a: 'b' } },
        spec: { type: 'ClusterIP', clusterIP: '10.96.0.1' },
      })
    }
  })

  it('keeps of another Service its name and owner', () => {
    const ownerReferences = owner('Knative')
    const service = { metadata: { ...metadata, ownerReferences, labels: { a: 'b' } }, spec: { type: 'ClusterIP' } }
    assert.deepEqual(trimService(service), { metadata: { ...identity, ownerReferences } })
  })

  it('keeps all of a slice of ours, fields that it should not have included, and of others the labels that tell', () => {
    const labels = { 'endpointslice.kubernetes.io/managed-by': 'leadergroup.io', other: 'x' }
    const endpoints = [{ addresses: ['10.0.0.1'], hints: {} }]
    const ours = { metadata: { ...metadata, labels }, addressType: 'IPv4', endpoints, ports: null }
    assert.deepEqual(trimEndpointSlice(ours), { metadata: { ...identity, labels }, addressType: 'IPv4', endpoints })
    const telling = { 'kubernetes.io/service-name': 'db', 'endpointslice.kubernetes.io/managed-by': 'x' }
    const theirs = { ...ours, metadata: { ...metadata, labels: { ...telling, other: 'x' }, annotations: { a: 'b' } } }
    assert.deepEqual(trimEndpointSlice(theirs), { metadata: { ...identity, labels: telling }, addressType: 'IPv4' })
  })

  it('keeps of a node its zone', () => {
    const zone = { 'topology.kubernetes.io/zone': 'a' }
    assert.deepEqual(trimNode({ metadata: { ...metadata, labels: { ...zone, b: 'c' } } }), {
      metadata: { ...identity, labels: zone },
    })
    assert.deepEqual(trimNode({ metadata }), { metadata: identity })
  })
})
