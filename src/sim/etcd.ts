import { sleepUntil, type Clock } from '../clock.ts'
import { fromBase64, toBase64 } from '../etcd/wire.ts'
import type { Transport, TransportRequest, TransportResponse } from '../kube/transport.ts'
import { throwOnAbort } from '../lock/abort-of.ts'

/**
 * What happens to a request on its way: `hang` is never carried out, `mute` is carried out but never answered, `slow`
 * is carried out at once and answered after {@link SLOW_MILLIS}.
 */
export type EtcdFate = 'pass' | 'hang' | 'mute' | 'slow' | 'refuse'

export const SLOW_MILLIS = 300

interface KeyValue {
  readonly key: string
  readonly value?: string
  readonly mod_revision: string
  readonly lease?: string
}

interface Lease {
  readonly ttlMillis: number
  expiresAt: number
  cancel: () => void
}

interface Stored {
  readonly value: string
  readonly createRevision: number
  readonly modRevision: number
  readonly lease: string | undefined
}

interface Swap {
  readonly compare: readonly { readonly key: string; readonly mod_revision: string }[]
  readonly success: readonly { readonly request_put: { key: string; value: string; lease?: string } }[]
}

/** The part of etcd that a leaser uses, behind its JSON gateway, on virtual time. The real one is asked in `e2e/`. */
export class SimEtcd {
  readonly #clock: Clock
  readonly #keys = new Map<string, Stored>()
  readonly #leases = new Map<string, Lease>()
  readonly #watchers = new Set<Watcher>()
  #revision = 1
  #leaseCount = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  transport(fate: (request: TransportRequest) => EtcdFate = () => 'pass'): Transport {
    return {
      send: async (request) => {
        request.signal.throwIfAborted()
        const fated = fate(request)
        if (fated === 'refuse') throw new Error('connect ECONNREFUSED')
        const response = fated === 'hang' ? undefined : this.#answer(request)
        if (response && (fated === 'pass' || fated === 'slow')) {
          if (fated === 'slow') await sleepUntil(this.#clock, this.#clock.now() + SLOW_MILLIS, request.signal)
          return response
        }
        return throwOnAbort(request.signal)
      },
    }
  }

  // ---- by hand

  get(key: string): Stored | undefined {
    return this.#keys.get(key)
  }

