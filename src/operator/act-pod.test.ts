import assert from 'node:assert/strict'
import type { PatchPod } from '../group/decision.ts'
import { Pods, type Pod } from '../kube/objects.ts'
import { KEY, NAMESPACE, Rig, SEALED, answer } from './act-fixtures.ts'

describe('act on pods', () => {
  let rig: Rig
  beforeEach(async () => {
    rig = new Rig()
    await rig.begin()
  })

  describe('patchPod', () => {
    it('patches the pod as read, and sees it', async () => {
      assert.deepEqual(await rig.act(await rig.patch()), { kind: 'done' })
      const { metadata } = await rig.pod()
      assert.deepEqual([metadata.annotations, metadata.labels], [{ [SEALED]: 'g/0' }, { app: 'db' }])
      assert.equal(rig.cache.observe(KEY).pods[0]?.sealed, 'g/0')
      assert.equal(rig.seen().pod, metadata.resourceVersion)
    })

    it('has touched it since it was read, and nobody else', async () => {
      const { seenAt } = rig.cache.observe(KEY).pods[0]!
      await rig.act(await rig.patch())
      const [written] = rig.cache.observe(KEY).pods
      assert.deepEqual([written?.untouchedSince, written!.seenAt > seenAt], [seenAt, true])
      await rig.touchPod()
      await rig.see()
      assert.equal(rig.cache.observe(KEY).pods[0]?.untouchedSince, undefined)
    })

    it('says nothing of who touched a version that was not seen', async () => {
      await rig.touchPod()
      await rig.act(await rig.patch())
      const [written] = rig.cache.observe(KEY).pods
      assert.deepEqual([written?.sealed, written?.untouchedSince], ['g/0', undefined])
    })

    describe('when several are due at once', () => {
      const inTurn = async (...actions: readonly PatchPod[]): Promise<readonly string[]> => {
        rig.sent.length = 0
        const acting = Promise.all(actions.map((action) => rig.act(action)))
        await rig.clock.settle()
        return [...(await acting).map(({ kind }) => kind), ...rig.sent]
      }

      it('sends one, and lets the others decide anew', async () => {
        const action = await rig.patch()
        assert.deepEqual(await inTurn(action, action, action), ['done', 'done', 'done', 'PATCH pods/db-0'])
      })

      it('hears one of the others at a time, which keeps its turn while it decides anew', async () => {
        const heard: string[] = []
        const act = async (name: string, action: PatchPod): Promise<void> => {
          await rig.actor.act(`${NAMESPACE}/${name}`, [action], 0, rig.authority.signal)
          heard.push(name)
        }
        const key = (name: string): PatchPod['annotations'] => ({ [`${name}.leadergroup.io/sealed`]: 'g/0' })
        const action = await rig.patch()
        const again = async (name: string): Promise<void> => {
          await act(name, { ...action, annotations: key(name) })
          const [{ uid, resourceVersion } = action.pod] = rig.cache.observe(KEY).pods
          await act(name, { ...action, pod: { name: 'db-0', uid, resourceVersion }, annotations: key(name) })
        }
        const all = Promise.all([act('a', action), again('b'), again('c'), act('d', action)])
        await rig.clock.settle()
        await all
        assert.deepEqual(heard, ['a', 'b', 'b', 'c', 'c', 'd'])
        assert.equal(rig.sent.length, 3)
      })

      it('sends the next when the first changed nothing', async () => {
        const action = await rig.patch()
        let requests = 0
        rig.fate = () => (requests++ === 0 ? answer(500, 'InternalError') : undefined)
        const [first, second, ...sent] = await inTurn(action, action)
        assert.deepEqual([first, second], ['failed', 'done'])
        assert.deepEqual(sent, ['PATCH pods/db-0', 'PATCH pods/db-0'])
      })

      it('lets the others see what the first one read when it was refused', async () => {
        const action = await rig.patch()
        await rig.touchPod()
        assert.deepEqual(await inTurn(action, action), ['stale', 'done', 'PATCH pods/db-0', 'GET pods/db-0'])
      })

      it('holds up no other pod', async () => {
        const action = await rig.patch()
        const other: PatchPod = { ...action, pod: { ...action.pod, name: 'db-1', uid: 'another' } }
        const [, , ...sent] = await inTurn(action, other)
        assert.deepEqual(sent.slice(0, 2), ['PATCH pods/db-0', 'PATCH pods/db-1'])
      })
    })

    it('is refused by a change, and reads it', async () => {
      const action = await rig.patch()
      await rig.touchPod()
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      const { metadata } = await rig.pod()
      assert.deepEqual([metadata.annotations, rig.seen().pod], [undefined, metadata.resourceVersion])
    })

    it('is refused by a pod recreated under the name, and learns that the old one is gone', async () => {
      const action = await rig.patch()
      await rig.recreatePod()
      assert.deepEqual(await rig.act(action), { kind: 'stale' })
      const { gone, pods } = rig.cache.observe(KEY)
      assert.ok(gone.has(action.pod.uid))
      assert.deepEqual(
        pods.map(({ uid }) => uid),
        [(await rig.pod()).metadata.uid],
      )
    })

    it('is refused by another UID at the same version', async () => {
      assert.deepEqual(await rig.act(await rig.patch({ uid: 'another' })), { kind: 'stale' })
      assert.ok(rig.cache.observe(KEY).gone.has('another'))
    })

    it('learns that the pod is gone', async () => {
      const action = await rig.patch()
      await rig.admin.delete(Pods, { namespace: NAMESPACE, name: 'db-0' }, { gracePeriodSeconds: 0 })
      assert.deepEqual(await rig.act(action), { kind: 'done' })
      assert.ok(rig.cache.observe(KEY).gone.has(action.pod.uid))
      assert.deepEqual(rig.cache.observe(KEY).pods, [])
    })
  })

  describe('patchPod of a pod between the two writes of its deletion by force', () => {
    let action: PatchPod
    let ending: Pod

    beforeEach(async () => {
      action = await rig.patch()
      const { metadata, ...rest } = await rig.pod()
      const resourceVersion = String(Number(metadata.resourceVersion) + 1)
      const deletion = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 }
      ending = { ...rest, metadata: { ...metadata, ...deletion, resourceVersion } }
      rig.cache.pods.change({ kind: 'apply', object: ending })
      rig.sent.length = 0
    })

    it('waits for the event of its end, and asks nothing', async () => {
      const acting = rig.act(action)
      rig.cache.pods.change({ kind: 'delete', object: ending })
      assert.deepEqual(await acting, { kind: 'done' })
      assert.deepEqual(rig.sent, [])
    })

    it('reads the pod when that event does not come', async () => {
      const acting = rig.act(action)
      await rig.clock.advance(50)
      assert.deepEqual(await acting, { kind: 'stale' })
      assert.deepEqual(rig.sent, ['GET pods/db-0'])
    })
  })

  describe('readPod', () => {
    it('shows the pod', async () => {
      await rig.touchPod()
      const { name, uid, resourceVersion } = (await rig.pod()).metadata
      assert.deepEqual(await rig.act({ kind: 'readPod', name, uid }), { kind: 'done' })
      assert.deepEqual([rig.seen().pod, rig.cache.observe(KEY).gone.size], [resourceVersion, 0])
    })

    for (const [what, name] of [
      ['another UID', 'db-0'],
      ['nothing', 'db-9'],
    ] as const) {
      it(`proves a pod gone by ${what} of its name`, async () => {
        assert.deepEqual(await rig.act({ kind: 'readPod', name, uid: 'old' }), { kind: 'done' })
        assert.deepEqual([...rig.cache.observe(KEY).gone], ['old'])
        assert.equal(rig.cache.observe(KEY).pods.length, 1)
      })
    }
  })

  describe('listPods', () => {
    it('shows all pods, as listed since', async () => {
      await rig.create(Pods, { metadata: { name: 'db-1', labels: { app: 'db' } }, spec: {} })
      const before = rig.cache.tick()
      assert.deepEqual(await rig.act({ kind: 'listPods' }), { kind: 'done' })
      const { pods, podsListedAt } = rig.cache.observe(KEY)
      assert.deepEqual(
        pods.map(({ name }) => name),
        ['db-0', 'db-1'],
      )
      assert.ok(podsListedAt! > before)
    })

    it('that expires is begun anew', async () => {
      rig.fate = () => answer(410, 'Expired')
      assert.deepEqual(await rig.act({ kind: 'listPods' }), { kind: 'stale' })
    })

    it('that is throttled waits', async () => {
      rig.fate = () => answer(429, 'TooManyRequests', { 'retry-after': '3' })
      const acted = await rig.act({ kind: 'listPods' })
      assert.ok(acted.kind === 'failed' && acted.retryAfterMillis === 3000)
    })
  })
})
