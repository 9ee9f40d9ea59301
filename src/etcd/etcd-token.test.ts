import { strict as assert } from 'node:assert'
import type { Access } from '../kube/credentials.ts'
import type { Transport, TransportRequest, TransportResponse } from '../kube/transport.ts'
import { VirtualClock } from '../sim/clock.ts'
import { EtcdToken } from './etcd-token.ts'

const OPEN: Access = { tls: { ca: 'ca' }, headers: {} }

function answer(status: number, body: object): TransportResponse {
  return { status, headers: {}, body: oneChunk(JSON.stringify(body)) }
}

async function* oneChunk(text: string): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(text)
}

async function textOf({ body }: TransportResponse): Promise<string> {
  let text = ''
  for await (const chunk of body) text += Buffer.from(chunk).toString()
  return text
}

describe('etcd token', () => {
  let clock: VirtualClock
  let logins: string[]
  let answerWith: () => TransportResponse
  let token: EtcdToken
  const door: Transport = {
    send: async ({ path, body }: TransportRequest) => {
      logins.push(`${path} ${body}`)
      return answerWith()
    },
  }

  beforeEach(() => {
    clock = new VirtualClock()
    logins = []
    answerWith = () => answer(200, { token: `t${logins.length}` })
    token = new EtcdToken({ username: 'elector', password: 'pass' }, OPEN, clock)
  })

  it('is asked for once, however many need it', async () => {
    const [one, two] = await Promise.all([token.load(door), token.load(door)])
    assert.deepEqual(one, { tls: OPEN.tls, headers: { authorization: 't1' } })
    assert.deepEqual([two, await token.load(door)], [one, one])
    assert.deepEqual(logins, ['/v3/auth/authenticate {"name":"elector","password":"pass"}'])
  })

  it('is replaced when it was refused, and once only when many were refused', async () => {
    const first = await token.load(door)
    const second = await token.load(door, first)
    assert.deepEqual([second.headers, await token.load(door, first)], [{ authorization: 't2' }, second])
  })

  for (const body of [{}, { token: '' }, { token: 7 }, []]) {
    it(`is missed in an answer without one: ${JSON.stringify(body)}`, async () => {
      answerWith = () => answer(200, body)
      const message = `etcd /v3/auth/authenticate as elector: no token: ${JSON.stringify(body)}`
      await assert.rejects(token.load(door), { name: 'EtcdError', message })
    })
  }

  for (const said of ['etcdserver: revision of auth store is old', 'etcdserver: user name is empty']) {
    it(`is forgotten when an answer says "${said}", which is passed on`, async () => {
      await token.load(door)
      const passed = await token.examine(answer(400, { code: 3, message: said }))
      assert.deepEqual([passed.status, await textOf(passed)], [400, JSON.stringify({ code: 3, message: said })])
      assert.deepEqual((await token.load(door)).headers, { authorization: 't2' })
    })
  }

  it('is kept over other answers', async () => {
    await token.load(door)
    await token.examine(answer(400, { message: 'etcdserver: key is not provided' }))
    await token.examine(answer(200, {}))
    await token.load(door)
    assert.equal(logins.length, 1)
  })

  it('is none where etcd does not authenticate', async () => {
    answerWith = () => answer(400, { code: 9, message: 'etcdserver: authentication is not enabled' })
    assert.equal(await token.load(door), OPEN)
  })

  it('says why it was refused, and asks anew the next time', async () => {
    answerWith = () => answer(400, { message: 'etcdserver: authentication failed, invalid user ID or password' })
    await assert.rejects(token.load(door), { name: 'EtcdError', status: 400, isForbidden: true })
    answerWith = () => answer(200, { token: 't' })
    assert.deepEqual((await token.load(door)).headers, { authorization: 't' })
  })

  it('is not waited for for ever', async () => {
    const silent: Transport = {
      send: ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
        }),
    }
    const late = assert.rejects(token.load(silent), /no answer within 2500 ms/)
    await clock.advance(2_500)
    await late
  })
})
