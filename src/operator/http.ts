import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { report, type Check } from './health.ts'
import type { Metrics } from './metrics.ts'

/** Where to listen; without a host on all addresses. Port 0: any that is free. */
export interface BindAddress {
  readonly host: string | undefined
  readonly port: number
}

export interface HttpServer {
  /** The port that it listens on. */
  readonly port: number
  /** Takes no more requests; resolves when those under way have been answered. */
  close(): Promise<void>
}

/** A probe or a scrape that does not send its request within this time is cut off. */
const REQUEST_TIMEOUT_MILLIS = 10_000

/**
 * `/healthz` and `/readyz`. That there is an answer proves that the event loop turns, and `/healthz` asks for nothing
 * else: a process that restarts because the API server is away only adds to its load when it comes back.
 */
export function serveHealth(address: BindAddress, readiness: () => readonly Check[]): Promise<HttpServer> {
  const ping: Check = { name: 'ping', check: () => undefined }
  const endpoints = new Map<string, () => readonly Check[]>([
    ['healthz', () => [ping]],
    ['readyz', () => [ping, ...readiness()]],
  ])
  return listen(address, '--health-probe-bind-address', (request, response) => {
    const { pathname, searchParams } = target(request)
    const [, endpoint = '', name = '', ...rest] = pathname.split('/')
    const checks = endpoints.get(endpoint)
    const { status, body } =
      checks && rest.length === 0
        ? report(endpoint, checks(), name, searchParams)
        : { status: 404, body: 'not found: there are /healthz and /readyz\n' }
    response.writeHead(status, PLAIN_TEXT).end(body)
  })
}

/** `/metrics`, in plain HTTP: who may read it is for a NetworkPolicy to say. */
export function serveMetrics(address: BindAddress, metrics: Metrics): Promise<HttpServer> {
  return listen(address, '--metrics-bind-address', (request, response) => {
    if (target(request).pathname !== '/metrics') {
      response.writeHead(404, PLAIN_TEXT).end('not found: there is /metrics\n')
      return
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      (error: unknown) => response.writeHead(500, PLAIN_TEXT).end(`${String(error)}\n`),
    )
  })
}

/** What is no URL (`//`, for one) is a path that is not served. A throw here would end the operator. */
export function target(request: IncomingMessage): URL {
  return URL.parse(request.url ?? '', 'http://operator') ?? new URL('http://operator/')
}

const PLAIN_TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }

/** A server of GET requests. `flag` is named when it cannot listen. */
export async function listen(address: BindAddress, flag: string, answer: RequestListener): Promise<HttpServer> {
  const underWay = new Set<ServerResponse>()
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MILLIS }, (request, response) => {
    underWay.add(response)
    response.once('close', () => underWay.delete(response))
    if (request.method === 'GET' || request.method === 'HEAD') answer(request, response)
    else response.writeHead(405, { ...PLAIN_TEXT, allow: 'GET, HEAD' }).end('only GET is served\n')
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host: address.host, port: address.port }, resolve)
  try {
    await promise
  } catch (cause) {
    throw new Error(cannotListen(address, flag, cause as NodeJS.ErrnoException), { cause })
  }
  server.off('error', reject)
  return { port: (server.address() as AddressInfo).port, close: () => close(server, underWay) }
}

function cannotListen({ host, port }: BindAddress, flag: string, { code, message }: NodeJS.ErrnoException): string {
  const where = `${host?.includes(':') ? `[${host}]` : (host ?? '')}:${port}`
  if (code === 'EADDRINUSE') return `${where} is in use by another process: choose another ${flag}, or 0 to do without`
  if (code === 'EACCES') return `no permission to listen on ${where}: choose a port above 1023 with ${flag}`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${where} is no address of this machine: correct ${flag}`
  return `cannot listen on ${where} (${flag}): ${message}`
}

async function close(server: Server, underWay: ReadonlySet<ServerResponse>): Promise<void> {
  const closed = new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())))
  await Promise.all([...underWay].map((response) => once(response, 'close')))
  // What is left are connections whose request never came to its end, which server.close() would wait for without limit.
  server.closeAllConnections()
  await closed
}
