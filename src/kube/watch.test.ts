import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { DeadlineExceeded } from '../clock.ts'
import { VirtualClock } from '../sim/clock.ts'
import { Api } from './api.ts'
import { Pods, type Pod } from './objects.ts'
import type { ApiError } from './outcome.ts'
import type { Transport, TransportRequest, TransportResponse } from './transport.ts'
import { watch, type Change, type Freshness } from './watch.ts'

type Reply = TransportResponse | Error | 'hang'

const json = (status: number, body: unknown, headers: Record<string, string> = {}): TransportResponse => {
  const stream = new PassThrough()
  stream.end(JSON.stringify(body))
  return { status, headers, body: stream }
}

const pod = (name: string, resourceVersion: number): Pod => ({
  metadata: { name, uid: `uid-of-${name}`, resourceVersion: String(resourceVersion) },
})

const list = (version: number, items: readonly Pod[], more?: string): TransportResponse =>
  json(200, { metadata: { resourceVersion: String(version), continue: more ?? '' }, items })

const bare = ({ metadata: { name, uid, resourceVersion } }: Pod): Pod => ({ metadata: { name, uid, resourceVersion } })

const refused = (): Error => new Error('connect ECONNREFUSED')

const failure = (code: number, reason: string, headers?: Record<string, string>): TransportResponse =>
  json(code, { kind: 'Status', code, reason, message: 'no' }, headers)

