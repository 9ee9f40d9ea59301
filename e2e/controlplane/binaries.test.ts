import assert from 'node:assert/strict'
import { chmod, mkdir, readFile, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { resolveBinaries } from './binaries.ts'
import { cacheDir, takeTurn } from './cache.ts'
import { MODULE_DIR, moduleDigest, moduleFor, moduleVersions } from './module.ts'
import { silent } from './progress.ts'
import { type Scratch, openScratch } from './scratch.ts'

const never = new AbortController().signal

describe('the programs of a control plane', () => {
  let scratch: Scratch
  beforeEach(async () => void (scratch = await openScratch()))
  afterEach(() => scratch.close())

  const release = { version: '1.36.3', os: process.platform, arch: process.arch === 'x64' ? 'amd64' : process.arch }
  const env = (more: Record<string, string> = {}) => ({ XDG_CACHE_HOME: join(scratch.dir, 'cache'), ...more })
  const cache = () => cacheDir(release, env())

  it('come from an assets directory first, each on its own, and then from the cache', async () => {
    const assets = join(scratch.dir, 'assets')
    const etcd = await executable(assets, 'etcd')
    await executable(cache(), 'etcd')
    const kubectl = await executable(cache(), 'kubectl')
    const linked = await executable(cache(), `components-${await moduleDigest()}`)
    const found = await resolveBinaries({
      components: ['etcd', 'kubectl', 'kube-apiserver'],
      env: env({ KUBEBUILDER_ASSETS: assets }),
    })
    assert.deepEqual(found, {
      etcd: { command: etcd, prefixArgs: [] },
      kubectl: { command: kubectl, prefixArgs: [] },
      'kube-apiserver': { command: linked, prefixArgs: ['kube-apiserver'] },
    })
  })

  it('prefer the directory that is named for this project', async () => {
    await executable(join(scratch.dir, 'envtest'), 'etcd')
    const command = await executable(join(scratch.dir, 'own'), 'etcd')
    const assets = { KUBEBUILDER_ASSETS: join(scratch.dir, 'envtest'), LEADERGROUP_ASSETS: join(scratch.dir, 'own') }
    const { etcd } = await resolveBinaries({ components: ['etcd'], env: env(assets) })
    assert.equal(etcd.command, command)
  })

  it('are not files that nobody can execute', async () => {
    const assets = join(scratch.dir, 'assets')
    await chmod(await executable(assets, 'etcd'), 0o644)
    const command = await executable(cache(), 'etcd')
    const { etcd } = await resolveBinaries({ components: ['etcd'], env: env({ LEADERGROUP_ASSETS: assets }) })
    assert.equal(etcd.command, command)
  })

  it('are missing with one message that says what failed in each of the four ways', async () => {
    // A version that was never released is neither on the release site nor among Go's modules.
    const resolving = resolveBinaries({ components: ['kubectl'], version: '1.0.999', env: env() })
    await assert.rejects(resolving, ({ name, message }: Error) => {
      assert.equal(name, 'MissingBinaries')
      assert.match(message, /no way to get kubectl \(Kubernetes 1\.0\.999\) worked/)
      assert.match(message, /1\. assets directory:\n +neither LEADERGROUP_ASSETS nor KUBEBUILDER_ASSETS is set/)
      assert.match(message, /2\. cache:\n +\S+1\.0\.999\S+ has no kubectl/)
      assert.match(message, /3\. official download:\n +kubectl: \S+/)
      assert.match(message, /4\. build with Go:\n +go (is not installed|mod failed)/)
      return true
    })
    assert.deepEqual(await readdir(join(scratch.dir, 'cache/leadergroup/kube')), [
      `1.0.999-${release.os}-${release.arch}`,
    ])
  })

  it('are built from the versions that go.mod requires', async () => {
    const { kubernetes, etcd } = await moduleVersions()
    assert.equal(kubernetes, '1.36.3')
    assert.match(etcd, /^3\.6\.\d+$/)
  })

  it('or, of another release, from a module that requires that one and lets Go find the rest', async () => {
    const goMod = await readFile(join(MODULE_DIR, 'go.mod'), 'utf8')
    const other = moduleFor(goMod, '1.36.3', '1.33.13')
    assert.match(other, /^\tk8s\.io\/kubernetes v1\.33\.13$/m)
    assert.match(other, /^\tk8s\.io\/apiserver => k8s\.io\/apiserver v0\.33\.13$/m)
    assert.doesNotMatch(other, /36\.3|indirect|etcd/)
  })

  describe('the turn to fill the cache', () => {
    it('is one process’s at a time', async () => {
      const first = await takeTurn(cache(), silent, never)
      assert.equal(first.waited, false)
      const second = takeTurn(cache(), silent, never)
      const early = await Promise.race([second, Promise.resolve('waits')])
      assert.equal(early, 'waits')
      await first[Symbol.asyncDispose]()
      await using turn = await second
      assert.equal(turn.waited, true)
    })

    it('is taken over when a crashed machine left it', async () => {
      const left = join(cache(), 'filling')
      await mkdir(left, { recursive: true })
      await utimes(left, 0, 0)
      await using turn = await takeTurn(cache(), silent, never)
      assert.equal(turn.scratch.dir, left)
    })

    it('is not waited for any longer when the caller gives up', async () => {
      await using _first = await takeTurn(cache(), silent, never)
      const giveUp = new AbortController()
      const second = takeTurn(cache(), silent, giveUp.signal)
      giveUp.abort(new Error('given up'))
      await assert.rejects(second, /given up/)
    })
  })
})

async function executable(dir: string, name: string): Promise<string> {
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, name), '#!/bin/sh\n', { mode: 0o755 })
  return join(dir, name)
}
