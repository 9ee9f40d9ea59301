import { strict as assert } from 'node:assert'
import { Leases, Pods, type KubeObject } from '../objects.ts'
import { objectPath } from '../path.ts'
import { AnyLeases, AnyPods, Groups, keyOf, ok, refused, Slices, type Subject } from './subject.ts'

export function describeDeletes(get: () => Subject): void {
  describe('delete', () => {
    it('removes the object; a second one finds nothing', async () => {
      for (const [resource, object] of [
        [AnyLeases, await get().lease()],
        [Groups, await get().group()],
      ] as const) {
        ok(await get().api.delete(resource, keyOf(object)))
        refused(await get().api.get(resource, keyOf(object)), 'notFound')
        refused(await get().api.delete(resource, keyOf(object)), 'notFound')
      }
    })

    it('happens only if UID and version are those given', async () => {
      const lease = await get().lease()
      const { uid, resourceVersion } = lease.metadata
      for (const preconditions of [
        { uid: 'another' },
        { resourceVersion: '1' },
        { uid: 'another', resourceVersion },
        { uid, resourceVersion: '1' },
      ]) {
        refused(await get().api.delete(Leases, keyOf(lease), { preconditions }), 'conflict')
      }
      ok(await get().api.delete(Leases, keyOf(lease), { preconditions: { uid, resourceVersion } }))
    })

    it('waits for the finalizers: marked first, gone with the last of them', async () => {
      for (const [resource, object] of [
        [AnyLeases, await get().lease({ finalizers: ['x.io/a', 'x.io/b'] })],
        [Groups, await get().group({ finalizers: ['x.io/a', 'x.io/b'] })],
      ] as const) {
        const key = keyOf(object)
        ok(await get().api.delete(resource, key))
        ok(await get().api.delete(resource, key))
        const marked = ok(await get().api.get(resource, key))
        assert.match(marked.metadata.deletionTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
        const more = { metadata: { finalizers: ['x.io/a', 'x.io/b', 'x.io/c'] } }
        refused(await get().api.mergePatch(resource, key, more), 'invalid')
        ok(await get().api.mergePatch(resource, key, { metadata: { finalizers: ['x.io/b'] } }))
        ok(await get().api.mergePatch(resource, key, { metadata: { finalizers: null } }))
        refused(await get().api.get(resource, key), 'notFound')
      }
    })

    it('takes its options from the body, if there is one: a dryRun in the query is not seen then', async () => {
      const lease = await get().lease()
      const path = objectPath(Leases, keyOf(lease))
      assert.equal(await get().status('DELETE', path, { dryRun: ['All'] }), 200)
      ok(await get().api.get(Leases, keyOf(lease)))
      assert.equal(await get().status('DELETE', `${path}?dryRun=All`, {}), 200)
      refused(await get().api.get(Leases, keyOf(lease)), 'notFound')
    })

    it('does nothing in a dry run of a patch that would end it', async () => {
      const lease = await get().lease({ finalizers: ['x.io/a'] })
      ok(await get().api.delete(Leases, keyOf(lease)))
      const release = { metadata: { finalizers: null } }
      ok(await get().api.mergePatch(Leases, keyOf(lease), release, { dryRun: true }))
      ok(await get().api.get(Leases, keyOf(lease)))
      ok(await get().api.mergePatch(Leases, keyOf(lease), release))
      refused(await get().api.get(Leases, keyOf(lease)), 'notFound')
    })
  })

  describe('delete of a pod', () => {
    it('on a node only marks it, until somebody deletes it with no grace', async () => {
      const pod = await get().pod()
      ok(await get().api.delete(Pods, keyOf(pod)))
      const { metadata } = ok(await get().api.get(AnyPods, keyOf(pod)))
      assert.equal(metadata.deletionGracePeriodSeconds, 30)
      assert.equal(metadata.generation, 2)
      ok(await get().api.delete(Pods, keyOf(pod), { gracePeriodSeconds: 0 }))
      refused(await get().api.get(Pods, keyOf(pod)), 'notFound')
    })

    it('again can shorten the grace, not lengthen it', async () => {
      const pod = await get().pod({}, { nodeName: 'contract', terminationGracePeriodSeconds: 20 })
      const graces: (number | undefined)[] = []
      for (const gracePeriodSeconds of [undefined, undefined, 60, 5, 10]) {
        ok(await get().api.delete(Pods, keyOf(pod), gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }))
        graces.push(ok(await get().api.get(AnyPods, keyOf(pod))).metadata.deletionGracePeriodSeconds)
      }
      assert.deepEqual(graces, [20, 20, 20, 5, 5])
    })

    it('that has no node, or has ended, removes it at once', async () => {
      const homeless = await get().pod({}, {})
      const ended = await get().pod()
      const succeeded = { status: { phase: 'Succeeded' } }
      ok(await get().api.mergePatch(Pods, keyOf(ended), succeeded, { subresource: 'status' }))
      for (const pod of [homeless, ended]) {
        ok(await get().api.delete(Pods, keyOf(pod)))
        refused(await get().api.get(Pods, keyOf(pod)), 'notFound')
      }
    })

    it('with a finalizer keeps it through a delete with no grace', async () => {
      const pod = await get().pod({ finalizers: ['x.io/a'] })
      ok(await get().api.delete(Pods, keyOf(pod), { gracePeriodSeconds: 0 }))
      assert.equal(ok(await get().api.get(AnyPods, keyOf(pod))).metadata.deletionGracePeriodSeconds, 0)
      ok(await get().api.mergePatch(Pods, keyOf(pod), { metadata: { finalizers: null } }))
      refused(await get().api.get(Pods, keyOf(pod)), 'notFound')
    })

    it('in its grace does not end with the last finalizer', async () => {
      const pod = await get().pod({ finalizers: ['x.io/a'] })
      ok(await get().api.delete(Pods, keyOf(pod)))
      ok(await get().api.mergePatch(Pods, keyOf(pod), { metadata: { finalizers: null } }))
      ok(await get().api.get(Pods, keyOf(pod)))
      ok(await get().api.delete(Pods, keyOf(pod), { gracePeriodSeconds: 0 }))
      refused(await get().api.get(Pods, keyOf(pod)), 'notFound')
    })
  })

  describe('owner references', () => {
    it('take an object along when its last owner goes', async () => {
      const pod = await get().pod()
      const metadata = { name: get().key().name, ownerReferences: [owner('Pod', 'v1', pod)] }
      const slice = await get().create(Slices, { metadata, addressType: 'IPv4', endpoints: [], ports: [] })
      ok(await get().api.delete(Pods, keyOf(pod), { gracePeriodSeconds: 0 }))
      await get().gone(Slices, keyOf(slice))
    })

    it('leave an object that has another living owner, without the reference to the gone one', async () => {
      const owners = [await get().lease(), await get().lease()]
      const ownerReferences = owners.map((lease) => owner('Lease', 'coordination.k8s.io/v1', lease))
      const dependent = keyOf(await get().lease({ ownerReferences }))
      ok(await get().api.delete(Leases, keyOf(owners[0]!)))
      const uids = await get().eventually('one owner is left', async () => {
        const { metadata } = ok(await get().api.get(Leases, dependent))
        return metadata.ownerReferences?.length === 1 ? metadata.ownerReferences.map(({ uid }) => uid) : undefined
      })
      assert.deepEqual(uids, [owners[1]!.metadata.uid])
      ok(await get().api.delete(Leases, keyOf(owners[1]!)))
      await get().gone(Leases, dependent)
    })

    it('mean the UID: a namesake of a gone owner does not count', async () => {
      const gone = await get().lease()
      ok(await get().api.delete(Leases, keyOf(gone)))
      await get().lease({ name: gone.metadata.name })
      const ownerReferences = [owner('Lease', 'coordination.k8s.io/v1', gone)]
      await get().gone(Leases, keyOf(await get().lease({ ownerReferences })))
    })
  })
}

function owner(kind: string, apiVersion: string, { metadata: { name, uid } }: KubeObject): object {
  return { apiVersion, kind, name, uid }
}
