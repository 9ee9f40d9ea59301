import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { groupOfKey } from '../group/keys.ts'
import type { KubeObject } from '../kube/objects.ts'
import { runs } from '../sim/runs.ts'
import {
  anyGroupObject,
  anyLeaseObject,
  anyNodeObject,
  anyPodObject,
  anyServiceObject,
  anySliceObject,
} from './any-objects-fixtures.ts'
import { trimEndpointSlice, trimGroup, trimLease, trimNode, trimPod, trimService } from './trim.ts'

const TRIMS: readonly (readonly [string, fc.Arbitrary<KubeObject>, (object: never) => KubeObject])[] = [
  ['a pod', anyPodObject, trimPod],
  ['a Lease', anyLeaseObject, trimLease],
  ['a group', anyGroupObject, trimGroup],
  ['a Service', anyServiceObject, trimService],
  ['an EndpointSlice', anySliceObject, trimEndpointSlice],
  ['a node', anyNodeObject, trimNode],
]

describe('what is kept of', () => {
  for (const [what, objects, trim] of TRIMS) {
    it(`${what}, whatever it holds, is its identity and nothing new, and the same each time`, () => {
      fc.assert(
        fc.property(objects, (object) => {
          const before = structuredClone(object)
          const kept = trim(object as never)
          assert.deepEqual(object, before)
          assert.deepEqual(trim(before as never), kept)
          const { name, namespace, uid, resourceVersion } = object.metadata
          assert.deepEqual(
            [kept.metadata.name, kept.metadata.namespace, kept.metadata.uid, kept.metadata.resourceVersion],
            [name, namespace, uid, resourceVersion],
          )
        }),
        runs(1000),
      )
    })
  }

  it('a pod are all keys of groups', () => {
    const ofGroups = (texts: Readonly<Record<string, string>> = {}): readonly [string, string][] =>
      Object.entries(texts).filter(([key]) => groupOfKey(key) !== undefined)
    fc.assert(
      fc.property(anyPodObject, (pod) => {
        const kept = trimPod(pod)
        assert.deepEqual(ofGroups(kept.metadata.annotations), ofGroups(pod.metadata.annotations))
        assert.deepEqual(kept.metadata.labels, pod.metadata.labels)
      }),
      runs(500),
    )
  })
})
