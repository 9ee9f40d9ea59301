import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { Leases, Pods } from '../kube/objects.ts'
import { NAMESPACE, Rig, ROLE } from './fixtures.ts'
import { LeaderGroups } from './resources.ts'

describe('operator, the whole stack on virtual time', () => {
  let rig: Rig
  beforeEach(() => {
    rig = new Rig()
  })
  afterEach(() => rig.end())

  async function running(pods = ['db-0', 'db-1', 'db-2']): Promise<void> {
    await rig.createGroup()
    for (const pod of pods) await rig.createPod(pod)
    await rig.clock.advance(5000)
  }

  it('elects, labels and reports one leader', async () => {
    rig.start('op')
    await running()
    assert.deepEqual(await rig.labelled(), ['db-0'])
    const { status } = await rig.group()
    assert.equal(status?.holder, 'db-0')
    assert.equal(status?.candidates, 3)
    assert.equal(status?.conditions?.[0]?.reason, 'LeaderElected')
    assert.equal((await rig.lease()).spec?.leaseTransitions, status?.term)
  })

  it('replaces a leader that is deleted, with two writes before the label', async () => {
    rig.start('op')
    await running()
    const before = rig.server.history.length
    await rig.deletePod('db-0')
    await rig.clock.advance(0)
    assert.deepEqual(await rig.labelled(), ['db-1'])
    const writes = rig.server.history.slice(before).filter(({ user }) => user === 'op')
    assert.deepEqual(
      writes.slice(0, 2).map(({ object }) => object.kind),
      ['Lease', 'Pod'],
    )
    await rig.clock.advance(5000)
    const { status } = await rig.group()
    assert.deepEqual(
      status?.history?.map(({ holder, reason }) => [holder, reason]),
      [
        ['db-1', undefined],
        ['db-0', 'PodDeleted'],
      ],
    )
  })

  it('fails over many groups that share their pods with one patch for each', async () => {
    let patches = 0
    const before = async ({ method, path }: { method: string; path: string }): Promise<undefined> => {
      if (method === 'PATCH' && path.includes('/pods/')) patches += 1
      await new Promise<void>((resolve) => rig.clock.timer(rig.clock.now() + 5, resolve))
    }
    rig.start('op', { elect: false, before })
    const names = Array.from({ length: 30 }, (_, index) => `g${index}`)
    for (const name of names) await rig.createGroup(name, { selector: { matchLabels: { app: 'db' } } })
    await rig.createPod('db-0')
    await rig.clock.advance(60_000)
    await rig.createPod('db-1')
    await rig.clock.advance(60_000)
    patches = 0
    await rig.deletePod('db-0')
    await rig.clock.advance(60_000)
    const { labels = {} } = (await rig.ok(rig.api.get(Pods, { namespace: NAMESPACE, name: 'db-1' }))).metadata
    assert.deepEqual(
      names.filter((name) => labels[`${name}.leadergroup.io/role`] !== 'leader'),
      [],
    )
    assert.equal(patches, names.length)
  })

  it('decides nothing before each of its lists is complete', async () => {
    const { promise: listed, resolve } = Promise.withResolvers<void>()
    const before = async ({ method, path }: { method: string; path: string }): Promise<undefined> => {
      if (method === 'GET' && path.includes('/pods')) await listed
    }
    rig.start('op', { elect: false, before })
    await running()
    assert.equal(rig.writesOf('op'), 0)
    resolve()
    await rig.clock.advance(5000)
    assert.deepEqual(await rig.labelled(), ['db-0'])
  })

  it('writes nothing in a quiet world but its own Lease', async () => {
    rig.start('op')
    await running()
    const before = rig.server.history.length
    await rig.clock.advance(300_000)
    const kinds = rig.server.history.slice(before).map(({ object }) => `${object.kind} ${object.metadata.name}`)
    assert.deepEqual([...new Set(kinds)], ['Lease leadergroup-operator'])
  })

  it('hands over from replica to replica, and only one acts', async () => {
    const first = rig.start('op-a')
    await rig.clock.advance(100)
    rig.start('op-b')
    await running()
    assert.equal(
      rig.server.history.some(({ user, object }) => user === 'op-b' && object.kind === 'Pod'),
      false,
    )
    first.stop.abort(new Error('stopped'))
    await rig.clock.advance(1000)
    await first.ended
    await rig.deletePod('db-0')
    await rig.clock.advance(1000)
    assert.deepEqual(await rig.labelled(), ['db-1'])
    assert.equal(rig.mostLabels(), 1)
  })

  it('never shows two labels while two act at once and pods come and go', async () => {
    rig.start('op-a', { elect: false })
    rig.start('op-b', { elect: false })
    await running()
    for (let round = 0; round < 50; round++) {
      const [leader] = await rig.labelled()
      if (!leader) break
      if (round % 3 === 0) await rig.setReady(leader, false)
      else await rig.deletePod(leader)
      await rig.clock.advance(20)
      if (round % 3 === 0) await rig.setReady(leader, true)
      else await rig.createPod(leader)
      await rig.clock.advance(3000)
    }
    assert.equal(rig.mostLabels(), 1)
    assert.equal((await rig.labelled()).length, 1)
    assert.ok(((await rig.group()).status?.term ?? 0) >= 50)
  })

  it('takes a label off that somebody else put on, and puts back one that was taken', async () => {
    rig.start('op')
    await running()
    await rig.api.mergePatch(
      Pods,
      { namespace: NAMESPACE, name: 'db-2' },
      { metadata: { labels: { [ROLE]: 'leader' } } },
    )
    await rig.clock.advance(100)
    assert.deepEqual(await rig.labelled(), ['db-0'])
    await rig.api.mergePatch(Pods, { namespace: NAMESPACE, name: 'db-0' }, { metadata: { labels: { [ROLE]: null } } })
    await rig.clock.advance(100)
    assert.deepEqual(await rig.labelled(), ['db-0'])
  })

  it('survives the deletion of its Lease with the same leader and a higher term', async () => {
    rig.start('op')
    await running()
    const before = (await rig.group()).status?.term ?? 0
    await rig.api.delete(Leases, { namespace: NAMESPACE, name: 'db' })
    await rig.clock.advance(2000)
    assert.deepEqual(await rig.labelled(), ['db-0'])
    assert.ok(((await rig.group()).status?.term ?? 0) > before)
    assert.equal(rig.mostLabels(), 1)
  })

  it("refuses a Lease that is not the group's", async () => {
    rig.start('op')
    const spec = { holderIdentity: 'app-7f', leaseDurationSeconds: 15 }
    await rig.api.create(Leases, NAMESPACE, { metadata: { name: 'db' }, spec })
    const { metadata } = await rig.lease()
    await running()
    assert.deepEqual(await rig.labelled(), [])
    assert.equal((await rig.group()).status?.conditions?.[0]?.reason, 'LeaseHeldByAnother')
    assert.equal((await rig.lease()).metadata.resourceVersion, metadata.resourceVersion)
  })

  it('keeps the leader and chooses none while paused', async () => {
    rig.start('op')
    await running()
    await rig.api.mergePatch(LeaderGroups, { namespace: NAMESPACE, name: 'db' }, { spec: { paused: true } })
    await rig.clock.advance(1000)
    assert.deepEqual(await rig.labelled(), ['db-0'])
    await rig.deletePod('db-0')
    await rig.clock.advance(1000)
    assert.deepEqual(await rig.labelled(), [])
    const { status } = await rig.group()
    assert.equal(status?.conditions?.[0]?.reason, 'Paused')
    assert.equal(status?.holder, undefined)
    await rig.api.mergePatch(LeaderGroups, { namespace: NAMESPACE, name: 'db' }, { spec: { paused: false } })
    await rig.clock.advance(1000)
    assert.deepEqual(await rig.labelled(), ['db-1'])
  })

  it('takes off what a deleted group left, also when it was deleted while no operator ran', async () => {
    const first = rig.start('op')
    await running()
    first.stop.abort(new Error('stopped'))
    await rig.clock.advance(1000)
    await rig.api.delete(LeaderGroups, { namespace: NAMESPACE, name: 'db' })
    await rig.clock.advance(1000)
    rig.start('op-2')
    await rig.clock.advance(5000)
    const pods = await rig.api.list(Pods, { namespace: NAMESPACE })
    assert.ok(pods.kind === 'ok')
    for (const { metadata } of pods.object.items) {
      assert.deepEqual([metadata.labels, metadata.annotations ?? {}], [{ app: 'db' }, {}])
    }
  })

  it('fails over at once while something else of the group keeps failing', async () => {
    const body = { kind: 'Status', status: 'Failure', code: 500, reason: 'InternalError', message: 'a webhook is down' }
    rig.start('op', {
      before: async ({ method, path }) => {
        if (method !== 'PATCH' || !path.includes('/pods/db-2')) return undefined
        return { status: 500, headers: {}, body: Readable.from([Buffer.from(JSON.stringify(body))]) }
      },
    })
    await running()
    await rig.clock.advance(60_000)
    await rig.deletePod('db-0')
    await rig.clock.advance(10)
    assert.deepEqual(await rig.labelled(), ['db-1'])
  })

  it('writes nothing in a dry run', async () => {
    rig.start('op', { dryRun: true, elect: false })
    await running()
    assert.equal(rig.writesOf('op'), 0)
  })
})
