import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { LeaderGroups } from '../operator/resources.ts'
import { EndpointSlices, Leases, Services, type KubeObject, type Resource } from '../kube/objects.ts'
import { cleanUp, type CleanupOrder, type Dialog } from './cleanup.ts'
import { NEVER, Scene, done, forbidden, unknownType } from './fixtures.ts'

const MARKS = { 'leadergroup.io/mode': 'Assign', 'leadergroup.io/gate': '-/-/0' }

describe('leadergroup cleanup', () => {
  let scene: Scene
  let printed: string[]
  beforeEach(() => {
    scene = new Scene()
    printed = []
  })

  function run(order: Partial<CleanupOrder> = {}, confirm?: Dialog['confirm']): Promise<void> {
    const dialog = { print: (line: string) => void printed.push(line), ...(confirm ? { confirm } : {}) }
    const whole = { namespace: 'shop', dryRun: false, yes: !confirm, ...order }
    return cleanUp(scene.api, scene.clock, whole, dialog, NEVER)
  }

  /** A group that was led by db-0, and is gone; its operator was gone before it. */
  async function left(namespace = 'shop'): Promise<void> {
    await scene.createGroup('db', {}, namespace)
    await scene.createPod('db-0', true, { app: 'db' }, namespace)
    await scene.createPod('db-1', true, { app: 'db' }, namespace)
    await scene.operate('db', namespace)
    await scene.deleteGroup('db', namespace)
    await scene.clock.advance(60_000)
  }

  /** As orphaned by whoever deleted its group, or with an owner that the garbage collector has not missed yet. */
  async function createLease(name: string, ownerReferences: readonly object[] = []): Promise<void> {
    const metadata = { name, annotations: MARKS, ownerReferences }
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: {} }
    done(await scene.admin.create(Leases, 'shop', lease))
  }

  const owner = (name: string, uid: string): object => ({
    apiVersion: 'leadergroup.io/v1alpha1',
    kind: 'LeaderGroup',
    name,
    uid,
  })

  async function keysOf(name: string, namespace = 'shop'): Promise<readonly string[]> {
    const { labels = {}, annotations = {} } = (await scene.pod(name, namespace)).metadata
    return [...Object.keys(labels), ...Object.keys(annotations)].toSorted()
  }

  const writes = (): number => scene.server.history.filter(({ user }) => user === 'person').length

  it('says when nothing is left', async () => {
    await run()
    assert.deepEqual(printed, ['Nothing is left in namespace shop of groups that no longer exist.'])
    await run({ namespace: undefined })
    assert.equal(printed[1], 'Nothing is left in any namespace of groups that no longer exist.')
  })

  it('takes off what a group left, and says so', async () => {
    await left()
    await scene.patchPod('db-1', { labels: { tier: 'x' }, annotations: { note: 'mine' } })
    await run()
    assert.deepEqual(printed, [
      'Left in namespace shop of groups that no longer exist:',
      '  keys of group shop/db on pods db-0, db-1',
      'pod shop/db-0: keys of group db taken off',
      'pod shop/db-1: keys of group db taken off',
    ])
    assert.deepEqual(await keysOf('db-0'), ['app'])
    assert.deepEqual(await keysOf('db-1'), ['app', 'note', 'tier'])
    await run()
    assert.equal(printed.at(-1), 'Nothing is left in namespace shop of groups that no longer exist.')
  })

  it('works where the CRD is gone', async () => {
    await left()
    scene.instead = ({ path }) => (path.includes('/leadergroups') ? unknownType() : undefined)
    await run()
    assert.deepEqual(await keysOf('db-0'), ['app'])
  })

  it('changes nothing in a dry run', async () => {
    await left()
    await run({ dryRun: true, yes: false })
    assert.equal(printed.at(-1), 'Dry run: nothing was changed.')
    assert.equal(writes(), 0)
  })

  it('asks first, and takes no for an answer', async () => {
    await left()
    const asked: string[] = []
    const answering = (yes: boolean) => (question: string) => Promise.resolve((asked.push(question), yes))
    await run({}, answering(false))
    assert.deepEqual(asked, ['Where an operator runs, these go by themselves. Remove them now?'])
    assert.equal(printed.at(-1), 'Nothing was changed.')
    assert.equal(writes(), 0)
    await run({}, answering(true))
    assert.deepEqual(await keysOf('db-0'), ['app'])
  })

  it('does nothing where nobody can be asked', async () => {
    await left()
    await assert.rejects(run({ yes: false }), { name: 'UsageError', message: /pass --yes .* or --dry-run/ })
    assert.deepEqual(printed, [])
  })

  it('cleans one namespace, or all', async () => {
    await left()
    await left('prod')
    await run()
    assert.deepEqual([(await keysOf('db-0')).length, (await keysOf('db-0', 'prod')).length], [1, 4])
    await run({ namespace: undefined })
    assert.equal((await keysOf('db-0', 'prod')).length, 1)
    assert.equal(printed.at(-1), 'pod prod/db-1: keys of group db taken off')
  })

  describe('beside a group that lives', () => {
    beforeEach(async () => {
      await left()
      await scene.createGroup('alive', { selector: { matchLabels: { app: 'db' } } })
      await scene.operate('alive')
    })

    it('does not touch its keys, on the same pods, nor its Lease', async () => {
      const lease = await scene.lease('alive')
      const own = (await keysOf('db-0')).filter((key) => key.startsWith('alive.'))
      await run()
      assert.deepEqual(await keysOf('db-0'), [...own, 'app'])
      assert.equal(own.length, 3)
      assert.deepEqual(await scene.lease('alive'), lease)
    })

    it('leaves the keys of a group that comes to be while the person thinks', async () => {
      const before = await keysOf('db-0')
      await run({}, async () => {
        await scene.createGroup()
        return true
      })
      assert.equal(printed.at(-1), 'group shop/db exists again: left to its operator')
      assert.deepEqual(await keysOf('db-0'), before)
    })
  })

  it('begins anew with a pod that somebody else changes', async () => {
    await left()
    let patches = 0
    const { instead } = scene
    scene.instead = (request) => {
      if (request.method !== 'PATCH' || patches++ > 0) return instead(request)
      const conflict = { kind: 'Status', code: 409, reason: 'Conflict', message: 'the object has been modified' }
      return { status: 409, headers: {}, body: Readable.from([Buffer.from(JSON.stringify(conflict))]) }
    }
    await run()
    assert.ok(patches > 2, `${patches} patches`)
    assert.deepEqual(await keysOf('db-0'), ['app'])
  })

  it('removes what it may, and says what it may not', async () => {
    await left()
    await left('prod')
    scene.instead = ({ method, path }) =>
      method === 'PATCH' && path.includes('/prod/') ? forbidden('cannot patch resource "pods"') : undefined
    await assert.rejects(run({ namespace: undefined }), {
      message: /^could not be removed: keys of group prod\/db on pods db-0, db-1: .*cannot patch resource "pods"$/,
    })
    assert.deepEqual(await keysOf('db-0'), ['app'])
  })

  it('does not guess when it may not list the groups', async () => {
    await left()
    scene.instead = ({ path }) => (path.includes('/leadergroups') ? forbidden('cannot list') : undefined)
    await assert.rejects(run(), { name: 'ApiError', status: 403 })
    assert.equal(writes(), 0)
  })

  describe('Leases', () => {
    it('deletes those whose group is gone', async () => {
      await createLease('orphan')
      await createLease('widow', [owner('gone', 'gone-uid')])
      await run()
      assert.deepEqual(printed, [
        'Left in namespace shop of groups that no longer exist:',
        '  Lease shop/orphan without an owner',
        '  Lease shop/widow of LeaderGroup gone',
        'Lease shop/orphan: deleted',
        'Lease shop/widow: deleted',
      ])
      assert.deepEqual([await scene.lease('orphan'), await scene.lease('widow')], [undefined, undefined])
    })

    it('leaves all others', async () => {
      const spec = { holderIdentity: 'app' }
      const plain = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'app' }, spec }
      done(await scene.admin.create(Leases, 'shop', plain))
      await scene.createGroup('db', { leaseName: 'orphan' })
      await createLease('orphan')
      await createLease('other', [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' }])
      await createLease('theirs', [{ ...owner('x', 'x'), apiVersion: 'example.com/v1' }])
      await run()
      assert.deepEqual(printed, ['Nothing is left in namespace shop of groups that no longer exist.'])
    })

    it('leaves one whose group turns out to exist, and one that was changed', async () => {
      await scene.createGroup('alive')
      const alive = done(await scene.admin.get(LeaderGroups, { namespace: 'shop', name: 'alive' }))
      await createLease('alive', [owner('alive', alive.metadata.uid)])
      await createLease('widow', [owner('gone', 'gone-uid')])
      let hidden = true
      scene.instead = ({ path }) => (hidden && path.includes('/leadergroups?') ? unknownType() : undefined)
      await run({}, async () => {
        hidden = false
        const spec = { holderIdentity: 'x' }
        done(await scene.admin.mergePatch(Leases, { namespace: 'shop', name: 'widow' }, { spec }))
        return true
      })
      assert.deepEqual(printed.slice(-2), [
        'Lease shop/alive: its group exists; left',
        'Lease shop/widow: somebody changed it just now; left. Run this again',
      ])
      assert.ok((await scene.lease('alive')) && (await scene.lease('widow')))
    })
  })

  describe('Services and EndpointSlices', () => {
    const ports = [{ port: 5432 }]
    const services = [
      { name: 'db', role: 'Leader', ports },
      { name: 'db-ro', role: 'Follower', ports },
    ]

    /** A group with Services that is gone, together with what the garbage collector takes. */
    async function leftRouted(): Promise<void> {
      await scene.createGroup('db', { services })
      await scene.createPod('db-0')
      await scene.createPod('db-1')
      await scene.operate()
      await scene.deleteGroup()
      await scene.clock.advance(60_000)
    }

    /** As `kubectl delete --cascade=orphan` leaves it, unless it has an owner. */
    async function createService(name: string, group: string, ownerReferences: readonly object[] = []): Promise<void> {
      const metadata = { name, labels: { 'leadergroup.io/group': group }, ownerReferences }
      done(await scene.admin.create(Services, 'shop', { metadata, spec: { ports } }))
    }

    const names = async (resource: Resource<KubeObject>): Promise<readonly string[]> =>
      done(await scene.admin.list(resource, { namespace: 'shop' })).items.map(({ metadata }) => metadata.name)

    it('of a group that is gone go: a leader’s slice belongs to its pod, which lives', async () => {
      await leftRouted()
      assert.deepEqual(await names(EndpointSlices), ['db-leader-ipv4'])
      await run()
      assert.deepEqual(printed, [
        'Left in namespace shop of groups that no longer exist:',
        '  keys of group shop/db on pods db-0, db-1, and its EndpointSlice db-leader-ipv4',
        'EndpointSlice shop/db-leader-ipv4 of group db: deleted',
        'pod shop/db-0: keys of group db taken off',
        'pod shop/db-1: keys of group db taken off',
      ])
      assert.deepEqual([...(await names(Services)), ...(await names(EndpointSlices))], [])
    })

    it('are told of where no pod bears keys any more', async () => {
      await leftRouted()
      await scene.patchPod('db-1', { annotations: { 'db.leadergroup.io/sealed': null } })
      const metadata = { labels: { 'db.leadergroup.io/role': null } }
      const annotations = { 'db.leadergroup.io/sealed': null, 'db.leadergroup.io/term': null }
      await scene.patchPod('db-0', { ...metadata, annotations })
      await run({ dryRun: true })
      assert.equal(printed[1], '  EndpointSlice db-leader-ipv4 of group shop/db')
      assert.deepEqual(await names(EndpointSlices), ['db-leader-ipv4'])
    })

    it('that were orphaned go, or whose owner is gone', async () => {
      await createService('db', 'db')
      await createService('db-ro', 'db', [owner('db', 'gone-uid')])
      await run()
      assert.deepEqual(printed, [
        'Left in namespace shop of groups that no longer exist:',
        '  Service shop/db of LeaderGroup db',
        '  Service shop/db-ro of LeaderGroup db',
        'Service shop/db: deleted',
        'Service shop/db-ro: deleted',
      ])
      assert.deepEqual(await names(Services), [])
    })

    it('of others stay, and of groups that exist', async () => {
      await scene.createGroup('alive', { services })
      await scene.createPod('a-0', true, { app: 'alive' })
      await scene.operate('alive')
      await createService('orphan', 'alive')
      await createService('theirs', 'db', [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' }])
      done(await scene.admin.create(Services, 'shop', { metadata: { name: 'plain' }, spec: { ports } }))
      const labels = { 'leadergroup.io/group': 'db' }
      const slice = { metadata: { name: 'hand', labels }, addressType: 'IPv4', endpoints: [], ports: [] }
      done(await scene.admin.create(EndpointSlices, 'shop', slice))
      await run()
      assert.deepEqual(printed, ['Nothing is left in namespace shop of groups that no longer exist.'])
      assert.deepEqual((await names(Services)).toSorted(), ['db', 'db-ro', 'orphan', 'plain', 'theirs'])
    })

    it('stay where the group comes to be while the person thinks', async () => {
      await createService('db', 'db')
      await run({}, async () => {
        await scene.createGroup()
        return true
      })
      assert.equal(printed.at(-1), 'Service shop/db: its group exists; left')
      assert.deepEqual(await names(Services), ['db'])
    })
  })
})
