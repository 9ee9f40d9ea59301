import { strict as assert } from 'node:assert'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kubeConfigCredentials } from '../kube/kubeconfig.ts'
import { VirtualClock } from '../sim/clock.ts'
import { loadKubeConfig } from './kubeconfig.ts'

describe('a token file of a kubeconfig', () => {
  const directory = mkdtempSync(join(tmpdir(), 'leadergroup-'))
  after(() => rmSync(directory, { recursive: true }))
  const token = join(directory, 'token')

  function credentials(user: object): ReturnType<typeof kubeConfigCredentials> {
    const kubeconfig = join(directory, 'config')
    const named = [{ name: 'me', user }]
    const clusters = [{ name: 'one', cluster: { server: 'https://one' } }]
    const contexts = [{ name: 'c', context: { cluster: 'one', user: 'me' } }]
    writeFileSync(kubeconfig, JSON.stringify({ users: named, clusters, contexts, 'current-context': 'c' }))
    const config = loadKubeConfig({ kubeconfig, context: undefined }, {})
    return kubeConfigCredentials(config!, new VirtualClock())
  }

  const SPELLINGS: readonly (readonly [string, object])[] = [
    ['by its path', { tokenFile: token }],
    ['beside the kubeconfig', { tokenFile: 'token' }],
    ['before a token', { tokenFile: token, token: 'written' }],
  ]
  for (const [how, user] of SPELLINGS) {
    it(`is read, named ${how}`, async () => {
      writeFileSync(token, 'first\n')
      assert.deepEqual((await credentials(user).load()).headers, { authorization: 'Bearer first' })
    })
  }

  it('is read again at once when its token was refused', async () => {
    writeFileSync(token, 'first')
    const me = credentials({ tokenFile: token })
    const first = await me.load()
    writeFileSync(token, 'second')
    assert.equal(await me.load(), first)
    assert.deepEqual((await me.load(first)).headers, { authorization: 'Bearer second' })
  })

  it('that is missing or empty is said to be', async () => {
    await assert.rejects(credentials({ tokenFile: 'none' }).load(), /ENOENT.*none/)
    writeFileSync(token, '\n')
    await assert.rejects(credentials({ tokenFile: token }).load(), /the token file .*token is empty/)
  })
})
