import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { buildConnector, Pool } from 'undici'
import { Spare } from './spare.ts'

const pem = (name: string): Buffer => readFileSync(new URL(`testdata/${name}`, import.meta.url))

/** Long enough for a spare to count as healthy. */
const LONG_MILLIS = 32_000

for (const scheme of ['http', 'https'] as const) {
  describe(`spare connection (${scheme})`, () => {
    let now = 0
    let server: Server
    let pool: Pool
    let spare: Spare<buildConnector.Options, Socket>
    /** Connections as the server has them, in the order in which they were opened. */
    const sockets: Socket[] = []
    const events = new EventEmitter()
    /** How often the client began to connect. */
    let begun = 0
    /** How many connections have ended. */
    let ended = 0

    beforeEach(async () => {
      const tls = { cert: pem('first-server.crt'), key: pem('first-server.key') }
      server = scheme === 'http' ? createServer() : createTlsServer(tls)
      server.on(scheme === 'http' ? 'connection' : 'secureConnection', (socket: Socket) => {
        sockets.push(socket.on('error', () => socket.destroy()))
        events.emit('accepted')
      })
      server.on('request', ({ socket }, response) => response.end(String(sockets.indexOf(socket))))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const connect = buildConnector({ ca: pem('first-ca.crt') })
      begun = 0
      const open: buildConnector.connector = (target, callback) => {
        begun++
        connect(target, (...result) => {
          callback(...result)
          const [error, socket] = result
          events.emit('opened', error)
          socket?.once('close', () => ended++)
        })
      }
      const { port } = server.address() as AddressInfo
      spare = new Spare(open, { now: () => now }, () => pool.stats.connected === 0)
      pool = new Pool(`${scheme}://127.0.0.1:${port}`, { allowH2: false, connect: spare.connect })
      pool.on('disconnect', () => spare.prepare())
    })
    afterEach(async () => {
      spare.close()
      await pool.destroy()
      for (const socket of sockets.splice(0)) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    })

    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

    /** On which connection the request came. */
    const put = async (): Promise<number> => {
      const { body } = await pool.request({ method: 'PUT', path: '/', body: '{}' })
      const index = Number(await body.text())
      // Undici takes a connection back one turn of the event loop after its response.
      await turn()
      return index
    }

    /** The server has had enough of its last connection, and the client opens another one. */
    const hangUp = async (): Promise<void> => {
      const [opened, accepted] = [once(events, 'opened'), once(events, 'accepted')]
      sockets.at(-1)!.end()
      assert.deepEqual(await opened, [null])
      await accepted
    }

    /** The last connection ends by this, as far as the client is concerned, which leaves it at that. */
    const end = async (act: (socket: Socket) => void): Promise<void> => {
      const expected = ended + 1
      const isOver = (): boolean => ended === expected
      act(sockets.at(-1)!)
      // Both ends are in this process: some turns bring everything there.
      for (let turns = 0; turns < 1_000 && !isOver(); turns++) await turn()
      assert.equal(isOver(), true)
      await turn()
    }

    it('is opened when the last connection has ended, and takes the next request', async () => {
      assert.equal(await put(), 0)
      await hangUp()
      assert.equal(await put(), 1)
      assert.equal(await put(), 1, 'it is a connection like any other from then on')
      assert.equal(sockets.length, 2)
    })

    it('is opened again and again, whenever the server has had enough of it', async () => {
      await put()
      await hangUp()
      for (let round = 0; round < 3; round++) {
        now += LONG_MILLIS
        await hangUp()
      }
      assert.equal(await put(), 4)
    })

    it('is not opened again when it was ended soon: by a server that will have none', async () => {
      await put()
      await hangUp()
      await end((socket) => socket.end())
      assert.equal(begun, 2)
      assert.equal(await put(), 2, 'a request connects by itself')
    })

    it('is not used when the server has said something on it, unasked', async () => {
      await put()
      await hangUp()
      await end((socket) => socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n'))
      assert.equal(await put(), 2)
    })

    it('is none while there is a connection', async () => {
      await put()
      await hangUp()
      now += LONG_MILLIS
      const [first, second] = [pool.request({ method: 'PUT', path: '/' }), pool.request({ method: 'PUT', path: '/' })]
      for (const { body } of await Promise.all([first, second])) await body.dump()
      await end((socket) => socket.end())
      assert.equal(begun, 3)
    })

    it('ends when it is closed, and is the last', async () => {
      await put()
      await hangUp()
      now += LONG_MILLIS
      await end(() => spare.close())
      spare.prepare()
      assert.equal(begun, 2)
      assert.equal(await put(), 2)
    })

    it('waits for the next request when it cannot be opened', async () => {
      await put()
      const failed = once(events, 'opened')
      const closed = new Promise((resolve) => server.close(resolve))
      sockets[0]!.end()
      await closed
      const [error] = (await failed) as [NodeJS.ErrnoException | null]
      assert.equal(error?.code, 'ECONNREFUSED')
      await assert.rejects(put(), { code: 'ECONNREFUSED' })
    })
  })
}
