import { strict as assert } from 'node:assert'
import { objectPath } from '../path.ts'
import { AnyPods, complete, Groups, GROUP_SPEC, keyOf, ok, refused, type Subject } from './subject.ts'

const STATUS = { candidates: 1 }

export function describeStatus(get: () => Subject): void {
  describe('a group', () => {
    it('gets the defaults of its schema, and loses what that does not know', async () => {
      const spec = { ...GROUP_SPEC, unknown: 1 }
      const created = await get().create(Groups, { metadata: { name: get().key().name }, spec, unknown: 1 })
      assert.deepEqual([created.spec?.['mode'], created.spec?.['paused']], ['Assign', false])
      assert.deepEqual([created.spec?.['unknown'], (created as { unknown?: number }).unknown], [undefined, undefined])
      const patch = { spec: { mode: null, paused: null } }
      const patched = ok(await get().api.mergePatch(Groups, keyOf(created), patch))
      assert.deepEqual([patched.spec, patched.metadata.generation], [created.spec, 1])
    })
  })

  describe('the status of a group', () => {
    it('that only the schema gave is stored by the first write, even one that changes nothing', async function () {
      const group = await get().group()
      if (group.status === undefined) return this.skip()
      const versions = [BigInt(group.metadata.resourceVersion)]
      for (let round = 0; round < 2; round++) {
        const patched = ok(await get().api.mergePatch(Groups, keyOf(group), {}))
        assert.deepEqual(patched.status, group.status)
        versions.push(BigInt(patched.metadata.resourceVersion))
      }
      const [created = 0n, first = 0n, second] = versions
      assert.ok(first > created)
      assert.equal(second, first)
    })

    it('is dropped by create', async () => {
      const object = complete(Groups, { metadata: { name: get().key().name }, spec: GROUP_SPEC, status: STATUS })
      const created = ok(await get().api.create(Groups, get().namespace, object))
      assert.equal(created.status?.['candidates'], undefined)
    })

    it('is not written by the main resource', async () => {
      const group = await get().group()
      ok(await get().api.mergePatch(Groups, keyOf(group), { status: STATUS }, { subresource: 'status' }))
      const patch = { metadata: { labels: { a: '1' } }, status: { candidates: 9 } }
      const patched = ok(await get().api.mergePatch(Groups, keyOf(group), patch))
      assert.deepEqual([patched.status?.['candidates'], patched.metadata.labels], [1, { a: '1' }])
      const replaced = ok(await get().api.replace(Groups, keyOf(group), { ...patched, status: undefined }))
      assert.deepEqual(replaced.status, patched.status)
    })

    it('is all that its own endpoint writes', async () => {
      const group = await get().group({ labels: { a: '1' } })
      const other = { metadata: { labels: { b: '1' }, finalizers: ['x.io/y'] }, spec: { paused: true } }
      const patched = ok(
        await get().api.mergePatch(Groups, keyOf(group), { ...other, status: STATUS }, { subresource: 'status' }),
      )
      const { resourceVersion, uid } = patched.metadata
      const metadata = { ...other.metadata, name: group.metadata.name, resourceVersion, uid }
      const whole = complete(Groups, { metadata, spec: group.spec, status: { candidates: 2 } })
      const replaced = ok(await get().api.replace(Groups, keyOf(group), whole, { subresource: 'status' }))
      for (const [written, candidates] of [
        [patched, 1],
        [replaced, 2],
      ] as const) {
        assert.deepEqual([written.spec, written.status?.['candidates']], [group.spec, candidates])
        assert.deepEqual([written.metadata.labels, written.metadata.finalizers], [{ a: '1' }, undefined])
      }
    })

    it('does not move the generation; a change of the spec does', async () => {
      const group = await get().group()
      const { api } = get()
      const generations = [
        group,
        ok(await api.mergePatch(Groups, keyOf(group), { status: STATUS }, { subresource: 'status' })),
        ok(await api.mergePatch(Groups, keyOf(group), { metadata: { labels: { a: '1' } } })),
        ok(await api.mergePatch(Groups, keyOf(group), { spec: { paused: true } })),
        ok(await api.mergePatch(Groups, keyOf(group), { spec: { paused: true } })),
        ok(await api.mergePatch(Groups, keyOf(group), { spec: { paused: false } })),
      ].map(({ metadata }) => metadata.generation)
      assert.deepEqual(generations, [1, 1, 1, 2, 2, 3])
    })

    it('is written with the version as a precondition, by PUT and by patch', async () => {
      const group = await get().group()
      ok(await get().api.mergePatch(Groups, keyOf(group), { metadata: { labels: { a: '1' } } }))
      const late = { metadata: { resourceVersion: group.metadata.resourceVersion }, status: STATUS }
      refused(await get().api.mergePatch(Groups, keyOf(group), late, { subresource: 'status' }), 'conflict')
      refused(
        await get().api.replace(Groups, keyOf(group), { ...group, status: STATUS }, { subresource: 'status' }),
        'conflict',
      )
    })

    it('takes the UID as a precondition by PUT only: a merge patch with a wrong one is applied', async () => {
      const group = await get().group()
      const wrong = { ...group, metadata: { ...group.metadata, uid: 'another' }, status: STATUS }
      const path = objectPath(Groups, keyOf(group), 'status')
      assert.equal(await get().status('PUT', path, wrong), 409)
      assert.equal(await get().status('PATCH', path, { metadata: { uid: 'another' }, status: STATUS }), 200)
      assert.equal(ok(await get().api.get(Groups, keyOf(group))).status?.['candidates'], 1)
    })

    it('of a group that is not there finds nothing', async () => {
      const patch = { status: STATUS }
      refused(await get().api.mergePatch(Groups, get().key(), patch, { subresource: 'status' }), 'notFound')
    })
  })

  describe('the status of a pod', () => {
    it('is Pending at first, whatever was sent, and not written by the main resource', async () => {
      const pod = await get().pod()
      const patch = { metadata: { labels: { a: '1' } }, status: { phase: 'Running' } }
      const patched = ok(await get().api.mergePatch(AnyPods, keyOf(pod), patch))
      assert.equal(patched.status?.['phase'], 'Pending')
    })

    it('is written by its own endpoint, which takes labels too, checks the UID, and leaves the spec', async () => {
      const pod = await get().pod()
      const status = { phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] }
      const patch = { metadata: { labels: { a: '1' } }, spec: { nodeName: 'other' }, status }
      const patched = ok(await get().api.mergePatch(AnyPods, keyOf(pod), patch, { subresource: 'status' }))
      assert.deepEqual([patched.status?.['phase'], patched.status?.['podIP']], ['Running', '10.0.0.1'])
      assert.deepEqual([patched.metadata.labels, patched.spec?.['nodeName']], [{ a: '1' }, 'contract'])
      const wrong = { metadata: { uid: 'another' }, status: { phase: 'Failed' } }
      refused(await get().api.mergePatch(AnyPods, keyOf(pod), wrong, { subresource: 'status' }), 'conflict')
    })
  })
}
