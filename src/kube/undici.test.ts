import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { DeadlineExceeded } from '../clock.ts'
import type { Access, Credentials } from './credentials.ts'
import type { Lane, TransportRequest } from './transport.ts'
import { undiciTransport, type UndiciTransport } from './undici.ts'

const pem = (name: string): Buffer => readFileSync(new URL(`testdata/${name}`, import.meta.url))
const firstServer = { cert: pem('first-server.crt'), key: pem('first-server.key') }
const secondServer = { cert: pem('second-server.crt'), key: pem('second-server.key') }

const fixed = (server: string, access: Partial<Access> = {}): Credentials => {
  const whole = { tls: {}, headers: {}, ...access }
  return { server, load: () => Promise.resolve(whole) }
}

const get = (path: string, options: { lane?: Lane; signal?: AbortSignal } = {}): TransportRequest => ({
  method: 'GET',
  path,
  signal: new AbortController().signal,
  ...options,
})

const read = async (transport: UndiciTransport, request: TransportRequest): Promise<string> =>
  text((await transport.send(request)).body)

/** Undici takes a connection back one turn of the event loop after its response, and opens another until then. */
const takenBack = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Answers 401 unless the token is `good`. */
const guard =
  (seen: string[]): RequestListener =>
  (request, response) => {
    seen.push(request.headers.authorization ?? 'none')
    response.writeHead(request.headers.authorization === 'good' ? 200 : 401).end('{"kind":"Status"}')
  }

const token = (authorization: string): Access => ({ tls: {}, headers: { authorization } })

