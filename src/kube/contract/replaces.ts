import { strict as assert } from 'node:assert'
import { Leases, Pods } from '../objects.ts'
import { objectPath } from '../path.ts'
import { complete, Groups, GROUP_SPEC, keyOf, ok, refused, Services, type Subject } from './subject.ts'

export function describeReplaces(get: () => Subject): void {
  describe('replace (PUT)', () => {
    it('takes the place of the whole object, under a higher version', async () => {
      const lease = await get().lease({ labels: { a: '1' } }, { holderIdentity: 'h' })
      const { name, resourceVersion, uid } = lease.metadata
      const next = { metadata: { name, resourceVersion }, spec: { leaseTransitions: 1 } }
      const replaced = ok(await get().api.replace(Leases, keyOf(lease), next))
      assert.deepEqual([replaced.spec, replaced.metadata.labels], [{ leaseTransitions: 1 }, undefined])
      assert.equal(replaced.metadata.uid, uid)
      assert.ok(BigInt(replaced.metadata.resourceVersion) > BigInt(resourceVersion))
    })

    it('of what has changed since is a conflict', async () => {
      const lease = await get().lease()
      ok(await get().api.replace(Leases, keyOf(lease), { ...lease, spec: { holderIdentity: 'first' } }))
      const late = { ...lease, spec: { holderIdentity: 'second' } }
      refused(await get().api.replace(Leases, keyOf(lease), late), 'conflict')
      assert.equal(ok(await get().api.get(Leases, keyOf(lease))).spec?.holderIdentity, 'first')
    })

    it('that changes nothing keeps the version', async () => {
      const lease = await get().lease({ labels: { a: '1' } }, { holderIdentity: 'h' })
      const replaced = ok(await get().api.replace(Leases, keyOf(lease), lease))
      assert.equal(replaced.metadata.resourceVersion, lease.metadata.resourceVersion)
    })

    it('without a version is refused for Leases and groups, and overwrites pods', async () => {
      const lease = await get().lease()
      const group = await get().group()
      const pod = await get().pod()
      refused(await get().api.replace(Leases, keyOf(lease), unversioned(lease)), 'invalid')
      refused(await get().api.replace(Groups, keyOf(group), unversioned(group)), 'invalid')
      const replaced = ok(await get().api.replace(Pods, keyOf(pod), unversioned(pod)))
      assert.deepEqual(replaced.metadata.labels, { a: '1' })
    })

    it('under another name is refused', async () => {
      const lease = await get().lease()
      refused(await get().api.replace(Leases, { ...keyOf(lease), name: 'other' }, lease), 'invalid')
      refused(await get().api.replace(Leases, keyOf(lease), { metadata: {} }), 'invalid')
    })

    it('of a deleted Lease creates it anew, even with its old version', async () => {
      const lease = await get().lease({}, { holderIdentity: 'h' })
      ok(await get().api.delete(Leases, keyOf(lease)))
      const { name, resourceVersion } = lease.metadata
      const body = { metadata: { name, resourceVersion }, spec: { holderIdentity: 'h' } }
      assert.equal(await get().status('PUT', objectPath(Leases, keyOf(lease)), body), 201)
      const anew = ok(await get().api.get(Leases, keyOf(lease)))
      assert.notEqual(anew.metadata.uid, lease.metadata.uid)
      assert.ok(BigInt(anew.metadata.resourceVersion) > BigInt(resourceVersion))
    })

    it('of a deleted Lease from a copy that was marked makes one that is born marked', async () => {
      const lease = await get().lease({ finalizers: ['x.io/a'] })
      ok(await get().api.delete(Leases, keyOf(lease)))
      const marked = ok(await get().api.get(Leases, keyOf(lease)))
      ok(await get().api.mergePatch(Leases, keyOf(lease), { metadata: { finalizers: null } }))
      refused(await get().api.get(Leases, keyOf(lease)), 'notFound')
      const copy = { ...marked, metadata: { ...marked.metadata, uid: undefined } }
      const anew = ok(await get().api.replace(Leases, keyOf(lease), copy))
      assert.equal(anew.metadata.deletionTimestamp, marked.metadata.deletionTimestamp)
      ok(await get().api.mergePatch(Leases, keyOf(lease), { metadata: { finalizers: null } }))
    })

    it('of a deleted Lease with its UID is a conflict, so nothing is created', async () => {
      const lease = await get().lease()
      ok(await get().api.delete(Leases, keyOf(lease)))
      refused(await get().api.replace(Leases, keyOf(lease), lease), 'conflict')
      refused(await get().api.get(Leases, keyOf(lease)), 'notFound')
    })

    it('of a deleted and recreated Lease is a conflict: another UID', async () => {
      const lease = await get().lease()
      ok(await get().api.delete(Leases, keyOf(lease)))
      const anew = await get().lease({ name: lease.metadata.name })
      assert.notEqual(anew.metadata.uid, lease.metadata.uid)
      refused(await get().api.replace(Leases, keyOf(lease), lease), 'conflict')
    })

    it('of a Service that is not there creates it, too, unless it names a UID', async () => {
      for (const uid of [undefined, 'another']) {
        const key = get().key()
        const service = { metadata: { name: key.name, uid }, spec: { ports: [{ port: 80 }] } }
        const outcome = await get().api.replace(Services, key, service)
        assert.equal(outcome.kind, uid === undefined ? 'ok' : 'conflict')
      }
    })

    // Kubernetes 1.33 compares a UID with that of no object. Whoever replaces takes both answers for the same.
    it('of a pod or group that is not there finds nothing; with a UID it may be a conflict', async () => {
      for (const [uid, answers] of [
        [undefined, ['notFound']],
        ['another', ['notFound', 'conflict']],
      ] as const) {
        const key = get().key()
        const metadata = { name: key.name, resourceVersion: '5', uid }
        const pod = { metadata, spec: { containers: [{ name: 'main', image: 'contract' }] } }
        refused(await get().api.replace(Pods, key, pod), ...answers)
        const group = complete(Groups, { metadata, spec: GROUP_SPEC })
        refused(await get().api.replace(Groups, key, group), ...answers)
        refused(await get().api.get(Pods, key), 'notFound')
        refused(await get().api.get(Groups, key), 'notFound')
      }
    })
  })

  describe('versions', () => {
    it('are whole numbers of one counter for all types, and grow with every write', async () => {
      const versions: bigint[] = []
      for (let round = 0; round < 3; round++) {
        const lease = await get().lease()
        versions.push(BigInt(lease.metadata.resourceVersion))
        versions.push(BigInt((await get().pod()).metadata.resourceVersion))
        const patch = { metadata: { labels: { a: '1' } } }
        const patched = ok(await get().api.mergePatch(Leases, keyOf(lease), patch))
        versions.push(BigInt(patched.metadata.resourceVersion))
      }
      const ascending = versions.toSorted((a, b) => (a < b ? -1 : 1))
      assert.deepEqual(versions, ascending)
      assert.equal(new Set(versions).size, versions.length)
    })
  })
}

const unversioned = <T extends { readonly metadata: object }>(object: T): T => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: undefined, labels: { a: '1' } },
})
