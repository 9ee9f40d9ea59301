/**
 * Stands between one operator and the API server. Each of its writes to a group, its pods or its Services is held here
 * when it has taken effect and before the operator hears of it: a test can then do what must happen just there.
 */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { Pool } from 'undici'
import { systemClock } from '../src/clock.ts'
import type { Cluster } from './controlplane/cluster.ts'
import { OPERATOR_NAMESPACE, SERVICE_ACCOUNT, installOperator } from './operator-process.ts'

/** A write that took effect. */
export interface TappedWrite {
  readonly method: string
  /** Of the resource: `pods`, `leases`, `endpointslices`, `leadergroups/status` … */
  readonly resource: string
  readonly name: string
  readonly body: string
}

export async function openTap(cluster: Cluster): Promise<Tap> {
  const upstream = new Pool(cluster.plane.server, {
    connect: { ca: cluster.plane.ca },
    headersTimeout: 0,
    bodyTimeout: 0,
    connections: null,
  })
  const tap = new Tap(upstream, cluster)
  await tap.listen()
  return tap
}

export class Tap implements AsyncDisposable {
  /** What to do at a write; the operator waits for it. */
  onWrite: (write: TappedWrite) => Promise<void> = () => Promise.resolve()
  readonly #upstream: Pool
  readonly #cluster: Cluster
  readonly #server: Server
  #last: Promise<void> = Promise.resolve()
  #cuts = 0
  #lastAt = systemClock.now()
  #fault: unknown

  constructor(upstream: Pool, cluster: Cluster) {
    this.#upstream = upstream
    this.#cluster = cluster
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        // Whoever asked is gone: a watch that was aborted, an operator that was killed.
        if (!request.destroyed && !response.destroyed) this.#fault ??= error
        response.destroy()
      })
    })
  }

  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
  }

  /** For an operator with the service account's rights, whose every request goes through here. */
  async kubeconfig(): Promise<string> {
    await installOperator(this.#cluster)
    const { plane } = this.#cluster
    const token = await plane.serviceAccountToken(OPERATOR_NAMESPACE, SERVICE_ACCOUNT)
    const { port } = this.#server.address() as AddressInfo
    return plane.kubeconfigFor(SERVICE_ACCOUNT, token, `http://127.0.0.1:${port}`)
  }

  /** Since the last write. */
  get quietMillis(): number {
    return systemClock.now() - this.#lastAt
  }

  /** Nothing that was asked for until now goes through any more: for an operator that is killed. */
  cut(): void {
    this.#cuts += 1
    this.#server.closeAllConnections()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await this.#upstream.destroy()
    if (this.#fault) throw new Error('the tap failed', { cause: this.#fault })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const cuts = this.#cuts
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const write = writeOf(request, body)
    if (!write) return this.#pass(request, body, response, gone.signal)
    // One after the other, so that "after the k-th write" says which others have taken effect.
    const turn = Promise.withResolvers<void>()
    const before = this.#last
    this.#last = turn.promise
    try {
      await before
      this.#lastAt = systemClock.now()
      if (gone.signal.aborted || cuts !== this.#cuts) return
      await this.#pass(request, body, response, gone.signal, () => this.onWrite(write))
    } finally {
      turn.resolve()
    }
  }

  async #pass(
    request: IncomingMessage,
    body: string,
    response: ServerResponse,
    signal: AbortSignal,
    hold?: () => Promise<void>,
  ): Promise<void> {
    const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers
    const answer = await this.#upstream.request({
      method: request.method as 'GET',
      path: request.url!,
      headers,
      body: body === '' ? null : body,
      signal,
    })
    if (hold && answer.statusCode < 300) await hold()
    response.writeHead(answer.statusCode, answer.headers as Record<string, string>)
    response.flushHeaders()
    await pipeline(answer.body, response, { signal })
  }
}

/** Undefined for a read, an event, and what the operators' own election writes. */
function writeOf({ method = 'GET', url = '' }: IncomingMessage, body: string): TappedWrite | undefined {
  const [, namespace, resource = '', name, subresource] =
    /\/namespaces\/([^/?]+)\/([^/?]+)(?:\/([^/?]+))?(?:\/([^/?]+))?/.exec(url) ?? []
  if (method === 'GET' || resource === 'events' || namespace === OPERATOR_NAMESPACE) return undefined
  const named = name ?? (JSON.parse(body) as { metadata: { name: string } }).metadata.name
  return { method, resource: subresource ? `${resource}/${subresource}` : resource, name: named, body }
}
