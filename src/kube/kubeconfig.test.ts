import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { VirtualClock } from '../sim/clock.ts'
import type { Access } from './credentials.ts'
import { kubeConfigCredentials } from './kubeconfig.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Through the real client-node, since what it fills in is what these credentials are made of. */
function kubeConfig(cluster: object, user: object): KubeConfig {
  const config = new KubeConfig()
  config.loadFromString(
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://example:6443', ...cluster } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  )
  return config
}

const load = (cluster: object, user: object): Promise<Access> =>
  kubeConfigCredentials(kubeConfig(cluster, user), new VirtualClock()).load()

describe('kubeconfig credentials', () => {
  it('say what to do without a current context', () => {
    assert.throws(() => kubeConfigCredentials(new KubeConfig(), new VirtualClock()), /kubectl config use-context/)
  })

  it('name the server', () => {
    const { server } = kubeConfigCredentials(kubeConfig({}, {}), new VirtualClock())
    assert.equal(server, 'https://example:6443')
  })

  it('take CA, name and trust of the cluster', async () => {
    const cluster = { 'certificate-authority-data': base64('pem'), 'tls-server-name': 'kubernetes' }
    assert.deepEqual(await load(cluster, {}), {
      tls: { ca: Buffer.from('pem'), servername: 'kubernetes' },
      headers: {},
    })
    assert.deepEqual(await load({ 'insecure-skip-tls-verify': true }, {}), {
      tls: { rejectUnauthorized: false },
      headers: {},
    })
  })

  it('take a client certificate', async () => {
    const user = { 'client-certificate-data': base64('certificate'), 'client-key-data': base64('key') }
    assert.deepEqual((await load({}, user)).tls, { cert: Buffer.from('certificate'), key: Buffer.from('key') })
  })

  it('take a token, a password, and whom to impersonate', async () => {
    assert.deepEqual((await load({}, { token: 't' })).headers, { authorization: 'Bearer t' })
    assert.deepEqual((await load({}, { username: 'u', password: 'p' })).headers, {
      authorization: `Basic ${base64('u:p')}`,
    })
    assert.deepEqual((await load({}, { token: 't', as: 'somebody' })).headers, {
      authorization: 'Bearer t',
      'impersonate-user': 'somebody',
    })
  })

  it('take the proxy', async () => {
    assert.equal((await load({ 'proxy-url': 'http://proxy:3128' }, {})).proxyUrl, 'http://proxy:3128')
  })

  it('reject with the reason of client-node', async () => {
    await assert.rejects(load({ server: 'http://localhost:8001' }, {}), /HTTP protocol is not allowed/)
  })

  describe('files', () => {
    let directory: string
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
    })
    afterEach(() => rm(directory, { recursive: true }))

    it('are re-read: a rotated client certificate', async () => {
      const [certificate, key] = [join(directory, 'client.crt'), join(directory, 'client.key')]
      await Promise.all([writeFile(certificate, 'old'), writeFile(key, 'key')])
      const clock = new VirtualClock()
      const config = kubeConfig({}, { 'client-certificate': certificate, 'client-key': key })
      const credentials = kubeConfigCredentials(config, clock)
      assert.equal(String((await credentials.load()).tls.cert), 'old')
      await writeFile(certificate, 'new')
      await clock.advance(60_000)
      assert.equal(String((await credentials.load()).tls.cert), 'new')
    })

    it('are re-read: the token of an exec plugin, once it has expired', async () => {
      const file = join(directory, 'credential.json')
      const issue = (token: string, expirationTimestamp: string): Promise<void> =>
        writeFile(file, JSON.stringify({ status: { token, expirationTimestamp } }))
      await issue('expired', '2020-01-01T00:00:00Z')
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'cat', args: [file] }
      const credentials = kubeConfigCredentials(kubeConfig({}, { exec }), new VirtualClock())
      const first = await credentials.load()
      assert.deepEqual(first.headers, { authorization: 'Bearer expired' })
      await issue('fresh', '2120-01-01T00:00:00Z')
      assert.deepEqual((await credentials.load(first)).headers, { authorization: 'Bearer fresh' })
    })
  })
})