describe('undici transport', () => {
  const servers: Server[] = []
  const sockets = new Set<Socket>()
  const transports: UndiciTransport[] = []

  async function listen(server: Server): Promise<string> {
    servers.push(server)
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  function open(credentials: Credentials): UndiciTransport {
    const transport = undiciTransport({ credentials, userAgent: 'leadergroup/test' })
    transports.push(transport)
    return transport
  }

  afterEach(async () => {
    await Promise.all(transports.splice(0).map((transport) => transport.close()))
    for (const socket of sockets) socket.destroy()
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
  })

  it('sends path, headers and body as they are, and returns status, headers and body', async () => {
    const host = await listen(
      createServer((request, response) => {
        const { method, url, headers } = request
        response.setHeader('x-two', ['a', 'b']).writeHead(409)
        void text(request).then((body) => response.end(JSON.stringify({ method, url, headers, body })))
      }),
    )
    const transport = open(fixed(`http://${host}/k8s/c-1/`, { headers: { authorization: 'Bearer t' } }))
    const response = await transport.send({
      ...get('/api/v1/pods?limit=1'),
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: '{"a":"ä"}',
    })
    assert.equal(response.status, 409)
    assert.equal(response.headers['x-two'], 'a, b')
    const seen = JSON.parse(await text(response.body)) as Record<string, unknown>
    assert.deepEqual(seen, {
      method: 'PATCH',
      url: '/k8s/c-1/api/v1/pods?limit=1',
      headers: {
        host,
        connection: 'keep-alive',
        accept: 'application/json',
        authorization: 'Bearer t',
        'user-agent': 'leadergroup/test',
        'content-type': 'application/merge-patch+json',
        'content-length': '10',
      },
      body: '{"a":"ä"}',
    })
  })

  it('uses a connection again, and one of its own for the lease lane', async () => {
    const host = await listen(createServer((request, response) => response.end(String(request.socket.remotePort))))
    const transport = open(fixed(`http://${host}`))
    const first = await read(transport, get('/'))
    await takenBack()
    assert.equal(await read(transport, get('/')), first)
    const lease = await read(transport, get('/', { lane: 'lease' }))
    assert.notEqual(lease, first)
    await takenBack()
    assert.equal(await read(transport, get('/', { lane: 'lease' })), lease)
  })

  describe('a spare connection', () => {
    /** A spare, and the transport that opened it: the server hangs up after each answer. */
    async function spare(access: { tls: object }): Promise<{ transport: UndiciTransport; socket: Socket }> {
      const server = createServer((_request, response) => response.writeHead(200, { connection: 'close' }).end())
      const address = `http://${await listen(server)}`
      const transport = open({ server: address, load: () => Promise.resolve({ headers: {}, ...access }) })
      await read(transport, get('/'))
      // The next request's connection, and then the spare: the request before has left none.
      const opened = once(server, 'connection').then(() => once(server, 'connection'))
      await read(transport, get('/', { lane: 'lease' }))
      const [socket] = (await opened) as [Socket]
      await takenBack()
      return { transport, socket }
    }

    it('is opened for locks, and ends with the transport', async () => {
      const { transport, socket } = await spare({ tls: {} })
      const closed = once(socket, 'close')
      await transport.close()
      await closed
    })

    it('ends when the certificates have changed', async () => {
      const access = { tls: {} }
      const { transport, socket } = await spare(access)
      const closed = once(socket, 'close')
      access.tls = { ca: pem('first-ca.crt') }
      await read(transport, get('/', { lane: 'lease' }))
      await closed
    })
  })

  describe('when a thousand electors begin together', () => {
    const many = <T>(begin: (index: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: 100 }, (_, index) => begin(index)))

    it('sends requests for locks over a few connections', async () => {
      const connections = new Set<Socket>()
      const host = await listen(
        createServer((request, response) => {
          connections.add(request.socket)
          setImmediate(() => response.end(request.url))
        }),
      )
      const transport = open(fixed(`http://${host}`))
      const answers = await many((index) => read(transport, get(`/${index}`, { lane: 'lease' })))
      assert.deepEqual(
        answers,
        Array.from({ length: 100 }, (_, index) => `/${index}`),
      )
      assert.ok(connections.size <= 32, `${connections.size} connections`)
    })

    it('goes on with those connections when a request has waited for one for too long', async () => {
      const [connections, held] = [new Set<Socket>(), [] as ServerResponse[]]
      const server = createServer((request, response) => {
        connections.add(request.socket)
        if (request.url === '/held' && held.push(response) === 32) server.emit('held')
        if (request.url !== '/held') response.end()
      })
      const transport = open(fixed(`http://${await listen(server)}`))
      const all = once(server, 'held')
      const running = many(() => read(transport, get('/held', { lane: 'lease' })).catch(() => 'failed')).then(
        (texts) => texts.filter((each) => each === 'done').length,
      )
      await all
      const limit = new AbortController()
      const late = new DeadlineExceeded('GET /late', 5_000)
      const waiting = transport.send(get('/late', { lane: 'lease', signal: limit.signal }))
      await takenBack()
      limit.abort(late)
      await assert.rejects(waiting, late)
      server.on('request', (_request, response: ServerResponse) => setImmediate(() => response.end('done')))
      for (const response of held) response.end('done')
      assert.equal(await running, 100)
      await read(transport, get('/next', { lane: 'lease' }))
      assert.equal(connections.size, 32)
    })

    it('shakes a few hands at a time, and all in the end', async () => {
      const hanging: (() => void)[] = []
      let isHeldUp = true
      const server = createTlsServer({
        ...firstServer,
        SNICallback: (_name, done) => (isHeldUp ? hanging.push(() => done(null)) : done(null)),
      })
      // Watches: none of these connections becomes free for another request.
      server.on('request', (_request, response: ServerResponse) => response.write('event\n'))
      const host = await listen(server)
      const tls = { ca: pem('first-ca.crt'), servername: 'kubernetes.default' }
      const transport = open(fixed(`https://${host}`, { tls }))
      const opened = many(() => transport.send(get('/watch')))
      while (hanging.length < 16) await takenBack()
      // As many turns as the others would need to get as far.
      for (let turn = 0; turn < 100; turn++) await takenBack()
      assert.deepEqual([hanging.length, sockets.size], [16, 16])
      isHeldUp = false
      for (const goOn of hanging) goOn()
      assert.deepEqual(
        (await opened).map(({ status }) => status),
        Array.from({ length: 100 }, () => 200),
      )
      assert.equal(sockets.size, 100)
    })
  })

  it('speaks HTTP/1.1 to a server that prefers HTTP/2', async () => {
    const server = createSecureServer({ ...firstServer, allowHTTP1: true }, (request, response) => {
      response.end(`${request.httpVersion} ${(request.socket as TLSSocket).alpnProtocol}`)
    })
    const host = await listen(server)
    const transport = open(fixed(`https://${host}`, { tls: { ca: pem('first-ca.crt') } }))
    assert.equal(await read(transport, get('/')), '1.1 http/1.1')
  })

  it('rejects with the cause when it cannot connect', async () => {
    const server = createServer()
    const host = await listen(server)
    server.close()
    await assert.rejects(open(fixed(`http://${host}`)).send(get('/')), { code: 'ECONNREFUSED' })
  })

  it('does not trust a server that another CA vouches for', async () => {
    const host = await listen(createTlsServer(secondServer))
    const transport = open(fixed(`https://${host}`, { tls: { ca: pem('first-ca.crt') } }))
    await assert.rejects(transport.send(get('/')), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
  })

  it('ends the connection of a body that is not read to its end', async () => {
    const closed: string[] = []
    const host = await listen(
      createServer((_request, response) => {
        response.write('{}\n')
        response.on('close', () => closed.push('closed'))
      }),
    )
    const { body } = await open(fixed(`http://${host}`)).send(get('/'))
    for await (const chunk of body) {
      assert.equal(Buffer.from(chunk).toString(), '{}\n')
      break
    }
    // Both ends are in this process: some turns bring everything there.
    for (let turns = 0; turns < 1_000 && closed.length === 0; turns++) await takenBack()
    assert.deepEqual(closed, ['closed'])
  })

  it('takes no more of a body than is read', async () => {
    const all = 64 * 2 ** 20
    const begun = Promise.withResolvers<ServerResponse>()
    const host = await listen(
      createServer((_request, response) => {
        begun.resolve(response.writeHead(200))
        response.end(Buffer.alloc(all))
      }),
    )
    const { body } = await open(fixed(`http://${host}`)).send(get('/'))
    await begun.promise
    for (let turn = 0; turn < 200; turn++) await takenBack()
    assert.ok((await begun.promise).writableLength > 0, 'most of it waits at the server')
    let read = 0
    for await (const chunk of body) read += chunk.length
    assert.equal(read, all)
  }).timeout(20_000)

  describe('abort', () => {
    it('ends a body that is being read, with the reason, and its connection', async () => {
      const closed = Promise.withResolvers<void>()
      const host = await listen(
        createServer((_request, response) => {
          response.write('{}\n')
          response.on('close', closed.resolve)
        }),
      )
      const caller = new AbortController()
      const response = await open(fixed(`http://${host}`)).send(get('/', { signal: caller.signal }))
      const reason = new Error('enough')
      await assert.rejects(async () => {
        for await (const chunk of response.body) {
          assert.equal(Buffer.from(chunk).toString(), '{}\n')
          caller.abort(reason)
        }
      }, reason)
      await closed.promise
    })

    it('rejects at once, even while the credentials hang', async () => {
      const transport = open({ server: 'http://127.0.0.1:1', load: () => new Promise(() => {}) })
      const caller = new AbortController()
      const sent = transport.send(get('/', { signal: caller.signal }))
      const reason = new Error('enough')
      caller.abort(reason)
      await assert.rejects(sent, reason)
      await assert.rejects(transport.send(get('/', { signal: caller.signal })), reason)
    })

    it('rejects at once, even while the TLS handshake hangs', async () => {
      const server = createTcpServer()
      const host = await listen(server)
      const connected = once(server, 'connection')
      const caller = new AbortController()
      const sent = open(fixed(`https://${host}`)).send(get('/', { signal: caller.signal }))
      await connected
      const late = new DeadlineExceeded('GET /', 1)
      caller.abort(late)
      await assert.rejects(sent, late)
    })
  })

  /**
   * A server that goes silent on the connections it has, as behind a proxy that lost its state, while new ones work.
   * `/watch` streams, `/pair` waits for a second `/pair`, so that there are two connections.
   */
  async function blackHole(): Promise<{
    transport: UndiciTransport
    goSilent: () => void
    silenced: () => Promise<unknown>
    watches: ServerResponse[]
  }> {
    const silent = new Set<Socket>()
    const known = new Set<Socket>()
    const watches: ServerResponse[] = []
    const pair: ServerResponse[] = []
    const server = createServer()
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      known.add(request.socket)
      if (silent.has(request.socket)) return server.emit('silenced')
      if (request.url === '/watch') return watches.push(response.writeHead(200)) && response.flushHeaders()
      if (request.url !== '/pair') return response.end(String(request.socket.remotePort))
      if (pair.push(response) === 2) for (const each of pair) each.end(String(each.socket?.remotePort))
    })
    const host = await listen(server)
    return {
      transport: open(fixed(`http://${host}`)),
      goSilent: () => known.forEach((socket) => silent.add(socket)),
      silenced: () => once(server, 'silenced'),
      watches,
    }
  }

  it('connects anew after one deadline, however many dead connections are idle', async () => {
    const { transport, goSilent, silenced } = await blackHole()
    const dead = await Promise.all([read(transport, get('/pair')), read(transport, get('/pair'))])
    await takenBack()
    goSilent()
    const limit = new AbortController()
    const sent = transport.send(get('/', { signal: limit.signal }))
    await silenced()
    const late = new DeadlineExceeded('GET /', 5_000)
    limit.abort(late)
    await assert.rejects(sent, late)
    assert.ok(!dead.includes(await read(transport, get('/'))))
  })

  for (const lane of ['default', 'lease'] as const) {
    it(`ends after a deadline (${lane}) the watches that were silent since before, and lets the others go on`, async () => {
      const { transport, goSilent, silenced, watches } = await blackHole()
      const [heard, silent] = [await transport.send(get('/watch')), await transport.send(get('/watch'))]
      const chunks = heard.body[Symbol.asyncIterator]()
      const unheard = text(silent.body)
      await Promise.all([read(transport, get('/pair', { lane })), read(transport, get('/pair', { lane }))])
      await takenBack()
      goSilent()
      const limit = new AbortController()
      const sent = transport.send(get('/', { lane, signal: limit.signal }))
      await silenced()
      watches[0]!.write('still here')
      assert.equal(String((await chunks.next()).value), 'still here')
      const late = new DeadlineExceeded('GET /', 5_000)
      limit.abort(late)
      await assert.rejects(sent, late)
      await assert.rejects(unheard, /nothing came since/)
      watches[0]!.end('and still')
      assert.equal(String((await chunks.next()).value), 'and still')
    })
  }

  it('keeps its other connections when the caller gave up', async () => {
    const { transport, silenced, goSilent } = await blackHole()
    await Promise.all([read(transport, get('/pair')), read(transport, get('/pair'))])
    await takenBack()
    goSilent()
    const caller = new AbortController()
    const sent = transport.send(get('/', { signal: caller.signal }))
    await silenced()
    caller.abort(new Error('enough'))
    await assert.rejects(sent, /enough/)
    const again = silenced()
    const next = transport.send(get('/'))
    // It goes to the other of the two connections, which is silent as well.
    await again
    await transport.close()
    await assert.rejects(next)
  })

  it('connects anew once for many requests that run into their deadlines together', async () => {
    const { transport, goSilent, silenced } = await blackHole()
    await Promise.all([read(transport, get('/pair')), read(transport, get('/pair'))])
    await takenBack()
    goSilent()
    const late = new DeadlineExceeded('GET /', 5_000)
    const pending: { limit: AbortController; sent: Promise<unknown> }[] = []
    for (let i = 0; i < 2; i++) {
      const limit = new AbortController()
      const arrived = silenced()
      pending.push({ limit, sent: transport.send(get('/', { signal: limit.signal })) })
      await arrived
    }
    const [first, second] = pending
    first!.limit.abort(late)
    await assert.rejects(first!.sent, late)
    const fresh = await read(transport, get('/'))
    await takenBack()
    second!.limit.abort(late)
    await assert.rejects(second!.sent, late)
    assert.equal(await read(transport, get('/')), fresh)
  })

  it('counts silence within a body as a deadline too', async () => {
    const { transport, goSilent } = await blackHole()
    const limit = new AbortController()
    // The dead idle connections are older and newer than that of the watch: whichever is taken next, it is dead.
    const older = read(transport, get('/pair'))
    const watch = await transport.send(get('/watch', { signal: limit.signal }))
    const dead = await Promise.all([older, read(transport, get('/pair'))])
    await takenBack()
    goSilent()
    const late = new DeadlineExceeded('watch', 90_000)
    limit.abort(late)
    await assert.rejects(text(watch.body), late)
    assert.ok(!dead.includes(await read(transport, get('/'))))
  })

  describe('credentials', () => {
    it('are read again after a 401, and the request is sent once more', async () => {
      const seen: string[] = []
      const host = await listen(createServer(guard(seen)))
      const old = token('old')
      const load = (refused?: Access): Promise<Access> => Promise.resolve(refused === old ? token('good') : old)
      const response = await open({ server: `http://${host}`, load }).send(get('/'))
      assert.equal(response.status, 200)
      assert.deepEqual(seen, ['old', 'good'])
    })

    it('that are refused twice, or have not changed, give a 401', async () => {
      const seen: string[] = []
      const host = await listen(createServer(guard(seen)))
      const load = (refused?: Access): Promise<Access> => Promise.resolve(token(refused === undefined ? 'a' : 'b'))
      assert.equal((await open({ server: `http://${host}`, load }).send(get('/'))).status, 401)
      assert.deepEqual(seen.splice(0), ['a', 'b'])
      const unchanged = await open(fixed(`http://${host}`, token('c'))).send(get('/'))
      assert.equal(unchanged.status, 401)
      assert.equal(await text(unchanged.body), '{"kind":"Status"}')
      assert.deepEqual(seen, ['c'])
    })

    it('that cannot be read again after a 401 reject with the cause', async () => {
      const host = await listen(createServer(guard([])))
      const broken = new Error('no such file')
      const load = (refused?: Access): Promise<Access> =>
        refused === undefined ? Promise.resolve(token('old')) : Promise.reject(broken)
      await assert.rejects(open({ server: `http://${host}`, load }).send(get('/')), broken)
    })

    it('with another CA make a new connection; with another token they do not', async () => {
      let access: Access = { tls: { ca: pem('first-ca.crt') }, headers: { authorization: '1' } }
      const server = createTlsServer(firstServer, (request, response) => {
        response.end(String(request.socket.remotePort))
      })
      const transport = open({ server: `https://${await listen(server)}`, load: () => Promise.resolve(access) })
      const first = await read(transport, get('/'))
      await takenBack()
      access = { tls: { ca: pem('first-ca.crt') }, headers: { authorization: '2' } }
      assert.equal(await read(transport, get('/')), first)
      await takenBack()
      server.setSecureContext(secondServer)
      access = { tls: { ca: pem('second-ca.crt') }, headers: { authorization: '2' } }
      assert.notEqual(await read(transport, get('/')), first)
    })

    it('send a client certificate and expect the name they are told', async () => {
      const server = createTlsServer(
        { ...firstServer, ca: pem('first-ca.crt'), requestCert: true },
        (request, response) => {
          const socket = request.socket as TLSSocket
          const { CN } = socket.getPeerCertificate().subject
          response.end(JSON.stringify([CN, (socket as TLSSocket & { servername: string }).servername]))
        },
      )
      const tls = { ca: pem('first-ca.crt'), cert: pem('client.crt'), key: pem('client.key') }
      const host = await listen(server)
      const transport = open(fixed(`https://${host}`, { tls: { ...tls, servername: 'kubernetes.default' } }))
      assert.equal(await read(transport, get('/')), '["reader","kubernetes.default"]')
      const other = open(fixed(`https://${host}`, { tls: { ...tls, servername: 'another.name' } }))
      await assert.rejects(other.send(get('/')), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    })
  })

  describe('proxy', () => {
    it('tunnels through an HTTP proxy', async () => {
      const asked: string[] = []
      const proxy = createServer().on('connect', (request: IncomingMessage, client: Socket) => {
        asked.push(request.url!)
        const [hostname, port] = request.url!.split(':')
        const onward = connect(Number(port), hostname, () => client.write('HTTP/1.1 200 OK\r\n\r\n'))
        onward
          .on('error', () => client.destroy())
          .pipe(client.on('error', () => onward.destroy()))
          .pipe(onward)
      })
      const host = await listen(createTlsServer(firstServer, (_request, response) => response.end('from the target')))
      const proxyUrl = `http://${await listen(proxy)}`
      const transport = open(fixed(`https://${host}`, { tls: { ca: pem('first-ca.crt') }, proxyUrl }))
      assert.equal(await read(transport, get('/')), 'from the target')
      assert.deepEqual(asked, [host])
    })

    it('tunnels through a SOCKS5 proxy', async () => {
      const asked: number[] = []
      const proxy = createTcpServer((client) => {
        client.once('data', () => {
          client.write(Buffer.from([5, 0]))
          client.once('data', (request) => {
            const port = Buffer.from(request).readUInt16BE(request.length - 2)
            asked.push(port)
            const onward = connect(port, '127.0.0.1', () => client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])))
            onward
              .on('error', () => client.destroy())
              .pipe(client.on('error', () => onward.destroy()))
              .pipe(onward)
          })
        })
      })
      const host = await listen(createTlsServer(firstServer, (_request, response) => response.end('from the target')))
      const tls = { ca: pem('first-ca.crt'), servername: 'kubernetes.default' }
      const access = { tls, proxyUrl: `socks5://${await listen(proxy)}` }
      assert.equal(await read(open(fixed(`https://${host}`, access)), get('/')), 'from the target')
      assert.deepEqual(asked, [Number(host.split(':')[1])])
    })

    it('refuses a proxy that it cannot speak to', async () => {
      const transport = open(fixed('https://127.0.0.1:1', { proxyUrl: 'socks4://127.0.0.1:2' }))
      await assert.rejects(transport.send(get('/')), /socks4:.*only http, https and socks5/)
    })
  })

  it('rejects what is under way when it is closed, on retired connections too', async () => {
    const { transport, goSilent, silenced } = await blackHole()
    const watches = [await transport.send(get('/watch'))]
    await read(transport, get('/'))
    await takenBack()
    goSilent()
    const limit = new AbortController()
    const sent = transport.send(get('/', { signal: limit.signal }))
    await silenced()
    limit.abort(new DeadlineExceeded('GET /', 5_000))
    await assert.rejects(sent)
    watches.push(await transport.send(get('/watch')))
    const reading = watches.map(({ body }) => assert.rejects(text(body)))
    await transport.close()
    await Promise.all(reading)
  })
})
