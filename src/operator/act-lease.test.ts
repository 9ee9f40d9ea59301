import assert from 'node:assert/strict'
import type { GroupAction } from '../group/decision.ts'
import { Leases, Nodes, type Node } from '../kube/objects.ts'
import { answer, KEY, LEASE, NAMESPACE, Rig } from './act-fixtures.ts'
import { LeaderGroups } from './resources.ts'
import { trimNode } from './trim.ts'

const RECORD = {
  holderIdentity: 'db-0_x',
  leaseDurationSeconds: 15,
  acquireTime: '2026-01-01T00:00:00.000000Z',
  renewTime: '2026-01-01T00:00:10.000000Z',
  leaseTransitions: 3,
}

describe('act on the Lease of the electors', () => {
  let rig: Rig
  beforeEach(async () => {
    rig = new Rig()
    await rig.begin({ mode: 'Observe' })
    await rig.create(Leases, {
      metadata: { name: 'db', labels: { theirs: 'x' }, annotations: { theirs: 'y' } },
      spec: RECORD,
    })
    await rig.see()
  })

  const renew = (): Promise<unknown> =>
    rig.admin.mergePatch(Leases, LEASE, { spec: { renewTime: '2026-01-01T00:00:12.000000Z' } })

  describe('readLease', () => {
    it('shows the Lease as read since, and when that began', async () => {
      await renew()
      await rig.clock.advance(700)
      const before = rig.cache.tick()
      assert.deepEqual(await rig.act({ kind: 'readLease' }), { kind: 'done' })
      const { lease } = rig.cache.observe(KEY)
      assert.equal(lease?.resourceVersion, (await rig.lease()).metadata.resourceVersion)
      assert.equal(lease.readMillis, 700)
      assert.ok(lease.readAt! > before)
      assert.deepEqual(rig.sent, ['GET leases/db'])
    })

    it('counts from its beginning: what arrives while it is under way may be newer', async () => {
      for (const isThere of [true, false]) {
        if (!isThere) await rig.admin.delete(Leases, LEASE)
        let during = 0
        rig.fate = () => void (during = rig.cache.tick())
        await rig.act({ kind: 'readLease' })
        const { lease, leaseAbsentAt } = rig.cache.observe(KEY)
        assert.ok((isThere ? lease?.readAt : leaseAbsentAt)! < during)
      }
    })

    it('shows that there is none, since it began', async () => {
      await rig.admin.delete(Leases, LEASE)
      const before = rig.cache.tick()
      assert.deepEqual(await rig.act({ kind: 'readLease' }), { kind: 'done' })
      const { lease, leaseAbsentAt } = rig.cache.observe(KEY)
      assert.equal(lease, undefined)
      assert.ok(leaseAbsentAt! > before)
    })

    it('reads the one that the group names', async () => {
      const leaseName = { spec: { leaseName: 'other' } }
      await rig.admin.mergePatch(LeaderGroups, { namespace: NAMESPACE, name: 'db' }, leaseName)
      await rig.see()
      await rig.act({ kind: 'readLease' })
      assert.deepEqual(rig.sent, ['GET leases/other'])
      assert.ok(rig.cache.observe(KEY).leaseAbsentAt! > 0)
    })

    it('reads none for a group that is not there any more', async () => {
      rig.cache.groups.gone(await rig.read(LeaderGroups, 'db'))
      assert.deepEqual([await rig.act({ kind: 'readLease' }), rig.sent], [{ kind: 'stale' }, []])
    })
  })

  describe('releaseLease', () => {
    type Release = Extract<GroupAction, { kind: 'releaseLease' }>
    /** Of the Lease as it is now. */
    const release = async (change: Partial<Release> = {}): Promise<Release> => {
      const { name, uid, resourceVersion } = (await rig.lease()).metadata
      return { kind: 'releaseLease', name, uid, resourceVersion, holderIdentity: 'db-0_x', ...change }
    }
    /** The result, the requests that were sent, and whether it took effect. */
    const acted = async (action: Release): Promise<string> => {
      let took = 0
      const { kind } = await rig.actor.act(KEY, [action], 1, rig.authority.signal, () => took++)
      return `${kind}: ${rig.sent.join(', ') || 'nothing sent'}, took ${took}`
    }

    it('empties the holder in one PUT of the Lease as read, and nothing else', async () => {
      const before = await rig.lease()
      assert.equal(await acted(await release()), 'done: PUT leases/db, took 1')
      const after = await rig.lease()
      assert.deepEqual(after.spec, { ...before.spec, holderIdentity: '' })
      const { resourceVersion } = after.metadata
      assert.deepEqual(after.metadata, { ...before.metadata, resourceVersion })
      assert.notEqual(resourceVersion, before.metadata.resourceVersion)
    })

    it('sees what it wrote, as read since it began', async () => {
      const before = rig.cache.tick()
      await rig.act(await release())
      const { lease } = rig.cache.observe(KEY)
      assert.deepEqual(
        [lease?.holderIdentity, lease?.resourceVersion],
        ['', (await rig.lease()).metadata.resourceVersion],
      )
      assert.ok(lease?.sight.changed && lease.readAt! > before)
    })

    it('is refused by a renewal that the cache has not seen, and reads it', async () => {
      const action = await release()
      await renew()
      assert.equal(await acted(action), 'stale: PUT leases/db, GET leases/db, took 0')
      const { lease } = rig.cache.observe(KEY)
      assert.deepEqual([lease?.holderIdentity, lease?.renewTime], ['db-0_x', '2026-01-01T00:00:12.000000Z'])
      assert.equal((await rig.lease()).spec?.holderIdentity, 'db-0_x')
    })

    it('is not sent on another version than it was decided on', async () => {
      const action = await release()
      await renew()
      await rig.see()
      assert.equal(await acted(action), 'stale: nothing sent, took 0')
      assert.equal(await acted({ ...action, resourceVersion: '1' }), 'stale: nothing sent, took 0')
    })

    it('is not sent to another Lease of the name', async () => {
      assert.equal(await acted(await release({ uid: 'another' })), 'stale: nothing sent, took 0')
    })

    it('is not sent without a Lease', async () => {
      const action = await release()
      rig.cache.leases.gone(await rig.lease())
      assert.equal(await acted(action), 'stale: nothing sent, took 0')
    })

    it('does not bring a deleted Lease back', async () => {
      const action = await release()
      await rig.admin.delete(Leases, LEASE)
      assert.equal(await acted(action), 'stale: PUT leases/db, GET leases/db, took 0')
      assert.equal((await rig.admin.get(Leases, LEASE)).kind, 'notFound')
      assert.equal(rig.cache.observe(KEY).lease, undefined)
    })

    it('does not empty one that was made anew', async () => {
      const action = await release()
      await rig.admin.delete(Leases, LEASE)
      await rig.create(Leases, { metadata: { name: 'db' }, spec: { ...RECORD, holderIdentity: 'db-1' } })
      assert.equal(await acted(action), 'stale: PUT leases/db, GET leases/db, took 0')
      assert.equal((await rig.lease()).spec?.holderIdentity, 'db-1')
      assert.equal(rig.cache.observe(KEY).lease?.holderIdentity, 'db-1')
    })

    describe('of a holder whose node is out of service', () => {
      const setNode = async (isReady: boolean, isTainted: boolean): Promise<Node> => {
        const taints = isTainted ? [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] : null
        await rig.admin.mergePatch(Nodes, { name: 'n' }, { spec: { taints } })
        const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'Unknown' }]
        const outcome = await rig.admin.mergePatch(
          Nodes,
          { name: 'n' },
          { status: { conditions } },
          { subresource: 'status' },
        )
        assert.ok(outcome.kind === 'ok')
        return outcome.object
      }
      const releaseOfDown = async (): Promise<Release> => {
        const { name, uid } = (await rig.pod()).metadata
        return release({ confirm: { node: 'n', pod: { name, uid } } })
      }

      beforeEach(async () => {
        await rig.admin.create(Nodes, undefined, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } })
        rig.cache.nodes.apply(trimNode(await setNode(true, false)))
        rig.cache.nodes.apply(trimNode(await setNode(false, true)))
      })

      it('reads node and pod first', async () => {
        assert.equal(await acted(await releaseOfDown()), 'done: GET nodes/n, GET pods/db-0, PUT leases/db, took 1')
        assert.equal((await rig.lease()).spec?.holderIdentity, '')
      })

      it('leaves the Lease when the node is back, as no watch has told', async () => {
        for (const back of [() => setNode(true, true), () => setNode(false, false)]) {
          rig.sent.length = 0
          rig.cache.nodes.apply(trimNode(await setNode(false, true)))
          await back()
          assert.equal(await acted(await releaseOfDown()), 'stale: GET nodes/n, GET pods/db-0, took 0')
          assert.equal(rig.cache.nodes.get('', 'n')?.sight, undefined)
        }
      })

      it('leaves it when the node is gone, or is another one', async () => {
        const action = await releaseOfDown()
        await rig.admin.delete(Nodes, { name: 'n' })
        assert.equal(await acted(action), 'stale: GET nodes/n, GET pods/db-0, took 0')
        await rig.admin.create(Nodes, undefined, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } })
        await setNode(false, true)
        rig.sent.length = 0
        assert.equal(await acted(action), 'stale: GET nodes/n, GET pods/db-0, took 0')
      })

      it('leaves it when another pod has the name: that one may hold it, on another node', async () => {
        const action = await releaseOfDown()
        await rig.recreatePod()
        assert.equal(await acted(action), 'stale: GET nodes/n, GET pods/db-0, took 0')
        assert.ok(rig.cache.observe(KEY).gone.has(action.confirm!.pod.uid))
      })

      it('leaves it when it cannot read them', async () => {
        for (const what of ['/nodes/n', '/pods/db-0']) {
          rig.sent.length = 0
          rig.fate = ({ path }) => (path.endsWith(what) ? answer(403, 'Forbidden') : undefined)
          assert.equal(await acted(await releaseOfDown()), 'failed: GET nodes/n, GET pods/db-0, took 0')
        }
      })

      it('loses against who renews meanwhile', async () => {
        const action = await releaseOfDown()
        let renewed: Promise<unknown> = Promise.resolve()
        rig.fate = ({ method, path }) => void (method === 'GET' && path.endsWith('/nodes/n') && (renewed = renew()))
        const how = await acted(action)
        await renewed
        assert.equal(how, 'stale: GET nodes/n, GET pods/db-0, PUT leases/db, GET leases/db, took 0')
      })
    })
  })
})
