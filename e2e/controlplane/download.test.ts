import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { access, constants, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Component } from './binary.ts'
import { type Turn, takeTurn } from './cache.ts'
import { download } from './download.ts'
import { moduleVersions } from './module.ts'
import { freePorts } from './ports.ts'
import { silent } from './progress.ts'
import { type Scratch, ended, openScratch } from './scratch.ts'

const PROGRAM = '#!/bin/sh\necho a program\n'
const release = { version: '1.36.3', os: 'linux', arch: 'amd64' }
const signal = new AbortController().signal

describe('the official download', () => {
  let scratch: Scratch
  let turn: Turn
  let site: Site
  beforeEach(async () => {
    scratch = await openScratch()
    turn = await takeTurn(join(scratch.dir, 'cache'), silent, signal)
    site = await Site.open()
  })
  afterEach(async () => {
    await site.close()
    await turn[Symbol.asyncDispose]()
    await scratch.close()
  })

  const get = (components: readonly Component[], url = site.url) =>
    download(components, { release, turn, progress: silent, signal, sites: { kubernetes: url, etcd: url } })

  it('puts a program into the cache when its digest is the published one', async () => {
    site.files.set('/v1.36.3/bin/linux/amd64/kubectl', Buffer.from(PROGRAM))
    site.files.set('/v1.36.3/bin/linux/amd64/kubectl.sha256', Buffer.from(sha256(PROGRAM)))
    const { found, failures } = await get(['kubectl'])
    assert.deepEqual(failures, [])
    const command = join(turn.dir, 'kubectl')
    assert.deepEqual([...found], [['kubectl', { command, prefixArgs: [] }]])
    assert.equal(await readFile(command, 'utf8'), PROGRAM)
    await access(command, constants.X_OK)
  })

  it('refuses a program with another digest', async () => {
    site.files.set('/v1.36.3/bin/linux/amd64/kubectl', Buffer.from(`${PROGRAM}rm -rf /\n`))
    site.files.set('/v1.36.3/bin/linux/amd64/kubectl.sha256', Buffer.from(sha256(PROGRAM)))
    const { found, failures } = await get(['kubectl'])
    assert.equal(found.size, 0)
    assert.match(failures.join(), /its SHA-256 is [0-9a-f]{64}, published is [0-9a-f]{64}/)
    assert.deepEqual(await readdir(turn.dir), ['filling'])
  })

  it('unpacks etcd from its release archive', async () => {
    const { etcd: version } = await moduleVersions()
    const name = `etcd-v${version}-linux-amd64`
    await mkdir(join(scratch.dir, name))
    await writeFile(join(scratch.dir, name, 'etcd'), PROGRAM)
    const archive = join(scratch.dir, 'archive.tar.gz')
    assert.equal((await ended(scratch.spawn('tar', ['-czf', archive, '-C', scratch.dir, name]))).code, 0)
    const content = await readFile(archive)
    site.files.set(`/v${version}/${name}.tar.gz`, content)
    site.files.set(`/v${version}/SHA256SUMS`, Buffer.from(`0  other.zip\n${sha256(content)}  ${name}.tar.gz\n`))
    const { found, failures } = await get(['etcd'])
    assert.deepEqual(failures, [])
    assert.equal(await readFile(found.get('etcd')!.command, 'utf8'), PROGRAM)
  })

  it('says what is not there, and gets the rest', async () => {
    site.files.set('/v1.36.3/bin/linux/amd64/kubectl', Buffer.from(PROGRAM))
    site.files.set('/v1.36.3/bin/linux/amd64/kubectl.sha256', Buffer.from(sha256(PROGRAM)))
    const { found, failures } = await get(['kube-apiserver', 'kubectl'])
    assert.deepEqual([...found.keys()], ['kubectl'])
    assert.match(failures.join(), /^kube-apiserver: \S+\/kube-apiserver\.sha256: HTTP 404$/)
  })

  it('is a failure and no error without a network, and asks an unreachable site once', async () => {
    const [port] = await freePorts(1)
    const { found, failures } = await get(['kube-apiserver', 'kubectl'], `http://127.0.0.1:${port}`)
    assert.equal(found.size, 0)
    const why = `http://127.0.0.1:${port} cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}`
    assert.deepEqual(failures, [`kube-apiserver: ${why}`, `kubectl: ${why}`])
  })
})

class Site {
  readonly files = new Map<string, Buffer>()
  readonly url: string
  readonly #server: Server

  constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', ({ url = '' }, response) => {
      const file = this.files.get(url)
      response.writeHead(file ? 200 : 404).end(file)
    })
  }

  static async open(): Promise<Site> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Site(server)
  }

  async close(): Promise<void> {
    await once(this.#server.close(), 'close')
  }
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
