import { isIPv6 } from 'node:net'
import type { BindAddress } from '../operator/http.ts'

/**
 * `:8081`, `127.0.0.1:8081`, `[::1]:8081`, as Go's flags take them; `0` or nothing: do not listen.
 * Undefined when it is no address.
 */
export function parseBindAddress(text: string): BindAddress | 'off' | undefined {
  if (text === '' || text === '0') return 'off'
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text)
  if (!match) return undefined
  const [, bracketed, plain, digits] = match
  const port = Number(digits)
  if (port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed))) return undefined
  return { host: bracketed ?? (plain === '' ? undefined : plain), port }
}
