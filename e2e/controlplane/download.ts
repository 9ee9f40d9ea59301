/** The official releases: Kubernetes from dl.k8s.io, etcd from GitHub, each checked against its published SHA-256. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EnvHttpProxyAgent, type Response, fetch } from 'undici'
import type { Attempt, Binary, Component, Release } from './binary.ts'
import type { Turn } from './cache.ts'
import { moduleVersions } from './module.ts'
import type { Progress } from './progress.ts'
import { ended } from './scratch.ts'

/** Short: without a network this way is only in the way of the next one. */
const CONNECT_MILLIS = 3_000
const SILENCE_MILLIS = 20_000

export interface Sites {
  readonly kubernetes: string
  readonly etcd: string
}

const OFFICIAL: Sites = {
  kubernetes: 'https://dl.k8s.io/release',
  etcd: 'https://github.com/etcd-io/etcd/releases/download',
}

export interface DownloadOptions {
  readonly release: Release
  readonly turn: Turn
  readonly progress: Progress
  readonly signal: AbortSignal
  readonly sites?: Sites
}

/** Programs that come down whole and with the right digest enter the cache. No network is a failure, not an error. */
export async function download(components: readonly Component[], options: DownloadOptions): Promise<Attempt> {
  const agent = new EnvHttpProxyAgent({
    connect: { timeout: CONNECT_MILLIS },
    headersTimeout: SILENCE_MILLIS,
    bodyTimeout: SILENCE_MILLIS,
  })
  try {
    return await downloadFrom(new Site(agent, options.progress, options.signal), components, options)
  } finally {
    await agent.destroy()
  }
}

async function downloadFrom(site: Site, components: readonly Component[], options: DownloadOptions): Promise<Attempt> {
  const found = new Map<Component, Binary>()
  const failures: string[] = []
  for (const component of components) {
    try {
      const file = component === 'etcd' ? await etcd(site, options) : await kubernetes(component, site, options)
      found.set(component, { command: await options.turn.install(file, component), prefixArgs: [] })
    } catch (error) {
      options.signal.throwIfAborted()
      failures.push(`${component}: ${reason(error)}`)
    }
  }
  if (failures.length > 0) options.progress.say(`no official download: ${failures[0]}`)
  return { found, failures }
}

async function kubernetes(component: Component, site: Site, options: DownloadOptions): Promise<string> {
  const { version, os, arch } = options.release
  const url = `${(options.sites ?? OFFICIAL).kubernetes}/v${version}/bin/${os}/${arch}/${component}`
  const digest = (await site.text(`${url}.sha256`)).trim()
  return await site.file(url, digest, join(options.turn.scratch.dir, component))
}

async function etcd(site: Site, options: DownloadOptions): Promise<string> {
  const { os, arch } = options.release
  const version = `v${(await moduleVersions()).etcd}`
  const base = `${(options.sites ?? OFFICIAL).etcd}/${version}`
  const name = `etcd-${version}-${os}-${arch}`
  const archiveName = `${name}.${os === 'linux' ? 'tar.gz' : 'zip'}`
  const sums = await site.text(`${base}/SHA256SUMS`)
  const digest = sums
    .split('\n')
    .find((line) => line.endsWith(` ${archiveName}`))
    ?.split(' ')[0]
  if (digest === undefined) throw new Error(`${base}/SHA256SUMS does not list ${archiveName}`)
  const { scratch } = options.turn
  const archive = await site.file(`${base}/${archiveName}`, digest, join(scratch.dir, archiveName))
  const tar = scratch.spawn('tar', ['-xf', archive, '-C', scratch.dir, `${name}/etcd`], { stdio: 'ignore' })
  const { code } = await ended(tar)
  if (code !== 0) throw new Error(`tar could not unpack ${archiveName} (exit code ${code})`)
  return join(scratch.dir, name, 'etcd')
}

class Site {
  readonly #agent: EnvHttpProxyAgent
  readonly #progress: Progress
  readonly #signal: AbortSignal
  /** By origin. A host that could not be reached is not asked again for the next file. */
  readonly #unreachable = new Map<string, Error>()

  constructor(agent: EnvHttpProxyAgent, progress: Progress, signal: AbortSignal) {
    this.#agent = agent
    this.#progress = progress
    this.#signal = signal
  }

  async text(url: string): Promise<string> {
    return await (await this.#get(url)).text()
  }

  /** Writes the body to `path` and resolves to `path` once its SHA-256 is `digest`. */
  async file(url: string, digest: string, path: string): Promise<string> {
    const response = await this.#get(url)
    if (response.body === null) throw new Error(`${url}: empty answer`)
    const name = url.slice(url.lastIndexOf('/') + 1)
    const total = Number(response.headers.get('content-length'))
    const hash = createHash('sha256')
    let received = 0
    const meter = new Transform({
      transform: (chunk: Buffer, _, done) => {
        hash.update(chunk)
        received += chunk.length
        this.#progress.update(`downloading ${name}: ${megabytes(received)}${total ? ` of ${megabytes(total)}` : ''} MB`)
        done(null, chunk)
      },
    })
    this.#progress.say(`downloading ${url}`)
    await pipeline(response.body, meter, createWriteStream(path), { signal: this.#signal })
    const actual = hash.digest('hex')
    if (actual !== digest) throw new Error(`${url}: its SHA-256 is ${actual}, published is ${digest}`)
    return path
  }

  async #get(url: string): Promise<Response> {
    const { origin } = new URL(url)
    const known = this.#unreachable.get(origin)
    if (known) throw known
    let response: Response
    try {
      response = await fetch(url, { dispatcher: this.#agent, signal: this.#signal })
    } catch (error) {
      this.#signal.throwIfAborted()
      const failure = new Error(`${origin} cannot be reached: ${reason(error)}`, { cause: error })
      this.#unreachable.set(origin, failure)
      throw failure
    }
    if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`)
    return response
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

/** fetch says "fetch failed" and keeps what matters in the cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message === 'fetch failed' && error.cause !== undefined ? reason(error.cause) : error.message
}
