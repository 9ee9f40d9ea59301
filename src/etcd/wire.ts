/**
 * What of etcd's v3 API is used here, as its JSON gateway writes it: 64-bit numbers are decimal strings, bytes are
 * base64, and a field that is zero, empty or false is left out.
 */
export interface Header {
  /** Of the whole store, after the request. */
  readonly revision?: string
}

export interface KeyValue {
  readonly key: string
  readonly value?: string
  readonly mod_revision: string
  readonly lease?: string
}

export interface RangeResponse {
  readonly header: Header
  readonly kvs?: readonly KeyValue[]
}

export interface TxnResponse {
  readonly header: Header
  readonly succeeded?: boolean
  readonly responses?: readonly { readonly response_range?: RangeResponse }[]
}

export interface LeaseResponse {
  readonly ID: string
  /** Seconds. Of a lease that does not exist: -1, or left out. */
  readonly TTL?: string
}

export interface WatchResponse {
  readonly header: Header
  readonly created?: boolean
  readonly canceled?: boolean
  readonly cancel_reason?: string
  /** Set when the revision to start at has been compacted. */
  readonly compact_revision?: string
  readonly events?: readonly { readonly type?: 'DELETE' | 'PUT'; readonly kv: KeyValue }[]
}

export const toBase64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')
export const fromBase64 = (text = ''): string => Buffer.from(text, 'base64').toString('utf8')
