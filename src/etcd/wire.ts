import { EtcdError } from './etcd-error.ts'

/*
 * What of etcd's v3 API is used here, as its JSON gateway writes it: 64-bit numbers are decimal strings, bytes are base64,
 * and a field that is zero, empty or false is left out.
 *
 * What stands before the gateway may answer with anything. A number that is none would be counted with, and a lease
 * without an ID would leave a key behind that no time ends: so whatever is used of an answer is looked at first.
 */
export type Fields = Readonly<Record<string, unknown>>

/** How much of an answer that is not etcd's goes into a message: proxies answer with whole HTML pages. */
export const QUOTED_CHARACTERS = 200

/** The fields of a message; none where there is no message. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : []
}

/** @throws EtcdError when it is no decimal number of 64 bits */
export function decimalOf(value: unknown, what: string): string {
  if (typeof value === 'string' && /^\d{1,19}$/.test(value)) return value
  throw new EtcdError(`etcd answered without ${what}`)
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export const toBase64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')
export const fromBase64 = (text = ''): string => Buffer.from(text, 'base64').toString('utf8')
