import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { VirtualClock } from '../sim/clock.ts'
import { runs } from '../sim/runs.ts'
import { Api } from './api.ts'
import { Pods } from './objects.ts'
import { ApiError } from './outcome.ts'
import { readRefusal } from './refusal.ts'
import type { TransportResponse } from './transport.ts'

const code = fc.oneof(
  fc.constantFrom(400, 401, 403, 404, 409, 410, 422, 429, 500, 503, 504),
  fc.integer({ min: 300, max: 599 }),
)
const seconds = fc.oneof(
  fc.nat().map(String),
  fc.bigInt({ min: 0n }).map(String),
  fc.constantFrom('9'.repeat(400), ' 3 ', '-1', '1.5', 'Wed, 21 Oct 2026 07:28:00 GMT', ''),
  fc.string(),
)
const causes = fc.oneof(
  fc.array(fc.oneof(fc.record({ field: fc.constantFrom('metadata.uid', 'spec') }), fc.jsonValue())),
  fc.jsonValue(),
)
const details = fc.oneof(
  fc.record({ retryAfterSeconds: fc.oneof(fc.double(), fc.jsonValue()), causes }, { requiredKeys: [] }),
  fc.jsonValue(),
)
const status = fc.record(
  {
    message: fc.oneof(fc.string(), fc.jsonValue()),
    reason: fc.oneof(fc.constantFrom('AlreadyExists', 'Conflict', 'NotFound'), fc.jsonValue()),
    details,
  },
  { requiredKeys: [] },
)
/** Of the API server, or of whatever is in between: a Status in any state, other JSON, a page. */
const body = fc.oneof(
  status.map((value) => JSON.stringify(value)),
  fc.json(),
  fc.string(),
  fc.constant('<html><body>502 Bad Gateway</body></html>'),
)
const headers: fc.Arbitrary<TransportResponse['headers']> = fc.record({ 'retry-after': seconds }, { requiredKeys: [] })

describe('an answer that is a refusal, whatever it says', () => {
  it('becomes an outcome or a fault, with text in it and a time that ends', () => {
    fc.assert(
      fc.property(code, headers, body, (of, head, text) => {
        const refusal = readRefusal('GET /api', { status: of, headers: head }, text)
        assert.equal(typeof refusal.message, 'string')
        assert.match(refusal.message, /^GET \/api: ./s)
        assert.doesNotMatch(refusal.message, /\[object Object\]/)
        // It is proof that an object is gone: nobody but the API server may say so.
        if (!(refusal instanceof ApiError) && refusal.kind === 'notFound') assert.match(text, /NotFound|page not found/)
        if (refusal instanceof ApiError) {
          assert.deepEqual([refusal.status, typeof refusal.reason], [of, 'string'])
        } else if (refusal.kind === 'throttled') {
          // A timer of Node reaches no further, and nobody should wait for longer than for an outage.
          assert.ok(refusal.retryAfterMillis >= 0 && refusal.retryAfterMillis <= 60_000, `${refusal.retryAfterMillis}`)
        }
      }),
      runs(3000),
    )
  })
})

describe('requests, whatever is answered', () => {
  it('resolve to an outcome or reject with a fault', async () => {
    const answer = fc.record({
      status: fc.oneof(fc.constantFrom(200, 200, 201), code),
      headers,
      text: body,
      cut: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(answer, fc.constantFrom('get', 'list', 'delete', 'create', 'watch'), async (given, verb) => {
        const api = new Api({ send: () => Promise.resolve(respond(given)) }, new VirtualClock())
        const key = { namespace: 'shop', name: 'db-0' }
        const asked = {
          get: () => api.get(Pods, key),
          list: () => api.list(Pods),
          delete: () => api.delete(Pods, key),
          create: () => api.create(Pods, 'shop', {}),
          watch: () =>
            api.openWatch(Pods, { resourceVersion: '1', timeoutSeconds: 1, signal: new AbortController().signal }),
        }
        const outcome = await (asked[verb]() as Promise<unknown>).catch((error: unknown) => error)
        if (outcome instanceof Error) assert.ok(outcome instanceof ApiError, String(outcome))
        else assert.equal(typeof (outcome as { kind: unknown }).kind, 'string')
      }),
      runs(1000),
    )
  })
})

function respond({
  status: of,
  headers: head,
  text,
  cut,
}: {
  status: number
  headers: object
  text: string
  cut: boolean
}): TransportResponse {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text)
    if (cut) throw new Error('other side closed')
  }
  return { status: of, headers: { ...head }, body: chunks() }
}
