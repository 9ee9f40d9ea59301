import assert from 'node:assert/strict'
import { connect } from 'node:net'
import * as fc from 'fast-check'
import { serveLeader } from '../cmd/elect/serve-leader.ts'
import { VirtualClock } from '../sim/clock.ts'
import { runs } from '../sim/runs.ts'
import { serveHealth, serveMetrics, type HttpServer } from './http.ts'
import { Metrics } from './metrics.ts'

const method = fc.oneof(
  fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'OPTIONS', 'CONNECT', 'TRACE'),
  fc.stringMatching(/^[A-Z]{1,8}$/),
)
const path = fc.oneof(
  fc.constantFrom(
    '/leader',
    '/readyz?leader',
    '/readyz?verbose&exclude=',
    '/healthz/ping',
    '/metrics',
    '/events',
    '//',
    '/%',
    '*',
    'http://[',
    '/readyz/../x',
    '/readyz?__proto__',
  ),
  fc.webPath(),
  fc.string().map((text) => `/${text.replaceAll(/\s/g, '')}`),
)
const headers = fc.constantFrom(
  '',
  'host: a\r\n',
  'content-length: 5\r\n',
  'transfer-encoding: x\r\n',
  'upgrade: h2c\r\nconnection: upgrade\r\n',
  'expect: 100-continue\r\n',
  'x: \u0001\r\n',
)
/** As bytes on the connection: a request in any state, or anything. */
const request = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(method, path, fc.constantFrom('1.1', '1.0', '9.9'), headers)
      .map(
        ([verb, target, version, head]) =>
          `${verb} ${target} HTTP/${version}\r\nhost: x\r\nconnection: close\r\n${head}\r\n`,
      ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 80 }).map((text) => `${text}\r\n\r\n`) },
)

/** What the server says before it, or the asker, closes; an abort of the connection is an answer as well. */
function ask(port: number, text: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const said: Buffer[] = []
  const end = (): void => resolve(Buffer.concat(said).toString('latin1'))
  const socket = connect({ port, host: '127.0.0.1' }, () => socket.end(text, 'latin1'))
  socket.on('data', (chunk) => {
    said.push(Buffer.from(chunk))
    // Events never end by themselves.
    if (chunk.includes('event: leader')) socket.destroy()
  })
  socket.once('error', end)
  socket.once('close', end)
  return promise
}

const SERVERS: readonly (readonly [string, () => Promise<HttpServer>, string])[] = [
  ['health', () => serveHealth({ host: '127.0.0.1', port: 0 }, () => []), '/healthz'],
  ['metrics', () => serveMetrics({ host: '127.0.0.1', port: 0 }, new Metrics(new VirtualClock())), '/metrics'],
  [
    'the sidecar',
    () =>
      serveLeader({ host: '127.0.0.1', port: 0 }, () => ({
        leader: 'a',
        me: 'a',
        isLeader: true,
        term: 1,
        deadline: null,
      })),
    '/leader',
  ],
]

describe('the server of', () => {
  for (const [what, serve, known] of SERVERS) {
    it(`${what} answers whatever it is asked, and the next question after it`, async () => {
      const server = await serve()
      let answers = 0
      try {
        await fc.assert(
          fc.asyncProperty(request, async (text) => {
            const said = await ask(server.port, text)
            if (said !== '') answers++
            assert.match(said, /^($|HTTP\/1\.1 (100|200|400|404|405|417|431|501|503|505) )/)
          }),
          runs(60),
        )
        assert.ok(answers > 0, 'nothing was ever answered, so nothing was shown')
        assert.match(
          await ask(server.port, `GET ${known} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
          /^HTTP\/1\.1 200 /,
        )
      } finally {
        await server.close()
      }
    })
  }
})
