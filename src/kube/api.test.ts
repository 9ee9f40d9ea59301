import assert from 'node:assert/strict'
import { DeadlineExceeded } from '../clock.ts'
import { VirtualClock } from '../sim/clock.ts'
import { Api } from './api.ts'
import { Leases, Pods } from './objects.ts'
import { ApiError } from './outcome.ts'
import type { TransportRequest, TransportResponse } from './transport.ts'

type Send = (request: TransportRequest) => Promise<TransportResponse>

interface Scene {
  readonly api: Api
  readonly clock: VirtualClock
  readonly requests: TransportRequest[]
}

function against(send: Send, options?: { timeoutMillis?: number; fieldManager?: string }): Scene {
  const clock = new VirtualClock()
  const requests: TransportRequest[] = []
  const transport = {
    send: (request: TransportRequest) => {
      requests.push(request)
      return send(request)
    },
  }
  return { api: new Api(transport, clock, options), clock, requests }
}

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array, void> {
  for (const text of texts) yield new TextEncoder().encode(text)
}

const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}): Send =>
  async () => ({ status, headers, body: chunks(typeof body === 'string' ? body : JSON.stringify(body)) })

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))

async function* broken(text: string): AsyncGenerator<Uint8Array, void> {
  yield* chunks(text)
  throw new Error('other side closed')
}

/** A body that gives `text`, then nothing until the request is aborted. */
async function* stalling(text: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  yield* chunks(text)
  await untilAborted(signal)
}

const key = { namespace: 'ns', name: 'db' }
const path = '/apis/coordination.k8s.io/v1/namespaces/ns/leases/db'
const lease = { metadata: { name: 'db', uid: 'u', resourceVersion: '7' }, spec: { holderIdentity: 'ä' } }

/** What was sent, without the signal. */
function sent({ requests }: Scene): unknown {
  const { signal: _signal, body, ...rest } = requests[0]!
  return body === undefined ? rest : { ...rest, body: JSON.parse(body) as unknown }
}

