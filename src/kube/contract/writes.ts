import { strict as assert } from 'node:assert'
import { Leases } from '../objects.ts'
import { objectPath } from '../path.ts'
import { AnyLeases, AnyPods, Groups, keyOf, ok, refused, Services, Slices, type Subject } from './subject.ts'

const MICRO_TIME = '2026-01-01T00:00:00.123456Z'

export function describeWrites(get: () => Subject): void {
  describe('create', () => {
    it('sets UID, version and creation time, whatever was sent', async () => {
      const { metadata } = await get().lease({ uid: 'mine', creationTimestamp: '2001-01-01T00:00:00Z' })
      assert.match(metadata.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
      assert.match(metadata.resourceVersion, /^\d+$/)
      assert.match(metadata.creationTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.notEqual(metadata.creationTimestamp, '2001-01-01T00:00:00Z')
      assert.equal(metadata.namespace, get().namespace)
    })

    it('is refused for a name that is taken', async () => {
      const { metadata } = await get().lease()
      refused(await get().api.create(Leases, get().namespace, { metadata: { name: metadata.name } }), 'exists')
    })

    it('is refused without a name, with an impossible one, and for another namespace', async () => {
      const { api, namespace } = get()
      refused(await api.create(Leases, namespace, { metadata: {} }), 'invalid')
      refused(await api.create(Leases, namespace, { metadata: { name: 'Not_a_name' } }), 'invalid')
      refused(await api.create(Leases, namespace, { metadata: { name: 'a', namespace: 'default' } }), 'invalid')
    })

    it('stores nothing in a dry run', async () => {
      const key = get().key()
      ok(await get().api.create(Leases, get().namespace, { metadata: { name: key.name } }, { dryRun: true }))
      refused(await get().api.get(Leases, key), 'notFound')
    })

    it('fills in what a Service needs, and an update that lacks it keeps the address', async () => {
      const ports = [{ port: 80 }]
      const name = get().key().name
      const created = await get().create(Services, { metadata: { name }, spec: { ports } })
      const filled = [{ protocol: 'TCP', port: 80, targetPort: 80 }]
      assert.deepEqual([created.spec?.['type'], created.spec?.['ports']], ['ClusterIP', filled])
      assert.match(String(created.spec?.['clusterIP']), /^\d+\.\d+\.\d+\.\d+$/)
      const update = { metadata: { name }, spec: { ports: [{ port: 81 }] } }
      const replaced = ok(await get().api.replace(Services, keyOf(created), update))
      assert.equal(replaced.spec?.['clusterIP'], created.spec?.['clusterIP'])
    })

    it('reads empty endpoints and ports of a slice back as null', async () => {
      const metadata = { name: get().key().name }
      const created = await get().create(Slices, { metadata, addressType: 'IPv4', endpoints: [], ports: [] })
      const { endpoints, ports } = created as unknown as Record<string, unknown>
      assert.deepEqual([endpoints, ports], [null, null])
    })
  })

  describe('a Lease', () => {
    it('may have every field empty or null, and null reads back absent', async () => {
      const created = await get().lease({}, { holderIdentity: '', leaseDurationSeconds: null, renewTime: null })
      assert.deepEqual(created.spec, { holderIdentity: '' })
      assert.deepEqual((await get().lease()).spec, {})
    })

    it('loses fields that the server does not know', async () => {
      const created = await get().lease({}, { holderIdentity: 'h', unknown: 1 })
      assert.deepEqual(created.spec, { holderIdentity: 'h' })
    })

    it('keeps the six digits of its times', async () => {
      const created = await get().lease({}, { acquireTime: MICRO_TIME, leaseTransitions: 0 })
      assert.deepEqual(created.spec, { acquireTime: MICRO_TIME, leaseTransitions: 0 })
    })

    const bad: readonly object[] = [
      { leaseDurationSeconds: 0 },
      { leaseDurationSeconds: 1.5 },
      { leaseTransitions: -1 },
      { holderIdentity: 5 },
      { renewTime: '2026-01-01T00:00:00.123Z' },
      { renewTime: '2026-01-01T00:00:00Z' },
    ]
    for (const spec of bad) {
      it(`is refused with ${JSON.stringify(spec)}, by create, PUT and patch`, async () => {
        const { api, namespace } = get()
        const lease = await get().lease()
        refused(await api.create(Leases, namespace, { metadata: { name: get().key().name }, spec }), 'invalid')
        refused(await api.replace(Leases, keyOf(lease), { ...lease, spec }), 'invalid')
        refused(await api.mergePatch(Leases, keyOf(lease), { spec }), 'invalid')
        assert.deepEqual(ok(await api.get(Leases, keyOf(lease))), lease)
      })
    }
  })

  describe('merge patch', () => {
    it('removes what is null, merges objects, and replaces lists', async () => {
      const lease = await get().lease(
        { labels: { a: '1', b: '2' }, finalizers: ['x.io/a', 'x.io/b'] },
        { holderIdentity: 'h' },
      )
      const patch = {
        metadata: { labels: { a: null, c: '3' }, finalizers: ['x.io/b'] },
        spec: { holderIdentity: null },
      }
      const patched = ok(await get().api.mergePatch(AnyLeases, keyOf(lease), patch))
      assert.deepEqual(patched.metadata.labels, { b: '2', c: '3' })
      assert.deepEqual(patched.metadata.finalizers, ['x.io/b'])
      assert.deepEqual(patched.spec, {})
      await get().api.mergePatch(AnyLeases, keyOf(lease), { metadata: { finalizers: null } })
    })

    it('leaves no empty labels behind', async () => {
      const lease = await get().lease({ labels: { a: '1' } })
      const patched = ok(await get().api.mergePatch(Leases, keyOf(lease), { metadata: { labels: { a: null } } }))
      assert.equal(patched.metadata.labels, undefined)
    })

    it('that changes nothing is fine and keeps the version', async () => {
      const lease = await get().lease({ labels: { a: '1' } })
      const { resourceVersion } = lease.metadata
      for (const metadata of [{ labels: { a: '1' } }, { labels: { b: null } }, { resourceVersion }]) {
        const patched = ok(await get().api.mergePatch(Leases, keyOf(lease), { metadata }))
        assert.equal(patched.metadata.resourceVersion, resourceVersion)
      }
    })

    it('with a stale version is a conflict, even if it would change nothing', async () => {
      const lease = await get().lease({ labels: { a: '1' } })
      ok(await get().api.mergePatch(Leases, keyOf(lease), { metadata: { labels: { a: '2' } } }))
      const { resourceVersion } = lease.metadata
      for (const a of ['2', '3']) {
        const patch = { metadata: { resourceVersion, labels: { a } } }
        refused(await get().api.mergePatch(Leases, keyOf(lease), patch), 'conflict')
      }
    })

    it('is refused for what is not there, and for a change of name or namespace', async () => {
      const lease = await get().lease()
      refused(await get().api.mergePatch(Leases, get().key(), {}), 'notFound')
      refused(await get().api.mergePatch(Leases, keyOf(lease), { metadata: { name: 'other' } }), 'invalid')
      refused(await get().api.mergePatch(Leases, keyOf(lease), { metadata: { namespace: 'other' } }), 'invalid')
      refused(await get().api.mergePatch(Leases, keyOf(lease), []), 'invalid')
    })

    it('stores nothing in a dry run', async () => {
      const lease = await get().lease()
      const patch = { spec: { holderIdentity: 'h' } }
      assert.deepEqual(ok(await get().api.mergePatch(Leases, keyOf(lease), patch, { dryRun: true })).spec, patch.spec)
      assert.deepEqual(ok(await get().api.get(Leases, keyOf(lease))), lease)
    })
  })

  describe('a wrong UID', () => {
    it('with the right version: PUT answers 409, a merge patch 422; both are conflicts', async () => {
      const { api } = get()
      for (const [resource, object] of [
        [AnyLeases, await get().lease()],
        [AnyPods, await get().pod()],
        [Groups, await get().group()],
      ] as const) {
        const { resourceVersion } = object.metadata
        const metadata = { uid: 'another', resourceVersion, annotations: { a: '1' } }
        const whole = { ...object, metadata: { ...object.metadata, ...metadata } }
        const path = objectPath(resource, keyOf(object))
        assert.equal(await get().status('PUT', path, whole), 409)
        assert.equal(await get().status('PATCH', path, { metadata }), 422)
        assert.equal(await get().status('PATCH', path, { metadata: { uid: 'another' } }), 422)
        refused(await api.replace(resource, keyOf(object), whole), 'conflict')
        refused(await api.mergePatch(resource, keyOf(object), { metadata }), 'conflict')
        assert.deepEqual(ok(await api.get(resource, keyOf(object))), object)
      }
    })

    it('with a stale version: 409 for both', async () => {
      for (const [resource, object] of [
        [AnyLeases, await get().lease()],
        [AnyPods, await get().pod()],
        [Groups, await get().group()],
      ] as const) {
        const metadata = { uid: 'another', resourceVersion: '1', annotations: { a: '1' } }
        const path = objectPath(resource, keyOf(object))
        assert.equal(await get().status('PUT', path, { ...object, metadata: { ...object.metadata, ...metadata } }), 409)
        assert.equal(await get().status('PATCH', path, { metadata }), 409)
      }
    })
  })
}
