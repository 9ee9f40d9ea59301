export type AddressFamily = 'IPv4' | 'IPv6'

export const ADDRESS_FAMILIES: readonly AddressFamily[] = ['IPv4', 'IPv6']

/**
 * The family of an address that may stand in an EndpointSlice; undefined for what is no address and for the addresses
 * that the API server refuses there (unspecified, loopback, link-local): one of them would fail the write of the whole
 * slice, and with it the routing of every other pod in it.
 */
export function addressFamily(text: string): AddressFamily | undefined {
  const octets = parseIPv4(text)
  if (octets) return isSpecialIPv4(octets) ? undefined : 'IPv4'
  const groups = parseIPv6(text)
  return groups && !isSpecialIPv6(groups) ? 'IPv6' : undefined
}

function parseIPv4(text: string): readonly number[] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  // Leading zeros are octal to some readers and decimal to others; the API server refuses them.
  if (!match || /(^|\.)0\d/.test(text)) return undefined
  const octets = match.slice(1).map(Number)
  return octets.every((octet) => octet <= 255) ? octets : undefined
}

function isSpecialIPv4([a, b, c, d]: readonly number[]): boolean {
  const unspecified = a === 0 && b === 0 && c === 0 && d === 0
  const linkLocal = (a === 169 && b === 254) || (a === 224 && b === 0 && c === 0)
  return unspecified || a === 127 || linkLocal
}

/** Eight numbers, or undefined. IPv4 written as IPv6 (`::ffff:10.0.0.1`) is undefined too: it is of no one family. */
function parseIPv6(text: string): readonly number[] | undefined {
  const halves = text.split('::')
  if (!text.includes(':') || halves.length > 2) return undefined
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const written = [...head!, ...(tail ?? [])]
  if (!written.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  const missing = 8 - written.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...head!, ...Array<string>(missing).fill('0'), ...(tail ?? [])].map((group) => parseInt(group, 16))
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  return mapped ? undefined : groups
}

function isSpecialIPv6(groups: readonly number[]): boolean {
  const [first = 0] = groups
  const nearZero = groups.slice(0, 7).every((group) => group === 0) && groups[7]! <= 1
  const linkLocalUnicast = (first & 0xffc0) === 0xfe80
  const linkLocalMulticast = (first & 0xff0f) === 0xff02
  return nearZero || linkLocalUnicast || linkLocalMulticast
}
