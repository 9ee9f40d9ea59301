import assert from 'node:assert/strict'
import { Leases } from '../kube/objects.ts'
import { KEY, LEASE, Rig, advanceOf, answer } from './act-fixtures.ts'
import { LeaderGroups } from './resources.ts'

describe('act on the gate', () => {
  let rig: Rig
  beforeEach(async () => {
    rig = new Rig()
    await rig.begin()
  })

  describe('createGate', () => {
    it('makes a gate that names nobody and belongs to the group', async () => {
      assert.deepEqual(await rig.act({ kind: 'createGate' }), { kind: 'done' })
      const { metadata, spec } = await rig.lease()
      const { uid } = (await rig.read(LeaderGroups, 'db')).metadata
      assert.deepEqual(metadata.annotations, { 'leadergroup.io/mode': 'Assign', 'leadergroup.io/gate': '-/-/0' })
      assert.deepEqual(metadata.ownerReferences, [
        { apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', name: 'db', uid },
      ])
      assert.equal(spec?.holderIdentity ?? '', '')
      assert.equal(spec?.leaseDurationSeconds, 2 ** 31 - 1)
      assert.deepEqual(rig.seen(), { pod: rig.seen().pod, lease: metadata.resourceVersion, leaseRead: true })
    })

    it('reads the one that somebody else has made', async () => {
      await rig.create(Leases, { metadata: { name: 'db' }, spec: { holderIdentity: 'x' } })
      assert.deepEqual(await rig.act({ kind: 'createGate' }), { kind: 'done' })
      assert.equal(rig.cache.observe(KEY).lease?.holderIdentity, 'x')
      assert.equal((await rig.lease()).spec?.holderIdentity, 'x')
    })

    it('takes it for no fault that the namespace is gone', async () => {
      rig.fate = ({ method }) => (method === 'POST' ? answer(404, 'NotFound') : undefined)
      assert.deepEqual(await rig.act({ kind: 'createGate' }), { kind: 'stale' })
    })

    it('remembers when it made one anew, for a group that has had one', async () => {
      await rig.born()
      assert.deepEqual(rig.cache.observe(KEY).memory.takenBackAt, [])
      await rig.clock.advance(100)
      const { group } = rig.cache.observe(KEY)
      const { uid, resourceVersion } = group!.metadata
      await rig.act({ kind: 'writeStatus', uid, resourceVersion, status: { term: 2 } })
      await rig.admin.delete(Leases, LEASE)
      await rig.born()
      assert.deepEqual(rig.cache.observe(KEY).memory.takenBackAt, [100])
    })

    it('makes none for a group that is not there any more', async () => {
      rig.cache.groups.gone(await rig.read(LeaderGroups, 'db'))
      assert.deepEqual([await rig.act({ kind: 'createGate' }), rig.sent], [{ kind: 'stale' }, []])
    })
  })

  describe('readGate', () => {
    it('shows the gate as read since', async () => {
      await rig.born()
      await rig.touchLease()
      assert.deepEqual(await rig.act({ kind: 'readGate' }), { kind: 'done' })
      assert.deepEqual([rig.seen().lease, rig.seen().leaseRead], [(await rig.lease()).metadata.resourceVersion, true])
    })

    it('shows that there is none', async () => {
      await rig.born()
      await rig.admin.delete(Leases, LEASE)
      assert.deepEqual(await rig.act({ kind: 'readGate' }), { kind: 'done' })
      assert.equal(rig.seen().lease, undefined)
    })
  })

  describe('deleteGate', () => {
    it('deletes what was decided on', async () => {
      const { uid, resourceVersion } = (await rig.born()).metadata
      assert.deepEqual(await rig.act({ kind: 'deleteGate', uid, resourceVersion }), { kind: 'done' })
      assert.equal((await rig.admin.get(Leases, LEASE)).kind, 'notFound')
      assert.equal(rig.seen().lease, undefined)
    })

    it('deletes nothing that changed since, and reads it', async () => {
      const { uid, resourceVersion } = (await rig.born()).metadata
      await rig.touchLease()
      assert.deepEqual(await rig.act({ kind: 'deleteGate', uid, resourceVersion }), { kind: 'stale' })
      assert.equal(rig.seen().lease, (await rig.lease()).metadata.resourceVersion)
    })

    it('deletes no other of that name', async () => {
      const { resourceVersion } = (await rig.born()).metadata
      const acted = await rig.act({ kind: 'deleteGate', uid: 'another', resourceVersion })
      assert.deepEqual([acted, rig.sent], [{ kind: 'stale' }, []])
    })

    it('does not take one that a finalizer keeps for gone', async () => {
      await rig.born()
      await rig.admin.mergePatch(Leases, LEASE, { metadata: { finalizers: ['example.com/keep'] } })
      await rig.see()
      const { uid, resourceVersion } = (await rig.lease()).metadata
      const acted = await rig.act({ kind: 'deleteGate', uid, resourceVersion })
      assert.ok(acted.kind === 'failed')
      assert.match(String(acted.error), /shop\/db is deleted, but its finalizers keep it/)
      assert.equal(rig.seen().lease, (await rig.lease()).metadata.resourceVersion)
    })
  })

  describe('advanceGate', () => {
    it('names the holder in one PUT of the Lease as read', async () => {
      await rig.born()
      await rig.admin.mergePatch(Leases, LEASE, { metadata: { labels: { theirs: 'x' } } })
      await rig.see()
      assert.deepEqual(await rig.act(await advanceOf(rig)), { kind: 'done' })
      const { metadata, spec } = await rig.lease()
      assert.equal(metadata.annotations?.['leadergroup.io/gate'], `db-0_pod-uid/${metadata.uid}/${2 ** 40}`)
      assert.equal(metadata.labels?.['theirs'], 'x')
      assert.deepEqual(spec, {
        holderIdentity: 'db-0_pod-uid',
        leaseDurationSeconds: 2 ** 31 - 1,
        leaseTransitions: 2 ** 31 - 1,
        acquireTime: '2026-01-01T00:00:00.000000Z',
        renewTime: '2026-01-01T00:00:00.000000Z',
      })
      assert.deepEqual([rig.seen().lease, rig.sent], [metadata.resourceVersion, ['PUT leases/db']])
    })

    it('counts as a read of the gate that began when it was sent', async () => {
      await rig.born()
      const before = rig.cache.tick()
      await rig.act(await advanceOf(rig))
      assert.ok(rig.cache.observe(KEY).lease!.readAt! > before)
    })

    it('sends nothing when the cache has moved on', async () => {
      await rig.born()
      const action = await advanceOf(rig)
      await rig.touchLease()
      await rig.see()
      assert.deepEqual([await rig.act(action), rig.sent], [{ kind: 'stale' }, []])
    })

    it('is refused by a change that the cache has not seen, and reads it', async () => {
      await rig.born()
      const action = await advanceOf(rig)
      await rig.touchLease()
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      assert.equal(rig.cache.observe(KEY).lease?.holderIdentity, 'stranger')
      assert.deepEqual(rig.sent, ['PUT leases/db', 'GET leases/db'])
    })

    it('does not bring a deleted Lease back', async () => {
      await rig.born()
      const action = await advanceOf(rig)
      await rig.admin.delete(Leases, LEASE)
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      assert.equal((await rig.admin.get(Leases, LEASE)).kind, 'notFound')
      assert.equal(rig.seen().lease, undefined)
    })

    it('does not overwrite one that was made anew', async () => {
      await rig.born()
      const action = await advanceOf(rig)
      await rig.admin.delete(Leases, LEASE)
      await rig.create(Leases, { metadata: { name: 'db' }, spec: { holderIdentity: 'x' } })
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      assert.equal((await rig.lease()).spec?.holderIdentity, 'x')
    })

    it('remembers when it took the Lease back, the last ten times', async () => {
      await rig.born()
      for (let time = 0; time < 12; time++) {
        await rig.clock.advance(100)
        await rig.act(await advanceOf(rig, { takesBack: true }))
      }
      const { takenBackAt } = rig.cache.observe(KEY).memory
      assert.deepEqual([takenBackAt.length, takenBackAt[0], takenBackAt.at(-1)], [10, 300, 1200])
    })

    it('remembers nothing of one that failed', async () => {
      await rig.born()
      const action = await advanceOf(rig, { takesBack: true })
      await rig.touchLease()
      await rig.act(action)
      assert.deepEqual(rig.cache.observe(KEY).memory.takenBackAt, [])
    })
  })

  describe('in mode Observe', () => {
    it('the gate that is read is the group', async () => {
      const another = new Rig()
      await another.begin({ mode: 'Observe' })
      const before = another.cache.tick()
      assert.deepEqual(await another.act({ kind: 'readGate' }), { kind: 'done' })
      assert.deepEqual(another.sent, ['GET leadergroups/db'])
      assert.ok(another.cache.observe(KEY).groupReadAt! > before)
    })
  })
})
