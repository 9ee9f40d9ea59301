import { strict as assert } from 'node:assert'
import { Api } from '../kube/api.ts'
import { frames } from '../kube/frames.ts'
import { Leases, Pods, type Lease } from '../kube/objects.ts'
import type { TransportRequest, TransportResponse } from '../kube/transport.ts'
import { ApiServer, type TransportOptions } from './apiserver.ts'
import { VirtualClock } from './clock.ts'

const key = { namespace: 'default', name: 'a' }
const lease = { metadata: { name: 'a' }, spec: { holderIdentity: 'h' } }
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases'

/** The contract holds the server to a real one (contract.test.ts); here is what a real one can't be asked for. */
describe('in-memory API server', () => {
  describe('history', () => {
    it('has every write, with who made it and when', async () => {
      const { clock, server } = start()
      const alice = new Api(server.transport({ user: 'alice' }), clock)
      const bob = new Api(server.transport({ user: 'bob' }), clock)
      await alice.create(Leases, 'default', lease)
      await clock.advance(1500)
      await bob.mergePatch(Leases, key, { spec: { holderIdentity: 'b' } })
      await bob.mergePatch(Leases, key, { spec: { holderIdentity: 'b' } })
      await alice.delete(Leases, key)
      assert.deepEqual(
        server.history.map(({ revision, type, user, at, object, previous }) => [
          revision,
          type,
          user,
          at,
          object.metadata.resourceVersion,
          previous?.metadata.resourceVersion,
        ]),
        [
          [2, 'ADDED', 'alice', 0, '2', undefined],
          [3, 'MODIFIED', 'bob', 1500, '3', '2'],
          [4, 'DELETED', 'alice', 1500, '4', '3'],
        ],
      )
    })

    it('is the same in every run', async () => {
      assert.equal(await storyOf(), await storyOf())
    })

    it('keeps what was written, whatever becomes of later versions', async () => {
      const { server, api } = start()
      await api.create(Leases, 'default', lease)
      const first = structuredClone(server.history[0]?.object)
      await api.mergePatch(Leases, key, { metadata: { labels: { a: '1' } }, spec: { leaseTransitions: 5 } })
      await api.delete(Leases, key)
      assert.deepEqual(server.history[0]?.object, first)
    })
  })

  it('stamps with the wall clock, in whole seconds', async () => {
    const { clock, api } = start()
    await clock.advance(1_999)
    clock.stepWall(3_600_000)
    const created = await api.create(Leases, 'default', lease)
    assert.equal(created.kind === 'ok' && created.object.metadata.creationTimestamp, '2026-01-01T01:00:01Z')
  })

  it('collects garbage a few milliseconds later, not at once', async () => {
    const { clock, api } = start()
    const owner = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'gone', uid: 'u' }
    await api.create(Leases, 'default', { metadata: { name: 'a', ownerReferences: [owner] } })
    await clock.settle()
    assert.equal((await api.get(Leases, key)).kind, 'ok')
    await clock.advance(10)
    assert.equal((await api.get(Leases, key)).kind, 'notFound')
  })

  it('takes owners of types that it does not have to live', async () => {
    const { clock, api } = start()
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'u' }
    await api.create(Pods, 'default', { metadata: { name: 'a', ownerReferences: [owner] } })
    await clock.advance(1_000)
    assert.equal((await api.get(Pods, key)).kind, 'ok')
  })

  it('refuses loudly what it does not simulate', async () => {
    const { transport } = start()
    for (const request of [
      get(`${LEASES}?sendInitialEvents=true&watch=true`),
      { ...get(LEASES), method: 'DELETE' } as const,
      { ...get(`${LEASES}/a`), method: 'PATCH', contentType: 'application/apply-patch+yaml', body: '{}' } as const,
    ]) {
      assert.equal((await transport.send(request)).status, 501, request.path)
    }
  })

  it('knows no other paths', async () => {
    const { transport } = start()
    for (const path of ['/api/v1/namespaces/default/secrets', `${LEASES}/a/status`, '/healthz', `${LEASES}/a/b/c`]) {
      assert.equal((await transport.send(get(path))).status, 404, path)
    }
  })

  describe('before each request', () => {
    it('a test can delay it: the server sees it only then', async () => {
      const { promise: released, resolve: release } = Promise.withResolvers<undefined>()
      const { clock, server, api } = start({ before: () => released })
      const writing = api.create(Leases, 'default', lease)
      await clock.advance(1_000)
      assert.equal(server.history.length, 0)
      release(undefined)
      assert.equal((await writing).kind, 'ok')
      assert.equal(server.history.length, 1)
    })

    it('a test can fail it, or answer in the place of the server', async () => {
      const failing = start({ before: () => Promise.reject(new Error('connection refused')) })
      await assert.rejects(failing.api.get(Leases, key), /connection refused/)
      const body = (async function* () {
        yield Buffer.from('{}')
      })()
      const busy = start({ before: () => Promise.resolve({ status: 429, headers: { 'retry-after': '3' }, body }) })
      const answer = await busy.api.create(Leases, 'default', lease)
      assert.equal(answer.kind === 'throttled' && answer.retryAfterMillis, 3_000)
      assert.equal(busy.server.history.length, 0)
    })

    it('an abort ends a request that was swallowed, and the server never sees it', async () => {
      const { clock, server, api } = start({ before: () => new Promise(() => undefined) })
      const controller = new AbortController()
      const writing = assert.rejects(api.create(Leases, 'default', lease, { signal: controller.signal }), /given up/)
      await clock.settle()
      controller.abort(new Error('given up'))
      await writing
      assert.equal(server.history.length, 0)
    })
  })

  describe('watch', () => {
    it('sends bookmarks every minute to those who ask, so that their version stays young', async () => {
      const { clock, transport, api, server } = start()
      await api.create(Leases, 'default', lease)
      const asking = read(await transport.send(get(`${LEASES}?watch=true&resourceVersion=2&allowWatchBookmarks=true`)))
      const other = read(await transport.send(get(`${LEASES}?watch=true&resourceVersion=2`)))
      await api.create(Pods, 'default', { metadata: { name: 'p' } })
      await clock.advance(59_999)
      assert.deepEqual(asking.seen, [])
      await clock.advance(1)
      assert.deepEqual(asking.seen, [bookmark(3)])
      await clock.advance(60_000)
      assert.deepEqual(asking.seen, [bookmark(3), bookmark(3)])
      assert.deepEqual(other.seen, [])
      server.closeWatches()
      await clock.settle()
      assert.equal(clock.nextTimerAt(), undefined, 'a closed watch leaves no timer behind')
    })

    it('from no version begins with the present objects', async () => {
      const { clock, transport, api } = start()
      await api.create(Leases, 'default', lease)
      await api.mergePatch(Leases, key, { spec: { holderIdentity: 'b' } })
      const reading = read(await transport.send(get(`${LEASES}?watch=true`)))
      await clock.settle()
      assert.deepEqual(
        reading.seen.map(({ type, object }) => [type, object.spec?.holderIdentity]),
        [['ADDED', 'b']],
      )
    })

    it('from a version to come says nothing until after it', async () => {
      const { clock, transport, api } = start()
      const reading = read(await transport.send(get(`${LEASES}?watch=true&resourceVersion=3`)))
      for (const name of ['a', 'b', 'c']) await api.create(Leases, 'default', { metadata: { name } })
      await clock.settle()
      assert.deepEqual(
        reading.seen.map(({ object }) => object.metadata.name),
        ['c'],
      )
    })

    it('from a compacted version can be refused with HTTP 410 as well; the compacted version itself is fine', async () => {
      const { clock, server, transport, api } = start()
      for (const name of ['a', 'b', 'c']) await api.create(Leases, 'default', { metadata: { name } })
      server.compact(3)
      server.expireWatchesAs('status')
      assert.equal((await transport.send(get(`${LEASES}?watch=true&resourceVersion=2`))).status, 410)
      const reading = read(await transport.send(get(`${LEASES}?watch=true&resourceVersion=3`)))
      await clock.settle()
      assert.deepEqual(
        reading.seen.map(({ object }) => object.metadata.name),
        ['c'],
      )
    })

    it('ends cleanly when the server closes all, after what was already sent', async () => {
      const { clock, server, transport, api } = start()
      const reading = read(await transport.send(get(`${LEASES}?watch=true&resourceVersion=1`)))
      await api.create(Leases, 'default', lease)
      server.closeWatches()
      await api.mergePatch(Leases, key, { spec: { holderIdentity: 'late' } })
      await clock.settle()
      assert.deepEqual([reading.seen.map(({ type }) => type), reading.ended], [['ADDED'], 'cleanly'])
    })

    it('ends with the reason of its abort, and leaves nothing behind', async () => {
      const { clock, transport } = start()
      const controller = new AbortController()
      const reading = read(await transport.send(get(`${LEASES}?watch=true&allowWatchBookmarks=1`, controller.signal)))
      await clock.settle()
      controller.abort(new Error('enough'))
      await clock.settle()
      assert.deepEqual([reading.ended, clock.nextTimerAt()], ['enough', undefined])
    })

    it('cuts its frames anywhere, also within a character', async () => {
      const { clock, transport, api } = start()
      const reading = read(await transport.send(get(`${LEASES}?watch=true&resourceVersion=1`)))
      for (let length = 0; length < 8; length++) {
        const annotations = { note: `${'.'.repeat(length)}${'é€😀'.repeat(60)}` }
        await api.create(Leases, 'default', { metadata: { name: `a${length}`, annotations } })
      }
      await clock.settle()
      assert.ok(reading.seen.every(({ object }) => object.metadata.annotations?.['note']?.endsWith('é€😀')))
      assert.equal(reading.seen.length, 8)
    })
  })

  it('gives the oldest page tokens up with the versions they are for', async () => {
    const { server, api } = start()
    for (const name of ['a', 'b', 'c']) await api.create(Leases, 'default', { metadata: { name } })
    const page = await api.list(Leases, { limit: 1 })
    assert.ok(page.kind === 'ok')
    const continueToken = page.object.continueToken ?? ''
    assert.equal((await api.list(Leases, { continueToken })).kind, 'ok')
    server.compact()
    assert.equal((await api.list(Leases, { continueToken })).kind, 'ok', 'nothing was written since')
    await api.delete(Leases, key)
    server.compact()
    assert.equal((await api.list(Leases, { continueToken })).kind, 'expired')
  })
})

