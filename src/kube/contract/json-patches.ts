import { strict as assert } from 'node:assert'
import type { JsonPatchStep } from '../api.ts'
import { ConfigMaps, Endpoints, type KubeObject, type Resource } from '../objects.ts'
import { keyOf, ok, refused, type Subject } from './subject.ts'

const NOTE = '/metadata/annotations/example.com~1note'
const test = (path: string, value: unknown): JsonPatchStep => ({ op: 'test', path, value })
const add = (path: string, value: unknown): JsonPatchStep => ({ op: 'add', path, value })

export function describeJsonPatches(get: () => Subject): void {
  for (const resource of [ConfigMaps, Endpoints]) {
    describe(`a JSON patch of ${resource.plural}`, () => {
      it('replaces a value that is as it was tested, though the object has changed meanwhile', async () => {
        const object = await noted(get(), resource)
        const { metadata } = ok(await edited(get(), resource, object))
        const patched = ok(await get().api.jsonPatch(resource, keyOf(object), [test(NOTE, 'a "1"'), add(NOTE, 'b')]))
        assert.deepEqual(patched.metadata.annotations, { 'example.com/note': 'b', by: 'hand' })
        assert(BigInt(patched.metadata.resourceVersion) > BigInt(metadata.resourceVersion))
      })

      it('changes nothing when a test fails: a value, a key that is not there, the version, the UID', async () => {
        const object = await noted(get(), resource)
        for (const failing of [
          test(NOTE, 'a'),
          test('/metadata/annotations/other', 'a'),
          test('/metadata/finalizers', 'a'),
          test('/metadata/resourceVersion', '1'),
          test('/metadata/uid', 'another'),
        ]) {
          refused(await get().api.jsonPatch(resource, keyOf(object), [failing, add(NOTE, 'b')]), 'invalid')
        }
        assert.deepEqual(ok(await get().api.get(resource, keyOf(object))), object)
      })

      it('knows UID and version of what it tests, and adds the annotations where there are none', async () => {
        const object = await get().create(resource, { metadata: { name: get().key().name } })
        const { uid, resourceVersion } = object.metadata
        const tests = [test('/metadata/uid', uid), test('/metadata/resourceVersion', resourceVersion)]
        refused(await get().api.jsonPatch(resource, keyOf(object), [...tests, add(NOTE, 'b')]), 'invalid')
        const whole = add('/metadata/annotations', { 'example.com/note': 'b' })
        const patched = ok(await get().api.jsonPatch(resource, keyOf(object), [...tests, whole]))
        assert.deepEqual(patched.metadata.annotations, { 'example.com/note': 'b' })
        refused(await get().api.jsonPatch(resource, keyOf(object), [...tests, whole]), 'invalid')
      })

      it('finds nothing to patch where there is nothing', async () => {
        refused(await get().api.jsonPatch(resource, get().key(), [add('/metadata/labels', { a: 'b' })]), 'notFound')
      })
    })
  }
}

function noted(subject: Subject, resource: Resource<KubeObject>): Promise<KubeObject> {
  const metadata = { name: subject.key().name, annotations: { 'example.com/note': 'a "1"' } }
  return subject.create(resource, { metadata })
}

const edited = (subject: Subject, resource: Resource<KubeObject>, object: KubeObject) =>
  subject.api.mergePatch(resource, keyOf(object), { metadata: { annotations: { by: 'hand' } } })
