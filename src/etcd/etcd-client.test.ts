import { strict as assert } from 'node:assert'
import type { Transport, TransportResponse } from '../kube/transport.ts'
import { VirtualClock } from '../sim/clock.ts'
import { EtcdClient } from './etcd-client.ts'

const NEVER = new AbortController().signal

function answering(status: number, ...chunks: string[]): Transport {
  return { send: async (): Promise<TransportResponse> => ({ status, headers: {}, body: bytes(chunks) }) }
}

async function* bytes(chunks: readonly string[]): AsyncGenerator<Uint8Array, void> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

/** Heeds no signal. */
const deaf: Transport = { send: () => new Promise(() => undefined) }

describe('etcd client', () => {
  const clock = new VirtualClock()
  const client = (transport: Transport): EtcdClient => new EtcdClient(transport, clock, 1_000)

  it('answers what etcd answers', async () => {
    assert.deepEqual(await client(answering(200, '{"a":', '"b"}')).call('/p', {}, NEVER), { a: 'b' })
  })

  it('reads a stream frame by frame', async () => {
    const stream = answering(200, '{"result":{"n":1}}\n{"resu', 'lt":{"n":2}}\n')
    const answers: unknown[] = []
    for await (const answer of client(stream).stream('/p', {}, NEVER)) answers.push(answer)
    assert.deepEqual(answers, [{ n: 1 }, { n: 2 }])
    assert.deepEqual(await client(stream).first('/p', {}, NEVER), { n: 1 })
  })

  for (const [what, transport, message, said, status] of [
    [
      'a refusal',
      answering(403, '{"code":7,"message":"etcdserver: permission denied"}'),
      'etcd /p: 403 etcdserver: permission denied',
      'etcdserver: permission denied',
      403,
    ],
    [
      'a page of a proxy',
      answering(502, ` <html>${'x'.repeat(500)}`),
      `etcd /p: 502 <html>${'x'.repeat(194)}`,
      `<html>${'x'.repeat(194)}`,
      502,
    ],
    ['silence', answering(500), 'etcd /p: 500 no message', 'no message', 500],
    ['what is no JSON', answering(200, 'garbage'), 'etcd /p: no JSON: garbage', undefined, undefined],
  ] as const) {
    it(`says what came instead of an answer: ${what}`, async () => {
      await assert.rejects(client(transport).call('/p', {}, NEVER), { name: 'EtcdError', message, said, status })
    })
  }

  it('passes on an error within a stream, and misses an answer that never came', async () => {
    const broken = answering(200, '{"error":{"message":"etcdserver: no leader"}}\n')
    await assert.rejects(client(broken).first('/p', {}, NEVER), { message: 'etcd /p: etcdserver: no leader' })
    await assert.rejects(client(answering(200)).first('/p', {}, NEVER), /ended without an answer/)
  })

  it('keeps its limit even with a transport that heeds no signal', async () => {
    const late = assert.rejects(client(deaf).call('/p', {}, NEVER), /etcd \/p: no answer within 1000 ms/)
    await clock.advance(1_000)
    await late
    const abort = new AbortController()
    const aborted = assert.rejects(client(deaf).call('/p', {}, abort.signal), /enough/)
    abort.abort(new Error('enough'))
    await aborted
    assert.equal(clock.nextTimerAt(), undefined)
  })
})
