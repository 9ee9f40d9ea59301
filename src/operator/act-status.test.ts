import assert from 'node:assert/strict'
import type { GroupAction } from '../group/decision.ts'
import { KEY, NAMESPACE, Rig } from './act-fixtures.ts'
import { LeaderGroups } from './resources.ts'

describe('act on the group', () => {
  let rig: Rig
  beforeEach(async () => {
    rig = new Rig()
    await rig.begin()
  })

  describe('readGroup', () => {
    it('shows the group, or since when there is none', async () => {
      assert.deepEqual(await rig.act({ kind: 'readGroup' }), { kind: 'done' })
      assert.equal(rig.cache.observe(KEY).groupAbsentAt, undefined)
      await rig.admin.delete(LeaderGroups, { namespace: NAMESPACE, name: 'db' })
      const before = rig.cache.tick()
      assert.deepEqual(await rig.act({ kind: 'readGroup' }), { kind: 'done' })
      const { group, groupAbsentAt } = rig.cache.observe(KEY)
      assert.equal(group, undefined)
      assert.ok(groupAbsentAt! > before)
    })
  })

  describe('writeStatus', () => {
    const write = async (term: number): Promise<Extract<GroupAction, { kind: 'writeStatus' }>> => {
      const { uid, resourceVersion } = (await rig.read(LeaderGroups, 'db')).metadata
      return { kind: 'writeStatus', uid, resourceVersion, status: { term } }
    }

    it('writes it, sees it, and remembers when', async () => {
      await rig.clock.advance(700)
      assert.deepEqual(await rig.act(await write(4)), { kind: 'done' })
      assert.deepEqual((await rig.read(LeaderGroups, 'db')).status, { term: 4 })
      const { group, memory } = rig.cache.observe(KEY)
      assert.deepEqual([group?.status, memory.statusWrittenAt], [{ term: 4 }, 700])
    })

    it('is refused by a change of the group, and reads it', async () => {
      const action = await write(4)
      await rig.admin.mergePatch(LeaderGroups, { namespace: NAMESPACE, name: 'db' }, { spec: { paused: true } })
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      const { group, memory } = rig.cache.observe(KEY)
      assert.deepEqual([group?.spec.paused, memory.statusWrittenAt], [true, undefined])
    })

    it('learns that the group is gone', async () => {
      const action = await write(4)
      await rig.admin.delete(LeaderGroups, { namespace: NAMESPACE, name: 'db' })
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      assert.equal(rig.cache.observe(KEY).group, undefined)
    })
  })
})