const frame = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`

/** An open watch, seen from the server. */
const stream = (): { pipe: PassThrough; reply: TransportResponse } => {
  const pipe = new PassThrough()
  pipe.on('error', () => pipe.destroy())
  return { pipe, reply: { status: 200, headers: {}, body: pipe } }
}

/** A server that answers by a script, one reply per request, and a consumer that takes all that comes. */
class Scene {
  readonly clock = new VirtualClock()
  readonly stop = new AbortController()
  readonly freshness: Freshness = {
    synced: false,
    connected: false,
    lastHeardAt: undefined,
    lists: 0,
    lastError: undefined,
  }
  readonly requests: { at: number; path: string; query: Record<string, string>; signal: AbortSignal }[] = []
  readonly changes: Change<Pod>[] = []
  readonly stream: AsyncIterableIterator<Change<Pod>, void>
  readonly #replies: Reply[] = []
  #answerPending: (reply: TransportResponse) => void = () => assert.fail('no request waits')
  readonly #transport: Transport = { send: (request) => this.#send(request) }
  done = false

  constructor(options: { random?: () => number; trim?: (object: Pod) => Pod } = {}) {
    this.stream = watch(
      new Api(this.#transport, this.clock),
      { resource: Pods, namespace: 'ns', labelSelector: 'app=db', trim: options.trim ?? ((object) => object) },
      {
        clock: this.clock,
        random: options.random ?? (() => 1),
        signal: this.stop.signal,
        freshness: this.freshness,
      },
    )
  }

  reply(...replies: Reply[]): this {
    this.#replies.push(...replies)
    return this
  }

  /** Answers the request that waits. */
  answer(reply: TransportResponse): void {
    this.#answerPending(reply)
  }

  async start(): Promise<this> {
    void this.#consume()
    await this.clock.settle()
    return this
  }

  /** What came since the last call, as one word per change. */
  taken(): string {
    return this.changes
      .splice(0)
      .map((change) => {
        if (change.kind !== 'reset') return `${change.kind} ${change.object.metadata.name}`
        return `reset ${change.resourceVersion} [${change.objects.map(({ metadata }) => metadata.name).join()}]`
      })
      .join(', ')
  }

  /** What was asked since the last call: `list`, `list after TOKEN` or `watch from VERSION`, with the second. */
  asked(): string[] {
    return this.requests.splice(0).map(({ at, query }) => {
      if (query['watch'] === 'true') return `${at / 1_000} s: watch from ${query['resourceVersion']}`
      return `${at / 1_000} s: list${query['continue'] === undefined ? '' : ` after ${query['continue']}`}`
    })
  }

  /** Nothing is left of it: every body ended, no timer waits. */
  assertOver(open: readonly PassThrough[] = []): void {
    assert.ok(this.done)
    assert.ok(this.freshness.lastError === undefined || this.freshness.lastError !== this.stop.signal.reason)
    for (const pipe of open) assert.ok(pipe.destroyed)
    assert.equal(this.clock.nextTimerAt(), undefined)
    assert.equal(this.freshness.connected, false)
  }

  async #consume(): Promise<void> {
    for await (const change of this.stream) this.changes.push(change)
    this.done = true
  }

  #send(request: TransportRequest): Promise<TransportResponse> {
    const [path, query] = request.path.split('?')
    const { signal } = request
    this.requests.push({
      at: this.clock.now(),
      path: path!,
      query: Object.fromEntries(new URLSearchParams(query)),
      signal,
    })
    const reply = this.#replies.shift() ?? 'hang'
    if (reply instanceof Error) return Promise.reject(reply)
    return new Promise((resolve, reject) => {
      const answer = (response: TransportResponse): void => {
        const { body } = response
        if (body instanceof PassThrough) signal.addEventListener('abort', () => body.destroy(signal.reason as Error))
        resolve(response)
      }
      signal.addEventListener('abort', () => reject(signal.reason as Error))
      if (reply === 'hang') this.#answerPending = answer
      else answer(reply)
    })
  }
}

const times = (scene: Scene): number[] => scene.requests.splice(0).map(({ at }) => at / 1_000)

describe('watch', () => {
  it('lists, then watches from the version of the list', async () => {
    const { reply, pipe } = stream()
    const scene = await new Scene().reply(list(5, [pod('a', 3)]), reply).start()
    const [listed, watched] = scene.requests
    assert.equal(listed!.path, '/api/v1/namespaces/ns/pods')
    assert.deepEqual(listed!.query, { labelSelector: 'app=db', limit: '500' })
    assert.equal(watched!.path, '/api/v1/namespaces/ns/pods')
    assert.deepEqual(watched!.query, {
      watch: 'true',
      allowWatchBookmarks: 'true',
      labelSelector: 'app=db',
      resourceVersion: '5',
      timeoutSeconds: '600',
    })
    pipe.write(frame('ADDED', pod('b', 6)) + frame('MODIFIED', pod('a', 7)) + frame('DELETED', pod('b', 8)))
    await scene.clock.settle()
    assert.equal(scene.taken(), 'reset 5 [a], apply b, apply a, delete b')
  })

  it('asks for a random lifetime of 5 to 10 minutes', async () => {
    const scene = await new Scene({ random: () => 0 }).reply(list(5, [])).start()
    assert.equal(scene.requests[1]!.query['timeoutSeconds'], '300')
  })

  it('gives each page of a list 15 s', async () => {
    const scene = await new Scene().start()
    const { signal } = scene.requests[0]!
    await scene.clock.advance(14_999)
    assert.equal(signal.aborted, false)
    await scene.clock.advance(1)
    assert.equal(signal.aborted, true)
    assert.equal((scene.freshness.lastError as ApiError).reason, 'Timeout')
  })

  it('lists in pages, as one reset, and from the start when a continue token has expired', async () => {
    const scene = new Scene()
    scene.reply(list(5, [pod('a', 1)], 'x'), failure(410, 'Expired'))
    scene.reply(list(9, [pod('a', 1)], 'y'), list(9, [pod('b', 2)], 'z'), list(9, [pod('c', 3)]))
    await scene.start()
    assert.deepEqual(scene.asked(), [
      '0 s: list',
      '0 s: list after x',
      '0 s: list',
      '0 s: list after y',
      '0 s: list after z',
      '0 s: watch from 9',
    ])
    assert.equal(scene.taken(), 'reset 9 [a,b,c]')
  })

  it('trims every object before it passes it on', async () => {
    const { reply, pipe } = stream()
    const fat = { ...pod('a', 6), spec: { nodeName: 'n' } }
    const scene = await new Scene({ trim: bare }).reply(list(5, [fat]), reply).start()
    pipe.write(frame('ADDED', fat) + frame('DELETED', { ...fat, ...pod('a', 7) }))
    await scene.clock.settle()
    assert.deepEqual(scene.changes, [
      { kind: 'reset', objects: [pod('a', 6)], resourceVersion: '5' },
      { kind: 'apply', object: pod('a', 6) },
      { kind: 'delete', object: pod('a', 7) },
    ])
  })

  it('rejects with what trim throws, since no retry would heal that', async () => {
    const bug = new TypeError('bug')
    const trim = (): Pod => {
      throw bug
    }
    const scene = new Scene({ trim }).reply(list(5, [pod('a', 1)]))
    await assert.rejects(scene.stream.next(), bug)
    assert.equal(scene.clock.nextTimerAt(), undefined)
  })

  describe('resumes', () => {
    it('at once after a clean end, from the last event or bookmark', async () => {
      const [first, second] = [stream(), stream()]
      const scene = await new Scene().reply(list(5, []), first.reply, second.reply).start()
      first.pipe.write(frame('ADDED', pod('a', 6)) + frame('BOOKMARK', { metadata: { resourceVersion: '40' } }))
      await scene.clock.advance(5_000)
      first.pipe.end()
      await scene.clock.settle()
      assert.deepEqual(scene.asked(), ['0 s: list', '0 s: watch from 5', '5 s: watch from 40'])
      assert.equal(scene.taken(), 'reset 5 [], apply a')
      assert.equal(scene.freshness.lastError, undefined)
    })

    it('from the last whole frame when the connection broke within one', async () => {
      const [first, second] = [stream(), stream()]
      const scene = await new Scene().reply(list(5, []), first.reply, second.reply).start()
      first.pipe.write(frame('ADDED', pod('a', 6)) + frame('ADDED', pod('b', 7)).slice(0, 30))
      await scene.clock.advance(10_000)
      first.pipe.destroy(new Error('other side closed'))
      await scene.clock.settle()
      assert.match(scene.freshness.lastError!.message, /other side closed/)
      await scene.clock.advance(800)
      assert.equal(scene.freshness.lastError, undefined)
      assert.deepEqual(scene.asked().slice(2), ['10.8 s: watch from 6'])
      second.pipe.write(frame('ADDED', pod('b', 7)))
      await scene.clock.settle()
      assert.equal(scene.taken(), 'reset 5 [], apply a, apply b')
    })

    it('after 90 s without a frame, when the connection must be dead; a bookmark is a frame', async () => {
      const first = stream()
      const scene = await new Scene().reply(list(5, []), first.reply).start()
      await scene.clock.advance(80_000)
      first.pipe.write(frame('BOOKMARK', { metadata: { resourceVersion: '6' } }))
      await scene.clock.advance(89_999)
      assert.equal(scene.freshness.connected, true)
      assert.equal(scene.freshness.lastHeardAt, 80_000)
      await scene.clock.advance(1)
      assert.equal(scene.freshness.connected, false)
      assert.ok(scene.requests[1]!.signal.reason instanceof DeadlineExceeded)
      assert.ok(first.pipe.destroyed)
      await scene.clock.advance(800)
      assert.deepEqual(scene.asked().slice(2), ['170.8 s: watch from 6'])
    })

    it('after such a silence also when the aborted body ends as if it were complete', async () => {
      const scene = new Scene().reply(list(5, []))
      await scene.start()
      const { signal } = scene.requests[1]!
      const body = new PassThrough()
      signal.addEventListener('abort', () => body.end())
      scene.answer({ status: 200, headers: {}, body: body[Symbol.asyncIterator]() })
      body.write(frame('BOOKMARK', { metadata: { resourceVersion: '6' } }))
      await scene.clock.advance(90_800)
      assert.deepEqual(scene.asked().slice(2), ['90.8 s: watch from 6'])
    })

    it('after an ERROR event that does not expire the version, as late as it asks to', async () => {
      const [first, second] = [stream(), stream()]
      const scene = await new Scene().reply(list(5, []), first.reply, second.reply).start()
      first.pipe.write(frame('ERROR', { kind: 'Status', code: 500, reason: 'InternalError', message: 'etcd' }))
      await scene.clock.advance(800)
      second.pipe.write(frame('ERROR', { code: 429, details: { retryAfterSeconds: 7 } }))
      await scene.clock.advance(8_600)
      assert.deepEqual(scene.asked(), ['0 s: list', '0 s: watch from 5', '0.8 s: watch from 5', '9.4 s: watch from 5'])
    })

    it('and ignores versions that it has seen', async () => {
      const first = stream()
      const scene = await new Scene().reply(list(9, []), first.reply).start()
      first.pipe.write(
        frame('MODIFIED', pod('a', 9)) + frame('MODIFIED', pod('b', 10)) + frame('MODIFIED', pod('c', 8)),
      )
      await scene.clock.settle()
      assert.equal(scene.taken(), 'reset 9 [], apply b')
    })
  })

  describe('lists anew', () => {
    it('when a watch ends half an hour after the last list, and shows what no event has told', async () => {
      const [early, late] = [stream(), stream()]
      const scene = await new Scene()
        .reply(list(5, [pod('a', 4), pod('lost', 4)]), early.reply, late.reply, list(60, [pod('a', 4)]), 'hang')
        .start()
      for (const [watched, seconds] of [
        [early, 1_799],
        [late, 1],
      ] as const) {
        for (let passed = 0; passed < seconds; passed += 60) {
          watched.pipe.write(frame('BOOKMARK', { metadata: { resourceVersion: String(40 + passed) } }))
          await scene.clock.advance(Math.min(60, seconds - passed) * 1_000)
        }
        watched.pipe.end()
        await scene.clock.settle()
      }
      const [first, second, ...rest] = scene.asked()
      assert.deepEqual([first, second], ['0 s: list', '0 s: watch from 5'])
      assert.deepEqual(rest.slice(0, 2), ['1799 s: watch from 1780', '1800 s: list'])
      assert.equal(scene.taken(), 'reset 5 [a,lost], reset 60 [a]')
      assert.deepEqual([scene.freshness.lists, scene.freshness.lastError], [2, undefined])
    })

    it('at once when its version had expired while it was away (HTTP 410)', async () => {
      const first = stream()
      const scene = await new Scene().reply(list(5, [pod('a', 1)]), first.reply).start()
      await scene.clock.advance(60_000)
      scene.reply(failure(410, 'Expired'), list(70, [pod('b', 60)]), stream().reply)
      first.pipe.end()
      await scene.clock.settle()
      assert.deepEqual(scene.asked().slice(2), ['60 s: watch from 5', '60 s: list', '60 s: watch from 70'])
      assert.equal(scene.taken(), 'reset 5 [a], reset 70 [b]')
      assert.equal(scene.freshness.lists, 2)
    })

    it('when its version expires within the stream, whatever else would come on it', async () => {
      const first = stream()
      const scene = await new Scene().reply(list(5, []), first.reply, list(70, []), stream().reply).start()
      first.pipe.write(
        frame('ERROR', { kind: 'Status', code: 410, reason: 'Expired' }) +
          frame('BOOKMARK', { metadata: { resourceVersion: '99' } }),
      )
      await scene.clock.settle()
      assert.ok(first.pipe.destroyed)
      assert.deepEqual(scene.asked().slice(2), ['0 s: list', '0 s: watch from 70'])
    })

    it('when a watch was silent for 90 s from its beginning, as one from a version that is yet to come', async () => {
      const scene = await new Scene().reply(list(5, []), stream().reply, list(3, [])).start()
      await scene.clock.advance(90_800)
      assert.deepEqual(scene.asked().slice(2), ['90.8 s: list', '90.8 s: watch from 3'])
      assert.equal(scene.taken(), 'reset 5 [], reset 3 []')
    })

    for (const [name, text] of Object.entries({
      'is not JSON': '{"type":\n',
      'has a type of its own': frame('SYNC', pod('a', 6)),
      'has no version': frame('ADDED', { metadata: { name: 'a' } }),
      'has a version that is no number': frame('ADDED', { metadata: { resourceVersion: '6-x' } }),
      'is no object': 'null\n',
      'has no end': 'x'.repeat(2 ** 24 + 1),
    })) {
      it(`when a frame ${name}`, async () => {
        const first = stream()
        const scene = await new Scene().reply(list(5, []), first.reply, list(7, [])).start()
        first.pipe.write(text)
        await scene.clock.advance(800)
        assert.deepEqual(scene.asked().slice(2), ['0.8 s: list', '0.8 s: watch from 7'])
      })
    }

    it('ever more slowly when versions expire at once', async () => {
      const scene = new Scene()
      for (let version = 1; version <= 5; version++) scene.reply(list(version, []), failure(410, 'Expired'))
      await scene.start()
      await scene.clock.advance(60_000)
      const lists = scene.asked().filter((line) => line.endsWith('list'))
      assert.deepEqual(lists.slice(0, 5), ['0 s: list', '0 s: list', '1.6 s: list', '4.8 s: list', '11.2 s: list'])
    })
  })

  describe('backs off', () => {
    it('from 0.8 s to 30 s while nobody answers, and from the start again after an event', async () => {
      const scene = new Scene().reply(...Array.from({ length: 8 }, refused))
      await scene.start()
      await scene.clock.advance(100_000)
      assert.deepEqual(times(scene), [0, 0.8, 2.4, 5.6, 12, 24.8, 50.4, 80.4])
      assert.equal((scene.freshness.lastError as ApiError).reason, 'Unreachable')
      const first = stream()
      scene.reply(list(5, []), first.reply)
      await scene.clock.advance(10_400)
      assert.equal(scene.taken(), 'reset 5 []')
      assert.equal(scene.freshness.lastError, undefined)
      first.pipe.write(frame('ADDED', pod('a', 6)))
      await scene.clock.settle()
      first.pipe.destroy(refused())
      scene.requests.length = 0
      await scene.clock.advance(800)
      assert.deepEqual(times(scene), [111.2])
    })

    it('by the first step whenever the watch that broke had been open for a second', async () => {
      const scene = new Scene().reply(list(5, []))
      await scene.start()
      for (let i = 0; i < 3; i++) {
        const { pipe, reply } = stream()
        scene.answer(reply)
        await scene.clock.advance(1_000)
        pipe.destroy(refused())
        await scene.clock.advance(800)
      }
      assert.deepEqual(times(scene), [0, 0, 1.8, 3.6, 5.4])
    })

    it('with jitter: by at least half', async () => {
      const scene = new Scene({ random: () => 0 }).reply(refused(), refused())
      await scene.start()
      await scene.clock.advance(1_199)
      assert.deepEqual(times(scene), [0, 0.4])
      await scene.clock.advance(1)
      assert.deepEqual(times(scene), [1.2])
    })

    it('when the server ends every watch at once', async () => {
      const scene = new Scene().reply(list(5, []))
      for (let i = 0; i < 4; i++) scene.reply(json(200, undefined))
      await scene.start()
      await scene.clock.advance(11_200)
      assert.deepEqual(times(scene), [0, 0, 0.8, 2.4, 5.6])
    })

    it('for as long as the server asks, and a little more', async () => {
      const scene = new Scene({ random: () => 0 })
      await scene.reply(failure(429, 'TooManyRequests', { 'retry-after': '20' })).start()
      await scene.clock.advance(20_399)
      assert.deepEqual(times(scene), [0])
      await scene.clock.advance(1)
      assert.deepEqual(times(scene), [20.4])
    })

    it('from refusals that only somebody else can end', async () => {
      const scene = await new Scene()
        .reply(failure(403, 'Forbidden'), failure(401, 'Unauthorized'), list(5, []))
        .start()
      assert.equal((scene.freshness.lastError as ApiError).reason, 'Forbidden')
      assert.equal(scene.freshness.synced, false)
      await scene.clock.advance(2_400)
      assert.deepEqual(scene.asked(), ['0 s: list', '0.8 s: list', '2.4 s: list', '2.4 s: watch from 5'])
      assert.equal(scene.freshness.synced, true)
    })
  })

  describe('ends when its signal aborts', () => {
    const first = stream()
    const states: Record<string, { replies: Reply[]; open?: PassThrough[] }> = {
      'while it lists': { replies: [] },
      'while it connects': { replies: [list(5, [])] },
      'while it waits': { replies: [new Error('refused')] },
      'while it streams': { replies: [list(5, []), first.reply], open: [first.pipe] },
    }
    for (const [state, { replies, open }] of Object.entries(states)) {
      it(state, async () => {
        const scene = await new Scene().reply(...replies).start()
        assert.ok(!scene.done)
        scene.stop.abort(new Error('enough'))
        await scene.clock.settle()
        scene.assertOver(open)
        assert.deepEqual(await scene.stream.next(), { done: true, value: undefined })
      })
    }

    it('before it began', async () => {
      const scene = new Scene()
      scene.stop.abort()
      await scene.start()
      scene.assertOver()
      assert.deepEqual(scene.requests, [])
    })

    it('while the consumer works on a change, though more have come', async () => {
      const { reply, pipe } = stream()
      const scene = new Scene().reply(list(5, []), reply)
      await scene.stream.next()
      pipe.write(frame('ADDED', pod('a', 6)) + frame('ADDED', pod('b', 7)))
      assert.equal((await scene.stream.next()).done, false)
      scene.stop.abort()
      assert.deepEqual(await scene.stream.next(), { done: true, value: undefined })
      assert.ok(pipe.destroyed)
      assert.equal(scene.clock.nextTimerAt(), undefined)
    })
  })

  it('ends when the consumer leaves', async () => {
    const { reply, pipe } = stream()
    const scene = new Scene().reply(list(5, []), reply)
    pipe.write(frame('ADDED', pod('a', 6)))
    for await (const change of scene.stream) if (change.kind === 'apply') break
    assert.ok(pipe.destroyed)
    assert.equal(scene.clock.nextTimerAt(), undefined)
    assert.equal(scene.freshness.connected, false)
  })

  it('ends when the consumer leaves, even while the next change is awaited', async () => {
    const { reply, pipe } = stream()
    const scene = await new Scene().reply(list(5, []), reply).start()
    assert.deepEqual(await scene.stream.return!(), { done: true, value: undefined })
    await scene.clock.settle()
    scene.assertOver([pipe])
  })
})