  get leases(): readonly string[] {
    return [...this.#leases.keys()]
  }

  put(key: string, value: string, lease?: string): void {
    const modRevision = ++this.#revision
    const createRevision = this.#keys.get(key)?.createRevision ?? modRevision
    this.#keys.set(key, { value, createRevision, modRevision, lease })
    this.#tell(key, { kv: this.#show(key)! })
  }

  delete(key: string): void {
    if (!this.#keys.delete(key)) return
    this.#revision += 1
    this.#tell(key, { type: 'DELETE', kv: { key: toBase64(key), mod_revision: String(this.#revision) } })
  }

  /** A lease for a key that is put by hand. */
  grant(ttlSeconds: number): string {
    const lease = String(++this.#leaseCount)
    const granted: Lease = { ttlMillis: ttlSeconds * 1000, expiresAt: 0, cancel: () => undefined }
    this.#leases.set(lease, granted)
    this.#renew(lease, granted)
    return lease
  }

  /** Puts the store back to an empty one, as from a backup, behind the back of all watches. */
  putBack(): void {
    this.#keys.clear()
    this.#revision = 1
  }

  /** As a restart does it: every watch breaks off. */
  breakWatches(): void {
    for (const watcher of this.#watchers) watcher.break()
  }

  // ---- requests

  #answer({ path, body = '{}', signal }: TransportRequest): TransportResponse {
    const asked = JSON.parse(body) as never
    switch (path) {
      case '/v3/kv/range':
        return json(this.#range(asked))
      case '/v3/kv/txn':
        return this.#txn(asked)
      case '/v3/lease/grant': {
        const { TTL } = asked as { TTL: string }
        return json({ header: this.#header(), ID: this.grant(Number(TTL)), TTL })
      }
      case '/v3/lease/keepalive': {
        const { ID } = asked as { ID: string }
        const lease = this.#leases.get(ID)
        if (lease) this.#renew(ID, lease)
        const found = lease ? { TTL: String(lease.ttlMillis / 1000) } : {}
        return json({ result: { header: this.#header(), ID, ...found } })
      }
      case '/v3/lease/timetolive': {
        const { ID } = asked as { ID: string }
        const lease = this.#leases.get(ID)
        const left = lease ? Math.floor((lease.expiresAt - this.#clock.now()) / 1000) : -1
        return json({ header: this.#header(), ID, ...(left === 0 ? {} : { TTL: String(left) }) })
      }
      case '/v3/lease/revoke': {
        const { ID } = asked as { ID: string }
        if (!this.#leases.has(ID)) return LEASE_NOT_FOUND()
        this.#end(ID)
        return json({ header: this.#header() })
      }
      case '/v3/watch':
        return this.#watch(asked, signal)
      default:
        return json({ code: 5, message: 'Not Found' }, 404)
    }
  }

  #range({ key }: { key: string }): object {
    const found = this.#show(fromBase64(key))
    return { header: this.#header(), ...(found ? { kvs: [found], count: '1' } : {}) }
  }

  #txn({ compare, success }: Swap): TransportResponse {
    const [{ key, mod_revision }] = compare as [Swap['compare'][0]]
    const name = fromBase64(key)
    if (Number(mod_revision) !== (this.#keys.get(name)?.modRevision ?? 0)) {
      return json({ header: this.#header(), responses: [{ response_range: this.#range({ key }) }] })
    }
    const [{ request_put: put }] = success as [Swap['success'][0]]
    if (put.lease !== undefined && !this.#leases.has(put.lease)) return LEASE_NOT_FOUND()
    this.put(name, fromBase64(put.value), put.lease)
    return json({ header: this.#header(), succeeded: true, responses: [{ response_put: {} }] })
  }

  #watch(
    { create_request: { key, start_revision } }: { create_request: { key: string; start_revision: string } },
    signal: AbortSignal,
  ): TransportResponse {
    const watcher = new Watcher(fromBase64(key), signal, () => this.#watchers.delete(watcher))
    this.#watchers.add(watcher)
    watcher.push({ header: this.#header(), created: true })
    const now = this.#show(watcher.key)
    // History is not kept: whoever asks for the past is told the present.
    if (Number(start_revision) <= this.#revision) {
      const gone = { type: 'DELETE', kv: { key, mod_revision: String(this.#revision) } }
      watcher.push({ header: this.#header(), events: [now ? { kv: now } : gone] })
    }
    return { status: 200, headers: {}, body: watcher.body() }
  }

  // ---- state

  #header(): object {
    return { revision: String(this.#revision) }
  }

  #show(key: string): KeyValue | undefined {
    const stored = this.#keys.get(key)
    if (!stored) return undefined
    const { value, modRevision, lease } = stored
    const attached = lease === undefined ? {} : { lease }
    return { key: toBase64(key), value: toBase64(value), mod_revision: String(modRevision), ...attached }
  }

  #tell(key: string, event: object): void {
    for (const watcher of this.#watchers) {
      if (watcher.key === key) watcher.push({ header: this.#header(), events: [event] })
    }
  }

  #renew(id: string, lease: Lease): void {
    lease.cancel()
    lease.expiresAt = this.#clock.now() + lease.ttlMillis
    lease.cancel = this.#clock.timer(lease.expiresAt, () => this.#end(id))
  }

  #end(id: string): void {
    this.#leases.get(id)?.cancel()
    this.#leases.delete(id)
    for (const [key, { lease }] of this.#keys) if (lease === id) this.delete(key)
  }
}

/** One open watch: lines that are waiting to be read. */
class Watcher {
  readonly key: string
  readonly #signal: AbortSignal
  readonly #lines: string[] = []
  readonly #gone: () => void
  #isBroken = false
  #wake: () => void = () => undefined

  constructor(key: string, signal: AbortSignal, gone: () => void) {
    this.key = key
    this.#signal = signal
    this.#gone = gone
    signal.addEventListener('abort', () => this.break(), { once: true })
  }

  push(result: object): void {
    this.#lines.push(`${JSON.stringify({ result })}\n`)
    this.#wake()
  }

  break(): void {
    this.#isBroken = true
    this.#gone()
    this.#wake()
  }

  async *body(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      this.#signal.throwIfAborted()
      const line = this.#lines.shift()
      if (line !== undefined) yield Buffer.from(line)
      else if (this.#isBroken) throw new Error('terminated')
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

const LEASE_NOT_FOUND = (): TransportResponse =>
  json({ code: 5, message: 'etcdserver: requested lease not found' }, 404)

function json(value: object, status = 200): TransportResponse {
  // A stream ends its lines with newlines; JSON.parse does not mind one.
  return { status, headers: {}, body: oneChunk(`${JSON.stringify(value)}\n`) }
}

async function* oneChunk(text: string): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(text)
}