describe('Api', () => {
  describe('requests', () => {
    it('get', async () => {
      const scene = against(answer(200, lease))
      assert.deepEqual(await scene.api.get(Leases, key, { lane: 'lease' }), { kind: 'ok', object: lease })
      assert.deepEqual(sent(scene), { method: 'GET', path, lane: 'lease' })
    })

    it('list', async () => {
      const scene = against(answer(200, { metadata: { resourceVersion: '9', continue: 'c/1' }, items: [lease] }))
      const options = { namespace: 'ns', labelSelector: 'a=b', fieldSelector: 'metadata.name=db', limit: 1 }
      const page = await scene.api.list(Leases, { ...options, continueToken: 'c/0' })
      assert.deepEqual(page, { kind: 'ok', object: { items: [lease], resourceVersion: '9', continueToken: 'c/1' } })
      assert.deepEqual(sent(scene), {
        method: 'GET',
        path:
          '/apis/coordination.k8s.io/v1/namespaces/ns/leases' +
          '?labelSelector=a%3Db&fieldSelector=metadata.name%3Ddb&limit=1&continue=c%2F0',
      })
    })

    it('list of all namespaces, whose last page has no token and may have null for items', async () => {
      const scene = against(answer(200, { metadata: { resourceVersion: '9', continue: '' }, items: null }))
      assert.deepEqual(await scene.api.list(Pods), { kind: 'ok', object: { items: [], resourceVersion: '9' } })
      assert.deepEqual(sent(scene), { method: 'GET', path: '/api/v1/pods' })
    })

    it('create', async () => {
      const scene = against(answer(201, lease), { fieldManager: 'leadergroup' })
      assert.deepEqual(await scene.api.create(Leases, 'ns', lease), { kind: 'ok', object: lease })
      assert.deepEqual(sent(scene), {
        method: 'POST',
        path: '/apis/coordination.k8s.io/v1/namespaces/ns/leases?fieldManager=leadergroup',
        contentType: 'application/json',
        body: lease,
      })
    })

    it('replace', async () => {
      const scene = against(answer(200, lease), { fieldManager: 'leadergroup' })
      await scene.api.replace(Leases, key, lease, { subresource: 'status', dryRun: true, fieldManager: 'me' })
      assert.deepEqual(sent(scene), {
        method: 'PUT',
        path: `${path}/status?fieldManager=me&dryRun=All`,
        contentType: 'application/json',
        body: lease,
      })
    })

    it('jsonPatch', async () => {
      const scene = against(answer(200, lease))
      const steps = [{ op: 'test', path: '/spec/holderIdentity', value: 'ä' } as const]
      await scene.api.jsonPatch(Leases, key, steps)
      assert.deepEqual(sent(scene), { method: 'PATCH', path, contentType: 'application/json-patch+json', body: steps })
    })

    it('mergePatch', async () => {
      const scene = against(answer(200, lease))
      await scene.api.mergePatch(Leases, key, { metadata: { labels: { gone: null } } })
      assert.deepEqual(sent(scene), {
        method: 'PATCH',
        path,
        contentType: 'application/merge-patch+json',
        body: { metadata: { labels: { gone: null } } },
      })
    })

    it('delete', async () => {
      const scene = against(answer(200, { kind: 'Status', status: 'Success' }))
      const preconditions = { uid: 'u', resourceVersion: '7' }
      const outcome = await scene.api.delete(Leases, key, {
        preconditions,
        gracePeriodSeconds: 0,
        propagationPolicy: 'Background',
      })
      assert.deepEqual(outcome, { kind: 'ok', object: undefined })
      assert.deepEqual(sent(scene), {
        method: 'DELETE',
        path,
        contentType: 'application/json',
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          preconditions,
          gracePeriodSeconds: 0,
          propagationPolicy: 'Background',
        },
      })
    })

    it('delete reads the answer to its end, so that the connection can be used again', async () => {
      let ended = false
      async function* body(): AsyncGenerator<Uint8Array, void> {
        yield* chunks('{', '}')
        ended = true
      }
      await against(async () => ({ status: 200, headers: {}, body: body() })).api.delete(Leases, key)
      assert.ok(ended)
    })
  })

  describe('answers', () => {
    it('may be cut within a character', async () => {
      const bytes = new TextEncoder().encode(JSON.stringify(lease))
      const at = bytes.indexOf(0xc3) + 1
      async function* body(): AsyncGenerator<Uint8Array, void> {
        yield bytes.subarray(0, at)
        yield bytes.subarray(at)
      }
      const { api } = against(async () => ({ status: 200, headers: {}, body: body() }))
      assert.deepEqual(await api.get(Leases, key), { kind: 'ok', object: lease })
    })

    it('that were to be expected are values', async () => {
      const { api } = against(answer(409, { reason: 'Conflict', message: 'was modified' }))
      assert.deepEqual(await api.replace(Leases, key, lease), {
        kind: 'conflict',
        message: `PUT ${path}: was modified`,
      })
    })

    it('that were not reject', async () => {
      const { api } = against(answer(403, { reason: 'Forbidden', message: 'no' }))
      await assert.rejects(api.get(Leases, key), {
        name: 'ApiError',
        status: 403,
        reason: 'Forbidden',
        message: `GET ${path}: 403 Forbidden: no`,
      })
    })

    for (const text of ['<html>', '', '"text"', 'null', '{"metadata":']) {
      it(`that are not what the API server sends reject: ${JSON.stringify(text)}`, async () => {
        await assert.rejects(against(answer(200, text)).api.get(Leases, key), { name: 'ApiError', reason: 'Malformed' })
      })
    }

    it('to a list without a version reject', async () => {
      await assert.rejects(against(answer(200, { items: [] })).api.list(Pods), { reason: 'Malformed' })
    })
  })

  describe('failures', () => {
    it('of the connection', async () => {
      const cause = new Error('connect ECONNREFUSED')
      const { api, clock } = against(() => Promise.reject(cause))
      await assert.rejects(api.get(Leases, key), (error: ApiError) => {
        assert.deepEqual([error.reason, error.status, error.cause], ['Unreachable', undefined, cause])
        assert.match(error.message, /^GET .*ECONNREFUSED/)
        return true
      })
      assert.equal(clock.nextTimerAt(), undefined)
    })

    it('of the connection within the body', async () => {
      const { api } = against(async () => ({ status: 200, headers: {}, body: broken('{"metadata":') }))
      await assert.rejects(api.get(Leases, key), { reason: 'Unreachable' })
    })

    for (const [where, send] of Object.entries({
      'the headers': ({ signal }) => untilAborted(signal),
      'the body': async ({ signal }) => ({ status: 200, headers: {}, body: stalling('{', signal) }),
      'the body of a refusal': async ({ signal }) => ({ status: 409, headers: {}, body: stalling('{', signal) }),
    } satisfies Record<string, Send>)) {
      it(`by the deadline, while waiting for ${where}`, async () => {
        const { api, clock } = against(send)
        const [byDefault, own] = [api.get(Leases, key), api.get(Leases, key, { timeoutMillis: 1_000 })]
        const settled: string[] = []
        const note = (name: string) => (error: unknown) => {
          assert.ok(error instanceof ApiError && error.cause instanceof DeadlineExceeded)
          settled.push(`${name}: ${error.reason} at ${clock.now()}`)
        }
        void byDefault.catch(note('default'))
        void own.catch(note('own'))
        await clock.advance(4_999)
        assert.deepEqual(settled, ['own: Timeout at 1000'])
        await clock.advance(1)
        assert.deepEqual(settled, ['own: Timeout at 1000', 'default: Timeout at 5000'])
      })
    }

    it('by the caller give the reason of the caller, even a deadline of its own', async () => {
      for (const reason of [new Error('enough'), new DeadlineExceeded('renewal', 10)]) {
        const { api, clock, requests } = against(({ signal }) => untilAborted(signal))
        const caller = new AbortController()
        const call = api.get(Leases, key, { signal: caller.signal })
        caller.abort(reason)
        await assert.rejects(call, reason)
        await assert.rejects(api.get(Leases, key, { signal: caller.signal }), reason)
        assert.equal(requests.length, 1, 'nothing is sent for a caller that is gone')
        assert.equal(clock.nextTimerAt(), undefined)
      }
    })

    it('are not made of a body that an abort cut short', async () => {
      const caller = new AbortController()
      async function* body(): AsyncGenerator<Uint8Array, void> {
        yield* chunks('{}')
        caller.abort(new Error('enough'))
      }
      const { api } = against(async () => ({ status: 200, headers: {}, body: body() }))
      await assert.rejects(api.get(Leases, key, { signal: caller.signal }), /enough/)
    })
  })

  describe('openWatch', () => {
    const options = { namespace: 'ns', resourceVersion: '7', timeoutSeconds: 300, signal: new AbortController().signal }

    it('asks for bookmarks and hands the body over', async () => {
      const scene = against(answer(200, 'frames'))
      const outcome = await scene.api.openWatch(Pods, { ...options, fieldSelector: 'spec.nodeName=n' })
      assert.ok(outcome.kind === 'ok')
      assert.deepEqual(sent(scene), {
        method: 'GET',
        path:
          '/api/v1/namespaces/ns/pods?watch=true&allowWatchBookmarks=true&resourceVersion=7' +
          '&timeoutSeconds=300&fieldSelector=spec.nodeName%3Dn',
      })
      for await (const chunk of outcome.object.body) assert.equal(Buffer.from(chunk).toString(), 'frames')
    })

    it('has a deadline for its headers only; the signal of the caller goes on to end the body', async () => {
      const { api, clock, requests } = against(answer(200, ''))
      const caller = new AbortController()
      await api.openWatch(Pods, { ...options, signal: caller.signal })
      await clock.advance(3_600_000)
      assert.equal(requests[0]!.signal.aborted, false)
      caller.abort()
      assert.equal(requests[0]!.signal.aborted, true)
    })

    it('rejects when there are no headers within the deadline', async () => {
      const { api, clock } = against(({ signal }) => untilAborted(signal))
      const refused = assert.rejects(api.openWatch(Pods, options), { reason: 'Timeout' })
      await clock.advance(5_000)
      await refused
    })

    it('gives refusals and faults like any other request', async () => {
      const expired = await against(answer(410, { reason: 'Expired' })).api.openWatch(Pods, options)
      assert.equal(expired.kind, 'expired')
      const forbidden = against(answer(403, { reason: 'Forbidden' })).api
      await assert.rejects(forbidden.openWatch(Pods, options), { reason: 'Forbidden' })
    })
  })
})
