import { createSecureContext } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { buildConnector, Pool, ProxyAgent, type Dispatcher } from 'undici'
import { DeadlineExceeded, systemClock, type Clock } from '../clock.ts'
import type { Access, Credentials } from './credentials.ts'
import { OpenBodies } from './open-bodies.ts'
import { Spare } from './spare.ts'
import type { Lane, Transport, TransportRequest, TransportResponse } from './transport.ts'

export interface UndiciTransport extends Transport {
  /** Ends all connections; requests under way reject. */
  close(): Promise<void>
}

/** Shorter than any request's deadline, so that a request which cannot connect says so. */
const CONNECT_TIMEOUT_MILLIS = 2_500

/** An idle connection is kept this long; the API server would keep it for 90 s. */
const KEEP_ALIVE_MILLIS = 30_000

/**
 * Requests for locks under way at a time: a thousand electors of one process that begin together would else open a
 * thousand connections, and none of them would be there within a deadline.
 */
const LEASE_CONNECTIONS = 32

/** Connections that an agent opens at a time, for the same reason: each watch needs one of its own. */
const CONNECTING = 16

/** When TCP begins to probe a silent connection: before load balancers forget it (60 s is common). */
const TCP_PROBE_MILLIS = 30_000

/**
 * Requests over shared HTTP/1.1 connections, with an agent (a pool of connections) per lane.
 *
 * HTTP/1.1, because aborting an HTTP/2 request gives up its stream only: a dead connection stays in use for ever.
 * With HTTP/1.1 the connection goes with the request. There may be other dead ones idle beside it, each of which would
 * cost one more deadline: so **the first request that runs into its deadline retires the lane's agent**, and the next
 * request connects anew. What still runs on the old agent (watches) goes on if it was heard of since that request was sent;
 * else it is ended with an error, for it may be as dead.
 *
 * When the last connection for locks has gone idle for too long, a spare is kept open in its place (`spare.ts`).
 *
 * A 401 makes the credentials be read again, and the request is sent once more if they have changed. Nothing else is
 * retried.
 */
