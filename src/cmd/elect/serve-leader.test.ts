import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Answer } from './answer.ts'
import { serveLeader, type LeaderServer } from './serve-leader.ts'

const FOLLOWS: Answer = { leader: 'b', me: 'a', isLeader: false, term: 3, deadline: null }
const LEADS: Answer = { leader: 'a', me: 'a', isLeader: true, term: 4, deadline: '2026-01-01T00:00:00.000Z' }

describe('server of the sidecar', () => {
  let now: Answer
  let server: LeaderServer
  beforeEach(async () => {
    now = FOLLOWS
    server = await serveLeader({ host: '127.0.0.1', port: 0 }, () => now)
  })
  afterEach(() => server.close())

  async function ask(path: string): Promise<IncomingMessage> {
    const [response] = (await once(get({ port: server.port, path, agent: false }), 'response')) as [IncomingMessage]
    return response
  }

  it('answers who leads at the moment of the question', async () => {
    for (const answer of [FOLLOWS, LEADS, FOLLOWS]) {
      // Nobody is told that it has changed: nothing may be kept from the last answer.
      now = answer
      const response = await ask('/leader')
      assert.deepEqual([response.statusCode, JSON.parse(await text(response))], [200, answer])
      assert.equal(response.headers['cache-control'], 'no-store')
    }
  })

  const rows: readonly [string, Answer, number][] = [
    ['/readyz', FOLLOWS, 200],
    ['/readyz?leader', FOLLOWS, 503],
    ['/readyz?leader', LEADS, 200],
    ['/readyz?leader=', FOLLOWS, 503],
    ['/healthz', FOLLOWS, 200],
    ['/', LEADS, 404],
    ['//', LEADS, 404],
  ]
  for (const [path, answer, status] of rows) {
    it(`${path} while ${answer.isLeader ? 'leading' : 'not leading'}: ${status}`, async () => {
      now = answer
      const response = await ask(path)
      response.resume()
      assert.equal(response.statusCode, status)
    })
  }

  it('tells readers of changes and renewals, and of nothing else, until it is closed', async () => {
    const response = await ask('/events')
    assert.equal(response.headers['content-type'], 'text/event-stream')
    server.publish()
    now = LEADS
    server.publish()
    server.publish()
    now = { ...LEADS, deadline: '2026-01-01T00:00:02.000Z' }
    server.publish()
    const read = text(response)
    await server.close()
    const events = [
      ['leader', FOLLOWS],
      ['leader', LEADS],
      ['renewal', now],
    ] as const
    assert.equal(
      await read,
      events.map(([name, answer]) => `event: ${name}\ndata: ${JSON.stringify(answer)}\n\n`).join(''),
    )
    server = await serveLeader({ host: '127.0.0.1', port: 0 }, () => now)
  })
})
