import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { join } from 'node:path'
import { Pool } from 'undici'
import { eventually } from '../controlplane/eventually.ts'
import { type Accident, type Line, openLine, type Trouble } from './line.ts'
import { sleep } from './persist.ts'

const TESTDATA = join(import.meta.dirname, '../../src/kube/testdata')
const read = (name: string): string => readFileSync(join(TESTDATA, name), 'utf8')
const IDENTITY = { cert: read('first-server.crt'), key: read('first-server.key'), ca: read('first-ca.crt') }

/** Longer than a request takes; what does not pass does not pass for this long either. */
const NEVER_MILLIS = 300

for (const isReadable of [true, false]) {
  describe(`a line that ${isReadable ? 'reads what passes' : 'passes on what it cannot read'}`, () => {
    let server: Server
    let line: Line
    let pool: Pool
    /** Method and path of what has arrived. */
    let arrived: string[]
    const sockets = new Set<Socket>()

    beforeEach(async () => {
      arrived = []
      server = createServer(IDENTITY, (request: IncomingMessage, response: ServerResponse) => {
        arrived.push(`${request.method} ${request.url}`)
        if (request.url === '/watch') response.writeHead(200).flushHeaders()
        else response.end('x'.repeat(1_000))
      })
      server.on('connection', (socket: Socket) => sockets.add(socket))
      await once(server.listen(0, '127.0.0.1'), 'listening')
      const { port } = server.address() as AddressInfo
      line = await openLine(isReadable ? { port, identity: IDENTITY } : { port })
      pool = new Pool(line.url, { connect: { ca: IDENTITY.ca }, connections: 1, allowH2: false })
    })
    afterEach(async () => {
      await pool.destroy()
      await line[Symbol.asyncDispose]()
      for (const socket of sockets) socket.destroy()
      await once(server.close(), 'close')
    })

    /** What came back. */
    const ask = async (method: 'GET' | 'PUT' = 'GET', millis = 20_000): Promise<string> => {
      const signal = AbortSignal.timeout(millis)
      const body = method === 'PUT' ? 'y'.repeat(1_000) : null
      const answer = await pool.request({ path: '/', method, body, signal })
      return answer.body.text()
    }
    const arrives = (count: number): Promise<true> =>
      eventually({ what: `request ${count}` }, () => Promise.resolve(arrived.length >= count || undefined))

    it('passes everything on, and tells each side of the end of the other', async () => {
      assert.equal((await ask()).length, 1_000)
      assert.equal((await ask('PUT')).length, 1_000)
      await pool.destroy()
      await eventually({ what: 'the end of all connections' }, () =>
        Promise.resolve([...sockets].every(({ destroyed }) => destroyed) || undefined),
      )
    })

    it('stalls, and then all of it arrives', async () => {
      await ask()
      line.begin({ kind: 'stall' })
      const asked = ask('PUT')
      await sleep(NEVER_MILLIS, new AbortController().signal)
      assert.deepEqual(arrived, ['GET /'])
      line.lift()
      assert.equal((await asked).length, 1_000)
    })

    it('delivers what was sent by a process that has died meanwhile', async () => {
      await ask()
      line.begin({ kind: 'stall' })
      await assert.rejects(ask('PUT', NEVER_MILLIS))
      await pool.destroy()
      line.lift()
      await arrives(2)
      assert.equal(arrived[1], 'PUT /')
    })

    const dead: readonly (readonly [Extract<Trouble, { kind: 'dead' }>['ways'], readonly string[]])[] = [
      [['up'], ['GET /']],
      [['down'], ['GET /', 'PUT /']],
      [['up', 'down'], ['GET /']],
    ]
    for (const [ways, expected] of dead) {
      it(`is dead (${ways.join(' and ')}): its connections do not recover, new ones are good again`, async () => {
        await ask()
        line.begin({ kind: 'dead', ways })
        await assert.rejects(ask('PUT', NEVER_MILLIS))
        line.lift()
        assert.equal((await ask()).length, 1_000)
        assert.deepEqual(arrived, [...expected, 'GET /'])
      })
    }

    it('refuses, and resets what is open', async () => {
      const watch = await pool.request({ path: '/watch', method: 'GET' }).catch((error: unknown) => error)
      assert.ok(!(watch instanceof Error))
      line.begin({ kind: 'refuse' })
      await assert.rejects((watch as Awaited<ReturnType<Pool['request']>>).body.text())
      await assert.rejects(ask())
      line.lift()
      assert.equal((await ask()).length, 1_000)
    })

    const accidents: readonly (readonly [Accident, 'GET' | 'PUT'])[] = [
      ['cut', 'GET'],
      ['lose answer', 'PUT'],
    ]
    for (const [accident, method] of accidents) {
      it(`has an accident once (${accident}): the request arrives, the answer does not`, async () => {
        await ask()
        line.expect(accident)
        await assert.rejects(ask(method))
        assert.deepEqual(arrived, ['GET /', `${method} /`])
        assert.equal(line.happened, 1)
        assert.equal((await ask(method)).length, 1_000)
      })
    }

    it('loses no answer to a read', async () => {
      line.expect('lose answer')
      assert.equal((await ask()).length, 1_000)
      assert.equal(line.happened, 0)
    })
  })
}