export function undiciTransport(options: {
  readonly credentials: Credentials
  readonly userAgent: string
  /** @default the system's */
  readonly clock?: Pick<Clock, 'now'>
}): UndiciTransport {
  const { credentials, userAgent, clock = systemClock } = options
  const base = new URL(credentials.server)
  const prefix = base.pathname.replace(/\/+$/, '')
  const agents = new LaneAgents(base.origin, clock)
  const bodies = new OpenBodies()

  async function sendOnce(request: TransportRequest, access: Access): Promise<Dispatcher.ResponseData> {
    const { lane = 'default', signal } = request
    const agent = agents.get(lane, access)
    const sentAt = bodies.now()
    const onAbort = (): void => {
      if (!(signal.reason instanceof DeadlineExceeded)) return
      agents.retire(lane, agent)
      bodies.endSilent(sentAt)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    const forget = (): void => signal.removeEventListener('abort', onAbort)
    const sent = agent.request({
      origin: base.origin,
      path: prefix + request.path,
      method: request.method,
      headers: {
        accept: 'application/json',
        'user-agent': userAgent,
        ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
        ...access.headers,
      },
      body: request.body ?? null,
      signal,
    })
    try {
      const response = await unlessAborted(sent, signal)
      response.body.once('close', forget)
      bodies.open(response.body)
      return response
    } catch (error) {
      forget()
      throw error
    }
  }

  return {
    async send(request) {
      const { signal } = request
      signal.throwIfAborted()
      const access = await unlessAborted(credentials.load(), signal)
      const response = await sendOnce(request, access)
      if (response.statusCode !== 401) return toResponse(response, bodies.follow(response.body))
      // Read before anything else can fail, or its connection would stay occupied.
      const said = new Uint8Array(await response.body.arrayBuffer())
      const renewed = await unlessAborted(credentials.load(access), signal)
      if (renewed === access) return toResponse(response, oneChunk(said))
      const second = await sendOnce(request, renewed)
      return toResponse(second, bodies.follow(second.body))
    },
    close: () => agents.close(),
  }
}

/** The agent of each lane, and those that only finish what they have begun. */
class LaneAgents {
  readonly #origin: string
  readonly #clock: Pick<Clock, 'now'>
  readonly #current = new Map<Lane, { readonly agent: Dispatcher; readonly spare: Spare | undefined; access: Access }>()
  readonly #retired = new Set<Dispatcher>()

  constructor(origin: string, clock: Pick<Clock, 'now'>) {
    this.#origin = origin
    this.#clock = clock
  }

  /** A new one when the certificates have changed: connections that trust the old ones end with their requests. */
  get(lane: Lane, access: Access): Dispatcher {
    const current = this.#current.get(lane)
    if (current !== undefined) {
      if (isSameConnection(current.access, access)) {
        current.access = access
        return current.agent
      }
      this.retire(lane, current.agent)
    }
    const connecting = connectingAgent(this.#origin, access, lane, this.#clock)
    this.#current.set(lane, { ...connecting, access })
    return connecting.agent
  }

  /** Does nothing when `agent` has been replaced already: many requests may run into their deadlines together. */
  retire(lane: Lane, agent: Dispatcher): void {
    const current = this.#current.get(lane)
    if (current?.agent !== agent) return
    current.spare?.close()
    this.#current.delete(lane)
    this.#retired.add(agent)
    const gone = (): void => void this.#retired.delete(agent)
    // It rejects only when close() below destroyed it first.
    agent.close().then(gone, gone)
  }

  async close(): Promise<void> {
    const all = [...this.#retired, ...[...this.#current.values()].map(({ agent }) => agent)]
    for (const { spare } of this.#current.values()) spare?.close()
    this.#current.clear()
    await Promise.all(all.map((agent) => agent.destroy()))
  }
}

function isSameConnection(a: Access, b: Access): boolean {
  return a === b || (a.proxyUrl === b.proxyUrl && isDeepStrictEqual(a.tls, b.tls))
}

function connectingAgent(
  origin: string,
  { tls, proxyUrl }: Access,
  lane: Lane,
  clock: Pick<Clock, 'now'>,
): { agent: Dispatcher; spare: Spare | undefined } {
  const { servername, rejectUnauthorized, ...certificates } = tls
  const connect = {
    // Parsed once, not for each connection.
    secureContext: createSecureContext(certificates),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    timeout: CONNECT_TIMEOUT_MILLIS,
    keepAlive: true,
    keepAliveInitialDelay: TCP_PROBE_MILLIS,
  }
  // The caller's signal is the only limit: undici's own would end every quiet watch.
  const connections = lane === 'lease' ? LEASE_CONNECTIONS : null
  const common = { allowH2: false, headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MILLIS, connections }
  // A pool and not an Agent: once told to close, an Agent forgets its pools, and destroy() no longer reaches them.
  if (proxyUrl === undefined) {
    const open = inTurns(buildConnector({ ...connect, allowH2: false }))
    if (lane !== 'lease') return { agent: new Pool(origin, { ...common, connect: open }), spare: undefined }
    const spare = new Spare(open, clock, () => pool.stats.connected === 0)
    const pool: Pool = new Pool(origin, { ...common, connect: spare.connect })
    pool.on('disconnect', () => spare.prepare())
    return { agent: pool, spare }
  }
  if (!/^(https?|socks5?):$/.test(URL.parse(proxyUrl)?.protocol ?? '')) {
    throw new Error(`proxy-url ${JSON.stringify(proxyUrl)}: only http, https and socks5 proxies are supported`)
  }
  const agent = new ProxyAgent({
    ...common,
    uri: proxyUrl,
    requestTls: connect,
    connectTimeout: CONNECT_TIMEOUT_MILLIS,
    // A proxy that never answers CONNECT: the request is gone by then, this frees its connection.
    clientFactory: (proxy, given) => new Pool(proxy, { ...given, headersTimeout: CONNECT_TIMEOUT_MILLIS }),
  })
  return { agent, spare: undefined }
}

/** Some at a time, the others in the order in which they came. */
function inTurns(connect: buildConnector.connector): buildConnector.connector {
  const waiting: (() => void)[] = []
  let underWay = 0
  const begin = (options: buildConnector.Options, callback: buildConnector.Callback): void => {
    underWay++
    connect(options, (...result) => {
      underWay--
      waiting.shift()?.()
      callback(...result)
    })
  }
  return (options, callback) => {
    if (underWay < CONNECTING) begin(options, callback)
    else waiting.push(() => begin(options, callback))
  }
}

/**
 * Rejects with the signal's reason as soon as it aborts, whatever `promise` is doing: undici notices an abort only
 * once there is a connection, and an exec plugin never does.
 */
function unlessAborted<R>(promise: Promise<R>, signal: AbortSignal): Promise<R> {
  const { promise: result, resolve, reject } = Promise.withResolvers<R>()
  const onAbort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  return result
}

function toResponse(
  { statusCode, headers }: Dispatcher.ResponseData,
  body: AsyncIterable<Uint8Array>,
): TransportResponse {
  const flat: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(headers)) flat[name] = Array.isArray(value) ? value.join(', ') : value
  return { status: statusCode, headers: flat, body }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes
}
