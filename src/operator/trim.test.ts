import assert from 'node:assert/strict'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { Lease, Pod } from '../kube/objects.ts'
import { observedPod } from './observe.ts'
import { trimGroup, trimLease, trimPod } from './trim.ts'

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
      {"name": "once", "ports": [{"name": "never", "containerPort": 2}]},
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
        observedPod({ object, seenAt: 1, readAt: undefined }, 'db', true, undefined, undefined)
      assert.deepEqual(seen(trimPod(pod)), seen(pod))
    }
    assert.equal(trimPod(going).metadata.labels, undefined)
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
