import assert from 'node:assert/strict'
import { Api } from '../kube/api.ts'
import { Pods } from '../kube/objects.ts'
import type { TransportRequest, TransportResponse } from '../kube/transport.ts'
import { ApiServer } from '../sim/apiserver.ts'
import { VirtualClock } from '../sim/clock.ts'
import { Cache } from './cache.ts'
import { PodLists } from './pod-lists.ts'

const UNTIL_END = new AbortController().signal

/** A server that takes 10 ms for each page. */
class Rig {
  readonly clock = new VirtualClock()
  readonly server = new ApiServer(this.clock)
  readonly admin = new Api(this.server.transport(), this.clock)
  readonly cache = new Cache(this.clock, () => undefined)
  readonly requests: string[] = []
  answer: (request: TransportRequest) => TransportResponse | undefined = () => undefined
  readonly lists: PodLists

  constructor() {
    const slow = async (request: TransportRequest): Promise<TransportResponse | undefined> => {
      this.requests.push(`${new URL(request.path, 'http://x').pathname.split('/')[4]}@${this.clock.now()}`)
      await new Promise<void>((resolve) => this.clock.timer(this.clock.now() + 10, resolve))
      return this.answer(request)
    }
    this.lists = new PodLists(new Api(this.server.transport({ before: slow }), this.clock), this.cache)
  }

  async createPods(count: number): Promise<void> {
    for (let number = 0; number < count; number++) {
      await this.admin.create(Pods, 'shop', { metadata: { name: `p${number}`, labels: { app: 'db' } }, spec: {} })
    }
  }

  listedAt(namespace = 'shop'): number | undefined {
    return this.cache.observe(`${namespace}/db`).podsListedAt
  }
}

function refusal(status: number, headers: Readonly<Record<string, string>> = {}): TransportResponse {
  const body = Buffer.from(JSON.stringify({ kind: 'Status', code: status, message: 'no' }))
  return {
    status,
    headers,
    body: (async function* () {
      yield body
    })(),
  }
}

describe('pod lists', () => {
  let rig: Rig
  beforeEach(() => {
    rig = new Rig()
  })

  it('bring all pages into the cache, known by when they began', async () => {
    await rig.createPods(501)
    const before = rig.cache.tick()
    const listing = rig.lists.list('shop', UNTIL_END)
    await rig.clock.advance(10)
    assert.equal(rig.listedAt(), undefined)
    await rig.clock.advance(10)
    assert.equal(await listing, undefined)
    assert.equal(rig.listedAt(), before + 1)
    assert.deepEqual([...rig.cache.pods.all()].length, 501)
    assert.deepEqual(rig.requests, ['shop@0', 'shop@10'])
  })

  it('are shared by all that ask while one waits to begin, and never join one under way', async () => {
    const first = rig.lists.list('shop', UNTIL_END)
    await rig.clock.advance(5)
    const asked = rig.cache.tick()
    const later = [1, 2, 3].map(() => rig.lists.list('shop', UNTIL_END))
    await rig.clock.advance(5)
    await first
    assert.ok(rig.listedAt()! < asked)
    await rig.clock.advance(10)
    await Promise.all(later)
    assert.ok(rig.listedAt()! > asked)
    assert.deepEqual(rig.requests, ['shop@0', 'shop@10'])
  })

  it('of different namespaces run side by side', async () => {
    const both = ['shop', 'other'].map((namespace) => rig.lists.list(namespace, UNTIL_END))
    await rig.clock.advance(10)
    await Promise.all(both)
    assert.deepEqual(rig.requests, ['shop@0', 'other@0'])
  })

  it('can be made again when they are done', async () => {
    for (let round = 0; round < 3; round++) {
      const listing = rig.lists.list('shop', UNTIL_END)
      await rig.clock.advance(10)
      await listing
    }
    assert.equal(rig.requests.length, 3)
  })

  it('say why they were refused, and prove nothing then', async () => {
    rig.answer = () => refusal(429, { 'retry-after': '7' })
    const listing = rig.lists.list('shop', UNTIL_END)
    await rig.clock.advance(10)
    const refused = await listing
    assert.ok(refused?.kind === 'throttled')
    assert.deepEqual([refused.retryAfterMillis, rig.listedAt()], [7000, undefined])
  })

  it('that expire between two pages prove nothing', async () => {
    await rig.createPods(501)
    rig.answer = ({ path }) => (path.includes('continue') ? refusal(410) : undefined)
    const listing = rig.lists.list('shop', UNTIL_END)
    await rig.clock.advance(20)
    assert.deepEqual([(await listing)?.kind, rig.listedAt()], ['expired', undefined])
  })

  it('that fail do not keep the next from running', async () => {
    rig.answer = () => refusal(403)
    const first = rig.lists.list('shop', UNTIL_END)
    await rig.clock.advance(5)
    const second = rig.lists.list('shop', UNTIL_END)
    const rejected = assert.rejects(first, /403 Forbidden/)
    await rig.clock.advance(5)
    await rejected
    rig.answer = () => undefined
    await rig.clock.advance(10)
    assert.equal(await second, undefined)
    assert.notEqual(rig.listedAt(), undefined)
  })
})
