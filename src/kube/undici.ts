import { createSecureContext } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { buildConnector, Pool, ProxyAgent, type Dispatcher } from 'undici'
import { DeadlineExceeded, systemClock, type Clock } from '../clock.ts'
import type { Access, Credentials } from './credentials.ts'
import { Exchange } from './exchange.ts'
import { OpenBodies } from './open-bodies.ts'
import { Spare } from './spare.ts'
import { Turns } from './turns.ts'
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
 * request connects anew. One that still waited for its turn says nothing about any: there was too much to do. What still
 * runs on the old agent (watches) goes on if it was heard of since that request was sent; else it is ended with an error,
 * for it may be as dead.
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

  function begin(place: Place, request: TransportRequest, access: Access): Exchange {
    const { lane = 'default', signal, method, contentType, body = null } = request
    const sentAt = bodies.now()
    const exchange = new Exchange(signal, {
      heard: (each) => bodies.heard(each),
      closed: (each) => {
        bodies.closed(each)
        place.turns?.give()
      },
      aborted: (reason) => {
        if (!(reason instanceof DeadlineExceeded)) return
        agents.retire(lane, place)
        bodies.endSilent(sentAt)
      },
    })
    const headers = {
      accept: 'application/json',
      'user-agent': userAgent,
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...access.headers,
    }
    place.agent.dispatch({ origin: base.origin, path: prefix + request.path, method, headers, body }, exchange)
    return exchange
  }

  /** Whoever waits for a turn moves on when the agent is retired. */
  async function sendOnce(request: TransportRequest, access: Access): Promise<TransportResponse> {
    const { lane = 'default', signal } = request
    for (;;) {
      signal.throwIfAborted()
      const place = agents.get(lane, access)
      const now = (): Exchange => begin(place, request, access)
      const exchange = place.turns ? await place.turns.take(signal, now) : now()
      if (exchange === undefined) continue
      const { statusCode, headers } = await exchange.head
      bodies.open(exchange)
      return { status: statusCode, headers: flat(headers), body: exchange }
    }
  }

  return {
    async send(request) {
      const { signal } = request
      signal.throwIfAborted()
      const access = await unlessAborted(credentials.load(), signal)
      const answer = await sendOnce(request, access)
      if (answer.status !== 401) return answer
      // Read before anything else can fail, or its connection would stay occupied.
      const said: Uint8Array[] = []
      for await (const chunk of answer.body) said.push(chunk)
      const renewed = await unlessAborted(credentials.load(access), signal)
      return renewed === access ? { ...answer, body: again(said) } : sendOnce(request, renewed)
    },
    close: () => agents.close(),
  }
}

/** The connections of a lane. */
interface Place {
  readonly agent: Dispatcher
  readonly spare?: { close(): void }
  /** Where there may be only so many requests at a time. */
  readonly turns?: Turns
}

/** The agent of each lane, and those that only finish what they have begun. */
class LaneAgents {
  readonly #origin: string
  readonly #clock: Pick<Clock, 'now'>
  readonly #current = new Map<Lane, { readonly place: Place; access: Access }>()
  readonly #retired = new Set<Dispatcher>()

  constructor(origin: string, clock: Pick<Clock, 'now'>) {
    this.#origin = origin
    this.#clock = clock
  }

  /** A new one when the certificates have changed: connections that trust the old ones end with their requests. */
  get(lane: Lane, access: Access): Place {
    const current = this.#current.get(lane)
    if (current !== undefined) {
      if (isSameConnection(current.access, access)) {
        current.access = access
        return current.place
      }
      this.retire(lane, current.place)
    }
    const place = connectingPlace(this.#origin, access, lane, this.#clock)
    this.#current.set(lane, { place, access })
    return place
  }

  /** Does nothing when `place` has been replaced already: many requests may run into their deadlines together. */
  retire(lane: Lane, place: Place): void {
    if (this.#current.get(lane)?.place !== place) return
    const { agent, spare, turns } = place
    spare?.close()
    turns?.close()
    this.#current.delete(lane)
    this.#retired.add(agent)
    const gone = (): void => void this.#retired.delete(agent)
    // It rejects only when close() below destroyed it first.
    agent.close().then(gone, gone)
  }

  async close(): Promise<void> {
    const places = [...this.#current.values()].map(({ place }) => place)
    this.#current.clear()
    for (const { spare } of places) spare?.close()
    await Promise.all([...this.#retired, ...places.map(({ agent }) => agent)].map((agent) => agent.destroy()))
  }
}

function isSameConnection(a: Access, b: Access): boolean {
  return a === b || (a.proxyUrl === b.proxyUrl && isDeepStrictEqual(a.tls, b.tls))
}

function connectingPlace(origin: string, { tls, proxyUrl }: Access, lane: Lane, clock: Pick<Clock, 'now'>): Place {
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
  const limited = connections === null ? {} : { turns: new Turns(connections) }
  if (proxyUrl !== undefined) return { ...limited, agent: proxyAgent(proxyUrl, common, connect) }
  // A pool and not an Agent: once told to close, an Agent forgets its pools, and destroy() no longer reaches them.
  const open = inTurns(buildConnector({ ...connect, allowH2: false }))
  if (lane !== 'lease') return { agent: new Pool(origin, { ...common, connect: open }) }
  const spare = new Spare(open, clock, () => pool.stats.connected === 0)
  const pool: Pool = new Pool(origin, { ...common, connect: spare.connect })
  pool.on('disconnect', () => spare.prepare())
  return { ...limited, agent: pool, spare }
}

function proxyAgent(
  uri: string,
  common: object,
  requestTls: NonNullable<ProxyAgent.Options['requestTls']>,
): ProxyAgent {
  if (!/^(https?|socks5?):$/.test(URL.parse(uri)?.protocol ?? '')) {
    throw new Error(`proxy-url ${JSON.stringify(uri)}: only http, https and socks5 proxies are supported`)
  }
  return new ProxyAgent({
    ...common,
    uri,
    requestTls,
    connectTimeout: CONNECT_TIMEOUT_MILLIS,
    // A proxy that never answers CONNECT: the request is gone by then, this frees its connection.
    clientFactory: (proxy, given) => new Pool(proxy, { ...given, headersTimeout: CONNECT_TIMEOUT_MILLIS }),
  })
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
 * Rejects with the signal's reason as soon as it aborts, whatever `promise` is doing: an exec plugin never notices.
 */
function unlessAborted<R>(promise: Promise<R>, signal: AbortSignal): Promise<R> {
  const { promise: result, resolve, reject } = Promise.withResolvers<R>()
  const onAbort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  return result
}

function flat(headers: Dispatcher.ResponseData['headers']): TransportResponse['headers'] {
  const one: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(headers)) one[name] = Array.isArray(value) ? value.join(', ') : value
  return one
}

async function* again(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* chunks
}
