import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DeadlineExceeded } from '../clock.ts'
import type { InvalidOptionsError } from '../lock/errors.ts'
import { connectEtcd, type Etcd } from './connect-etcd.ts'

const NEVER = new AbortController().signal
const post = (etcd: Etcd): Promise<number> =>
  etcd.send({ method: 'POST', path: '/v3/kv/range', body: '{}', signal: NEVER }).then(async ({ status, body }) => {
    // Else the connection would stay occupied.
    for await (const _chunk of body);
    return status
  })

describe('connectEtcd', () => {
  const servers: Server[] = []
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      await once(server.close(), 'close')
    }
  })

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(
      (request, response) => void request.resume().once('end', () => listener(request, response)),
    )
    servers.push(server)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('stays with a member that answers, and leaves one that fails for the next request', async () => {
    const asked: string[] = []
    const member = (name: string, status: number) =>
      serve((_request, response) => {
        asked.push(name)
        response.writeHead(status).end('{}')
      })
    const endpoints = [await member('a', 503), await member('b', 400), await member('c', 200)]
    await using etcd = connectEtcd({ endpoints })
    assert.deepEqual([await post(etcd), await post(etcd), await post(etcd)], [503, 400, 400])
    assert.deepEqual(asked, ['a', 'b', 'b'])
  })

  it('leaves a member that cannot be reached, once for many requests', async () => {
    const b = await serve((_request, response) => response.end('{}'))
    // Port 1 of the loopback interface is nobody's.
    await using etcd = connectEtcd({ endpoints: ['http://127.0.0.1:1', b, 'http://127.0.0.1:1'] })
    await Promise.all([assert.rejects(post(etcd)), assert.rejects(post(etcd))])
    assert.equal(await post(etcd), 200)
  })

  it('leaves a member that is too slow, and not one that was not waited for', async () => {
    const asked: string[] = []
    const silent = await serve(() => asked.push('a'))
    const other = await serve((_request, response) => {
      asked.push('b')
      response.end('{}')
    })
    await using etcd = connectEtcd({ endpoints: [silent, other] })
    for (const reason of [new Error('enough'), new DeadlineExceeded('it', 1)]) {
      const abort = new AbortController()
      const sent = etcd.send({ method: 'POST', path: '/v3/kv/range', body: '{}', signal: abort.signal })
      const before = asked.length
      while (asked.length === before) await new Promise((resolve) => setImmediate(resolve))
      abort.abort(reason)
      await assert.rejects(sent, reason)
    }
    await post(etcd)
    assert.deepEqual(asked, ['a', 'a', 'b'])
  })

  it('sends the token of its user, and a new one after a 401', async () => {
    let logins = 0
    const seen: (string | undefined)[] = []
    const url = await serve((request, response) => {
      if (request.url === '/v3/auth/authenticate') return response.end(JSON.stringify({ token: `t${(logins += 1)}` }))
      seen.push(request.headers.authorization)
      return response.writeHead(request.headers.authorization === 't1' ? 401 : 200).end('{}')
    })
    await using etcd = connectEtcd({ endpoints: [url], username: 'elector', password: 'pass' })
    assert.deepEqual([await post(etcd), await post(etcd), seen, logins], [200, 200, ['t1', 't2', 't2'], 2])
  })

  it('says all that is wrong with its options', () => {
    assert.throws(
      () => connectEtcd({ endpoints: ['etcd:2379', 'ftp://x'], cert: 'cert', username: 'elector' }),
      (error: InvalidOptionsError) => {
        assert.deepEqual(error.violations, [
          'endpoints must be http or https URLs: one is "etcd:2379"',
          'endpoints must be http or https URLs: one is "ftp://x"',
          'cert and key must be given together',
          'username and password must be given together',
        ])
        return true
      },
    )
    assert.throws(() => connectEtcd({ endpoints: [] }), /endpoints must not be empty/)
  })
})
