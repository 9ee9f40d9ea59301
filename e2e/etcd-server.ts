/** An etcd of a test's own: which may be killed, started again, and asked by hand. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Etcd, type EtcdOptions, connectEtcd } from '../src/etcd/connect-etcd.ts'
import { toBase64 } from '../src/etcd/wire.ts'
import { resolveBinaries } from './controlplane/binaries.ts'
import { eventually } from './controlplane/eventually.ts'
import { HOST } from './controlplane/flags.ts'
import { freePorts } from './controlplane/ports.ts'
import { type Scratch, openScratch } from './controlplane/scratch.ts'
import { Server } from './controlplane/server.ts'

const READY_MILLIS = 60_000

export interface EtcdServerOptions {
  readonly args?: readonly string[]
  /** Connects by hand, where that takes more than an address. */
  readonly connect?: Omit<EtcdOptions, 'endpoints'>
}

export async function openEtcd({ args = [], connect = {} }: EtcdServerOptions = {}): Promise<EtcdServer> {
  const { etcd: binary } = await resolveBinaries({ components: ['etcd'] })
  const scratch = await openScratch()
  try {
    const [port, peerPort] = (await freePorts(2)) as [number, number]
    const url = `${connect.ca === undefined ? 'http' : 'https'}://${HOST}:${port}`
    const peer = `http://${HOST}:${peerPort}`
    const hand = connectEtcd({ endpoints: [url], ...connect })
    await mkdir(join(scratch.dir, 'logs'))
    const server = new Server(scratch, {
      name: 'etcd',
      binary,
      args: [
        `--data-dir=${join(scratch.dir, 'etcd')}`,
        `--listen-client-urls=${url}`,
        `--advertise-client-urls=${url}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=default=${peer}`,
        '--log-level=warn',
        '--unsafe-no-fsync',
        ...args,
      ],
      logPath: join(scratch.dir, 'logs', 'etcd.log'),
      ready: async (signal) => {
        await eventually({ what: 'an etcd that answers', millis: READY_MILLIS, signal }, async () => {
          const answer = await ask(hand, '/v3/kv/range', { key: toBase64('ready') }).catch(notYet)
          return answer && answer.status === 200 ? true : undefined
        })
      },
    })
    await server.start()
    return new EtcdServer(scratch, server, url, hand)
  } catch (error) {
    await scratch.close()
    throw error
  }
}

export class EtcdServer implements AsyncDisposable {
  readonly process: Server
  readonly url: string
  readonly #scratch: Scratch
  readonly #hand: Etcd

  constructor(scratch: Scratch, process: Server, url: string, hand: Etcd) {
    this.#scratch = scratch
    this.process = process
    this.url = url
    this.#hand = hand
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  /** By hand. Throws unless etcd says 200. */
  async call<T = unknown>(path: string, body: object): Promise<T> {
    const { status, said } = await ask(this.#hand, path, body)
    if (status !== 200) throw new Error(`etcd ${path}: ${status} ${said}`)
    return JSON.parse(said) as T
  }

  async put(key: string, value: string): Promise<void> {
    await this.call('/v3/kv/put', { key: toBase64(key), value: toBase64(value) })
  }

  async delete(key: string): Promise<void> {
    await this.call('/v3/kv/deleterange', { key: toBase64(key) })
  }

  async value(key: string): Promise<string | undefined> {
    const { kvs = [] } = await this.call<{ kvs?: { value: string }[] }>('/v3/kv/range', { key: toBase64(key) })
    return kvs[0] && Buffer.from(kvs[0].value, 'base64').toString('utf8')
  }

  async leases(): Promise<number> {
    const { leases = [] } = await this.call<{ leases?: unknown[] }>('/v3/lease/leases', {})
    return leases.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hand[Symbol.asyncDispose]()
    await this.process.stop()
    await this.#scratch.close()
  }
}

async function ask(etcd: Etcd, path: string, body: object): Promise<{ status: number; said: string }> {
  const signal = AbortSignal.timeout(5_000)
  const response = await etcd.send({ method: 'POST', path, body: JSON.stringify(body), signal })
  const chunks: Uint8Array[] = []
  for await (const chunk of response.body) chunks.push(chunk)
  return { status: response.status, said: Buffer.concat(chunks).toString('utf8') }
}

/** Nobody listens yet, or it has no leader yet. */
function notYet(): undefined {}
