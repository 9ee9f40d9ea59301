import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VirtualClock } from '../sim/clock.ts'
import { inClusterCredentials, readNamespace } from './in-cluster.ts'

describe('in-cluster credentials', () => {
  let directory: string
  const clock = new VirtualClock()
  const write = (name: string, text: string): Promise<void> => writeFile(join(directory, name), text)

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'service-account-'))
    await Promise.all([write('token', 'first\n'), write('ca.crt', 'pem'), write('namespace', 'ns\n')])
  })
  afterEach(() => rm(directory, { recursive: true }))

  for (const [host, server] of [
    ['10.96.0.1', 'https://10.96.0.1:443'],
    ['fd00::1', 'https://[fd00::1]:443'],
    ['kubernetes.default.svc', 'https://kubernetes.default.svc:443'],
  ] as const) {
    it(`the server is ${server}`, () => {
      assert.equal(inClusterCredentials({ host, port: '443', clock }).server, server)
    })
  }

  it('are token and CA of the service account, re-read when they rotate', async () => {
    const credentials = inClusterCredentials({ host: 'h', port: '1', clock, directory })
    const first = await credentials.load()
    assert.deepEqual(first, { tls: { ca: 'pem' }, headers: { authorization: 'Bearer first' } })
    await Promise.all([write('token', 'second'), write('ca.crt', 'other pem')])
    assert.equal(await credentials.load(), first)
    const second = { tls: { ca: 'other pem' }, headers: { authorization: 'Bearer second' } }
    assert.deepEqual(await credentials.load(first), second, 'at once after a 401')
    await write('token', 'third')
    await clock.advance(60_000)
    assert.deepEqual(await credentials.load(), { ...second, headers: { authorization: 'Bearer third' } })
  })

  it('say what is missing', async () => {
    await rm(join(directory, 'token'))
    const credentials = inClusterCredentials({ host: 'h', port: '1', clock, directory })
    await assert.rejects(credentials.load(), /cannot read .*token: is automountServiceAccountToken false\?/)
    await write('token', '\n')
    await assert.rejects(credentials.load(), /token is empty/)
  })

  it('tell the namespace', async () => {
    assert.equal(await readNamespace(directory), 'ns')
    await rm(join(directory, 'namespace'))
    await assert.rejects(readNamespace(directory), /cannot read .*namespace/)
  })
})
