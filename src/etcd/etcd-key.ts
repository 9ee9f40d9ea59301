import type { EtcdClient } from './etcd-client.ts'
import { EtcdError } from './etcd-error.ts'
import { decimalOf, fieldsOf, fromBase64, listOf, textOf, toBase64, type Fields } from './wire.ts'

/** The key, as one revision of the store shows it. */
export interface Found {
  readonly value: string
  /** Of the write that made it what it is. Decimal. */
  readonly modRevision: string
  /** The lease that it lives with; absent: it stays until somebody deletes it. */
  readonly lease?: string
}

/** What was seen, and in which revision of the store. */
export interface Sighting {
  readonly revision: bigint
  readonly found: Found | 'absent'
}

export type Swap =
  | { readonly kind: 'swapped'; readonly modRevision: string }
  /** Somebody else wrote first; nothing was written. */
  | { readonly kind: 'stale'; readonly sighting: Sighting }
  /** The lease that the key was to live with exists no more; nothing was written. */
  | { readonly kind: 'leaseGone' }

const LEASE_NOT_FOUND = 'requested lease not found'

/** One key of an etcd, and leases for it. What can be expected is a value; all else is thrown, and retried nowhere. */
export class EtcdKey {
  readonly name: string
  readonly #key: string
  readonly #client: EtcdClient

  constructor(client: EtcdClient, name: string) {
    this.#client = client
    this.name = name
    this.#key = toBase64(name)
  }

  /** Linearizable: never older than the moment of the call. */
  async read(signal: AbortSignal): Promise<Sighting> {
    return sighting(await this.#client.call('/v3/kv/range', { key: this.#key }, signal))
  }

  /** Writes `value` to live with `lease`, if the key is still `seen`. */
  async swap(seen: Found | 'absent', value: string, lease: string, signal: AbortSignal): Promise<Swap> {
    const key = this.#key
    const modRevision = seen === 'absent' ? '0' : seen.modRevision
    try {
      const response = await this.#client.call(
        '/v3/kv/txn',
        {
          compare: [{ key, target: 'MOD', result: 'EQUAL', mod_revision: modRevision }],
          success: [{ request_put: { key, value: toBase64(value), lease } }],
          failure: [{ request_range: { key } }],
        },
        signal,
      )
      const { succeeded, header, responses } = response
      if (succeeded === true) return { kind: 'swapped', modRevision: revisionOf(header) }
      const range = fieldsOf(listOf(responses)[0]?.['response_range'])
      return { kind: 'stale', sighting: sighting({ header, kvs: range['kvs'] }) }
    } catch (error) {
      if (isLeaseNotFound(error)) return { kind: 'leaseGone' }
      throw error
    }
  }

  /** A new lease. etcd may grant more time than asked for, never less. */
  async grant(ttlSeconds: number, signal: AbortSignal): Promise<{ lease: string; ttlMillis: number }> {
    const { ID, TTL } = await this.#client.call('/v3/lease/grant', { TTL: String(ttlSeconds) }, signal)
    const ttlMillis = millisLeft({ TTL })
    if (ttlMillis === 'gone') throw new EtcdError('etcd granted a lease without a time to live')
    return { lease: decimalOf(ID, 'the ID of a lease'), ttlMillis }
  }

  /** Starts the lease's time anew. Resolves to that time in milliseconds. */
  async keepAlive(lease: string, signal: AbortSignal): Promise<number | 'gone'> {
    return millisLeft(await this.#client.first('/v3/lease/keepalive', { ID: lease }, signal))
  }

  /** What is left of the lease, in milliseconds, rounded down to whole seconds. */
  async timeToLive(lease: string, signal: AbortSignal): Promise<number | 'gone'> {
    return millisLeft(await this.#client.call('/v3/lease/timetolive', { ID: lease }, signal))
  }

  /** Ends the lease, and with it the key if that lives with it. One that is gone already is as good. */
  async revoke(lease: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.call('/v3/lease/revoke', { ID: lease }, signal)
    } catch (error) {
      if (!isLeaseNotFound(error)) throw error
    }
  }

  /** Every change of the key from the revision `from` on. Ends by an error; when `signal` aborts, by its reason. */
  async *watch(from: bigint, signal: AbortSignal): AsyncGenerator<Sighting, void, void> {
    const request = { create_request: { key: this.#key, start_revision: String(from) } }
    for await (const response of this.#client.stream('/v3/watch', request, signal)) {
      if (response['canceled'] === true)
        throw new EtcdError(`etcd ended the watch of ${this.name}: ${reasonOf(response)}`)
      for (const { type, kv } of listOf(response['events'])) {
        const found = toFound(fieldsOf(kv))
        yield { revision: BigInt(found.modRevision), found: type === 'DELETE' ? 'absent' : found }
      }
    }
    throw new EtcdError(`etcd ended the watch of ${this.name}`)
  }
}

function sighting({ header, kvs }: Fields): Sighting {
  const [kv] = listOf(kvs)
  return { revision: BigInt(revisionOf(header)), found: kv ? toFound(kv) : 'absent' }
}

function revisionOf(header: unknown): string {
  return decimalOf(fieldsOf(header)['revision'], 'a revision')
}

function toFound({ value, mod_revision, lease }: Fields): Found {
  return {
    value: fromBase64(textOf(value)),
    modRevision: decimalOf(mod_revision, 'the revision of a key'),
    ...(lease === undefined ? {} : { lease: decimalOf(lease, 'the lease of a key') }),
  }
}

/** Of a lease that does not exist the time is -1, or left out. */
function millisLeft({ TTL }: Fields): number | 'gone' {
  if (TTL === undefined || TTL === '-1') return 'gone'
  const seconds = Number(decimalOf(TTL, 'a time to live'))
  return seconds > 0 ? seconds * 1000 : 'gone'
}

function reasonOf({ cancel_reason, compact_revision }: Fields): string {
  const revision = textOf(compact_revision)
  if (revision !== undefined) return `the store is compacted up to revision ${revision}`
  return textOf(cancel_reason) ?? 'no reason given'
}

function isLeaseNotFound(error: unknown): boolean {
  return error instanceof EtcdError && (error.said?.includes(LEASE_NOT_FOUND) ?? false)
}
