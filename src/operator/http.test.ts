import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { VirtualClock } from '../sim/clock.ts'
import type { Check } from './health.ts'
import { serveHealth, serveMetrics, type HttpServer } from './http.ts'
import { Metrics } from './metrics.ts'

const ANY = { host: '127.0.0.1', port: 0 }

describe('the operator’s HTTP servers', () => {
  const open: HttpServer[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()))
  })

  async function serve(
    starting: Promise<HttpServer>,
  ): Promise<(path: string, method?: string) => Promise<[number, string]>> {
    const server = await starting
    open.push(server)
    return async (path, method = 'GET') => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method })
      return [response.status, await response.text()]
    }
  }

  it('is alive whatever the checks say, and ready only when they agree', async () => {
    let fault: string | undefined = 'no list yet'
    const pods: Check = { name: 'pods', check: () => fault }
    const get = await serve(serveHealth(ANY, () => [pods]))
    assert.deepEqual(await get('/healthz'), [200, 'ok'])
    assert.deepEqual(await get('/healthz?verbose'), [200, '[+]ping ok\nhealthz check passed\n'])
    assert.deepEqual(await get('/readyz'), [500, '[+]ping ok\n[-]pods failed: no list yet\nreadyz check failed\n'])
    assert.deepEqual(await get('/readyz/pods'), [500, 'pods failed: no list yet\n'])
    fault = undefined
    assert.deepEqual(await get('/readyz'), [200, 'ok'])
    assert.equal((await get('/readyz/nothing'))[0], 404)
    assert.equal((await get('/readyz/pods/more'))[0], 404)
    assert.equal((await get('/'))[0], 404)
    assert.equal((await get('/healthz', 'POST'))[0], 405)
  })

  it('serves metrics as Prometheus reads them', async () => {
    const metrics = new Metrics(new VirtualClock())
    metrics.groups(2, 1)
    const get = await serve(serveMetrics(ANY, metrics))
    const [status, body] = await get('/metrics')
    assert.equal(status, 200)
    assert.match(body, /^leadergroup_groups 2$/m)
    assert.equal((await get('/'))[0], 404)
  })

  it('lives through what is no URL', async () => {
    for (const starting of [serveHealth(ANY, () => []), serveMetrics(ANY, new Metrics(new VirtualClock()))]) {
      const server = await starting
      open.push(server)
      const socket = connect(server.port, '127.0.0.1')
      socket.write('GET // HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      assert.match(await text(socket), /^HTTP\/1\.1 404 /)
    }
  })

  it('answers a scrape that cannot be collected with an error', async () => {
    const metrics = new Metrics(new VirtualClock())
    metrics.onScrape(() => {
      throw new Error('a bug')
    })
    const get = await serve(serveMetrics(ANY, metrics))
    assert.deepEqual(await get('/metrics'), [500, 'Error: a bug\n'])
  })

  it('closes without waiting for half a request', async () => {
    const server = await serveHealth(ANY, () => [])
    const socket = connect(server.port, '127.0.0.1')
    await once(socket, 'connect')
    const ended = once(socket, 'close')
    socket.on('error', () => socket.destroy())
    socket.write('GET /healthz HTTP/1.1\r\n')
    // The server has seen the half when it has answered the whole of another.
    await fetch(`http://127.0.0.1:${server.port}/healthz`).then((response) => response.text())
    await server.close()
    await ended
  })

  it('says which flag to change when the port is taken', async () => {
    const first = await serveHealth(ANY, () => [])
    open.push(first)
    await assert.rejects(
      serveHealth({ ...ANY, port: first.port }, () => []),
      {
        message:
          `127.0.0.1:${first.port} is in use by another process: ` +
          'choose another --health-probe-bind-address, or 0 to do without',
      },
    )
  })

  it('says which flag to change when the address is not this machine’s', async () => {
    await assert.rejects(serveMetrics({ host: '192.0.2.1', port: 0 }, new Metrics(new VirtualClock())), {
      message: '192.0.2.1:0 is no address of this machine: correct --metrics-bind-address',
    })
  })
})