function start(options: TransportOptions = {}) {
  const clock = new VirtualClock()
  const server = new ApiServer(clock)
  const transport = server.transport(options)
  return { clock, server, transport, api: new Api(transport, clock) }
}

function get(path: string, signal = new AbortController().signal): TransportRequest {
  return { method: 'GET', path, signal }
}

/** Reads a watch in the background. */
function read(response: TransportResponse): { seen: { type: string; object: Lease }[]; ended: string | undefined } {
  const reading = { seen: [] as { type: string; object: Lease }[], ended: undefined as string | undefined }
  const run = async (): Promise<void> => {
    for await (const frame of frames(response.body))
      reading.seen.push(JSON.parse(frame) as { type: string; object: Lease })
  }
  run().then(
    () => (reading.ended = 'cleanly'),
    (error: Error) => (reading.ended = error.message),
  )
  return reading
}

async function storyOf(): Promise<string> {
  const { clock, server, api } = start()
  for (const name of ['a', 'b']) await api.create(Pods, 'default', { metadata: { name }, spec: { nodeName: 'n' } })
  await clock.advance(2_500)
  await api.delete(Pods, key)
  return JSON.stringify(server.history)
}

const bookmark = (revision: number): object => ({
  type: 'BOOKMARK',
  object: {
    kind: 'Lease',
    apiVersion: 'coordination.k8s.io/v1',
    metadata: { resourceVersion: String(revision) },
  },
})
