import assert from 'node:assert/strict'
import { ApiServer } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { Api } from './api.ts'
import { Leases, type Lease } from './objects.ts'
import type { TransportRequest, TransportResponse } from './transport.ts'
import { watchObject } from './watch-object.ts'

const NAMESPACE = 'ns'
const name = (index: number): string => `db-${index}`

/** Watchers of one client, and what it asks the server for. */
class Scene {
  readonly clock = new VirtualClock()
  readonly server = new ApiServer(this.clock)
  readonly admin = new Api(this.server.transport(), this.clock)
  /** Watches that are open: of which object, or of `all`. */
  readonly open: string[] = []
  lists = 0
  mayWatchAll = true
  readonly api = new Api({ send: (request) => this.#send(request) }, this.clock)

  async #send(request: TransportRequest): Promise<TransportResponse> {
    const query = new URLSearchParams(request.path.split('?')[1])
    const what = query.get('fieldSelector')?.replace('metadata.name=', '') ?? 'all'
    if (what === 'all' && !this.mayWatchAll) return forbidden()
    const response = await this.server.transport().send(request)
    if (query.has('watch')) return { ...response, body: this.#followed(what, response.body) }
    this.lists++
    return response
  }

  async *#followed(what: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    this.open.push(what)
    try {
      yield* body
    } finally {
      this.open.splice(this.open.indexOf(what), 1)
    }
  }

  /** What is told of it: holders, or `absent`. */
  watch(object: string): { told: (string | null | undefined)[]; stop: () => void; over: Promise<void> } {
    const leaving = new AbortController()
    const told: (string | null | undefined)[] = []
    const source = { resource: Leases, namespace: NAMESPACE, name: object, trim: (lease: Lease): Lease => lease }
    const run = async (): Promise<void> => {
      const found = watchObject(this.api, source, { clock: this.clock, random: () => 0.5, signal: leaving.signal })
      for await (const lease of found) told.push(lease === 'absent' ? lease : lease.spec?.holderIdentity)
    }
    return { told, stop: () => leaving.abort(), over: run() }
  }

  async watchMany(count: number): Promise<ReturnType<Scene['watch']>[]> {
    const watchers = Array.from({ length: count }, (_, index) => this.watch(name(index)))
    await this.clock.settle()
    return watchers
  }

  async hold(object: string, holderIdentity: string): Promise<void> {
    const key = { namespace: NAMESPACE, name: object }
    const kept = await this.admin.mergePatch(Leases, key, { spec: { holderIdentity } })
    if (kept.kind === 'notFound') await this.admin.create(Leases, NAMESPACE, lease(object, holderIdentity))
    await this.clock.settle()
  }

  async remove(object: string): Promise<void> {
    await this.admin.delete(Leases, { namespace: NAMESPACE, name: object })
    await this.clock.settle()
  }
}

const lease = (object: string, holderIdentity: string): object => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: object },
  spec: { holderIdentity, leaseDurationSeconds: 15 },
})

async function forbidden(): Promise<TransportResponse> {
  const body = [Buffer.from(JSON.stringify({ kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' }))]
  return { status: 403, headers: {}, body: ReadableStream.from(body) }
}

describe('watch of an object', () => {
  let scene: Scene
  beforeEach(() => (scene = new Scene()))

  it('tells of it as it is, of each change, and of its end', async () => {
    await scene.hold('db-0', 'a')
    await scene.hold('db-1', 'x')
    const [watcher] = await scene.watchMany(1)
    await scene.hold('db-0', 'b')
    await scene.hold('db-1', 'y')
    await scene.remove('db-0')
    await scene.hold('db-0', 'c')
    assert.deepEqual(watcher!.told, ['a', 'b', 'absent', 'c'])
    watcher!.stop()
    await watcher!.over
    await scene.hold('db-0', 'd')
    assert.deepEqual([watcher!.told.length, scene.open], [4, []])
  })

  it('is one for each of a few, and one for all of many', async () => {
    const few = await scene.watchMany(8)
    assert.deepEqual(scene.open.toSorted(), few.map((_, index) => name(index)).toSorted())
    const one = scene.watch('other')
    await scene.clock.settle()
    assert.deepEqual(scene.open, ['all'])
    await scene.hold('db-3', 'a')
    await scene.hold('other', 'b')
    await scene.remove('db-3')
    assert.deepEqual(
      [few[3]!.told, one.told],
      [
        ['absent', 'absent', 'a', 'absent'],
        ['absent', 'b'],
      ],
    )
    assert.deepEqual(few[4]!.told, ['absent', 'absent'], 'once by its own, once when the shared one began')
  })

  it('tells who comes later what is there, without a request', async () => {
    await scene.hold('late', 'a')
    await scene.watchMany(9)
    const { lists } = scene
    const late = scene.watch('late')
    await scene.clock.settle()
    await scene.hold('late', 'b')
    assert.deepEqual([late.told, scene.lists, scene.open], [['a', 'b'], lists, ['all']])
  })

  it('misses nothing between its own stream and the shared one', async () => {
    await scene.hold('db-0', 'a')
    const many = await scene.watchMany(8)
    const one = scene.watch('other')
    // Before the list of all is there.
    await scene.admin.mergePatch(Leases, { namespace: NAMESPACE, name: 'db-0' }, { spec: { holderIdentity: 'b' } })
    await scene.clock.settle()
    assert.equal(many[0]!.told.at(-1), 'b')
    await scene.hold('db-0', 'c')
    assert.equal(many[0]!.told.at(-1), 'c')
    assert.deepEqual(one.told, ['absent'])
  })

  it('brings the last state only to who is slow', async () => {
    await scene.watchMany(9)
    const source = { resource: Leases, namespace: NAMESPACE, name: 'slow', trim: (each: Lease): Lease => each }
    const { signal } = new AbortController()
    const slow = watchObject(scene.api, source, { clock: scene.clock, random: () => 0.5, signal })
    assert.equal((await slow.next()).value, 'absent')
    for (const holder of ['a', 'b', 'c']) await scene.hold('slow', holder)
    const { value } = await slow.next()
    assert.equal(value !== 'absent' && value?.spec?.holderIdentity, 'c')
    await slow.return()
  })

  it('is one for each of many where all may not be watched, also when that is forbidden later', async () => {
    scene.mayWatchAll = false
    const many = await scene.watchMany(12)
    assert.equal(scene.open.length, 12)
    await scene.hold('db-11', 'a')
    assert.deepEqual(many[11]!.told, ['absent', 'a'])

    const other = new Scene()
    const watchers = await other.watchMany(12)
    assert.deepEqual(other.open, ['all'])
    other.mayWatchAll = false
    other.server.closeWatches()
    await other.clock.advance(60_000)
    assert.equal(other.open.includes('all'), false)
    assert.equal(other.open.length, 12)
    await other.hold('db-11', 'a')
    assert.equal(watchers[11]!.told.at(-1), 'a')
  })

  it('leaves nothing open, and begins small again', async () => {
    const many = await scene.watchMany(12)
    for (const { stop } of many) stop()
    await Promise.all(many.map(({ over }) => over))
    await scene.clock.settle()
    assert.deepEqual([scene.open, scene.clock.nextTimerAt()], [[], undefined])
    await scene.watchMany(1)
    assert.deepEqual(scene.open, ['db-0'])
  })

  it('is none for who has left before', async () => {
    const watcher = scene.watch('db-0')
    watcher.stop()
    await watcher.over
    await scene.clock.settle()
    assert.deepEqual([watcher.told, scene.open, scene.clock.nextTimerAt()], [[], [], undefined])
  })
})
