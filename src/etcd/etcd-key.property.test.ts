import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { TransportResponse } from '../kube/transport.ts'
import { VirtualClock } from '../sim/clock.ts'
import { runs } from '../sim/runs.ts'
import { EtcdClient } from './etcd-client.ts'
import { EtcdError } from './etcd-error.ts'
import { EtcdKey, type Sighting } from './etcd-key.ts'

const NEVER = new AbortController().signal

/** As the gateway writes it, or not quite. */
const decimal = fc.oneof(
  { weight: 5, arbitrary: fc.nat().map(String) },
  { weight: 2, arbitrary: fc.constantFrom('0', '-1', '', 'x', '1e9', '0x10', 'Infinity', '9'.repeat(400), '1.5') },
  { weight: 1, arbitrary: fc.jsonValue() },
)
const orAny = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 6, arbitrary }, { weight: 1, arbitrary: fc.jsonValue() })
const header = orAny(fc.record({ revision: decimal }, { requiredKeys: [] }))
const kv = orAny(
  fc.record(
    { key: fc.constant('a2V5'), value: orAny(fc.base64String()), mod_revision: decimal, lease: decimal },
    { requiredKeys: ['key'] },
  ),
)
const kvs = orAny(fc.array(kv, { maxLength: 2 }))
const lists = (of: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => orAny(fc.array(of, { maxLength: 2 }))
const body = fc.record(
  {
    header,
    kvs,
    succeeded: orAny(fc.boolean()),
    responses: lists(orAny(fc.record({ response_range: orAny(fc.record({ kvs }, { requiredKeys: [] })) }))),
    ID: decimal,
    TTL: decimal,
    canceled: orAny(fc.constant(false)),
    events: lists(orAny(fc.record({ type: fc.constantFrom('PUT', 'DELETE'), kv }, { requiredKeys: ['kv'] }))),
    message: orAny(fc.string()),
  },
  { requiredKeys: [] },
)
const answer = fc.record({
  status: fc.constantFrom(200, 200, 200, 200, 400, 401, 503),
  text: fc.oneof(
    { weight: 6, arbitrary: orAny(body).map((value) => JSON.stringify(value)) },
    { weight: 3, arbitrary: orAny(body).map((result) => JSON.stringify({ result })) },
    fc.json().map((error) => `{"error":${error}}`),
    fc.string(),
  ),
  cut: fc.constantFrom(false, false, false, true),
})

function keyOf({ status, text, cut }: { status: number; text: string; cut: boolean }): EtcdKey {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`${text}\n`)
    if (cut) throw new Error('other side closed')
  }
  const send = (): Promise<TransportResponse> => Promise.resolve({ status, headers: {}, body: chunks() })
  return new EtcdKey(new EtcdClient({ send }, new VirtualClock(), 1_000), 'db')
}

async function watched(key: EtcdKey): Promise<void> {
  for await (const each of key.watch(1n, NEVER)) check(each)
}

function check({ revision, found }: Sighting): void {
  assert.equal(typeof revision, 'bigint')
  if (found === 'absent') return
  assert.equal(typeof found.value, 'string')
  assert.match(found.modRevision, /^\d+$/)
  if (found.lease !== undefined) assert.match(found.lease, /^\d+$/)
}

describe('a key of etcd, whatever the gateway answers', () => {
  it('is seen as it should be, or the answer is an error of etcd’s', async () => {
    const good = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(answer, async (given) => {
        const key = keyOf(given)
        const absent = 'absent' as const
        const asked: Record<string, () => Promise<void>> = {
          read: async () => check(await key.read(NEVER)),
          swap: async () => {
            const swap = await key.swap(absent, 'me', '7', NEVER)
            if (swap.kind === 'stale') check(swap.sighting)
            if (swap.kind === 'swapped') assert.match(swap.modRevision, /^\d+$/)
          },
          grant: async () => {
            const { lease, ttlMillis } = await key.grant(15, NEVER)
            assert.match(lease, /^\d+$/)
            assert.ok(ttlMillis > 0 && Number.isFinite(ttlMillis))
          },
          keepAlive: async () => checkMillis(await key.keepAlive('7', NEVER)),
          timeToLive: async () => checkMillis(await key.timeToLive('7', NEVER)),
          revoke: () => key.revoke('7', NEVER),
          watch: () => watched(key),
        }
        for (const [what, ask] of Object.entries(asked)) {
          try {
            await ask()
            good.set(what, (good.get(what) ?? 0) + 1)
          } catch (error) {
            if (error instanceof assert.AssertionError) throw error
            assert.ok(
              error instanceof EtcdError || (given.cut && String(error).includes('other side closed')),
              `${what}: ${String(error)}`,
            )
            assert.doesNotMatch((error as Error).message, /undefined|\[object Object\]/)
          }
        }
      }),
      runs(1500),
    )
    // A watch never ends well.
    assert.deepEqual([...good.keys()].toSorted(), ['grant', 'keepAlive', 'read', 'revoke', 'swap', 'timeToLive'])
  })
})

function checkMillis(left: number | 'gone'): void {
  assert.ok(left === 'gone' || (left > 0 && Number.isFinite(left)))
}
