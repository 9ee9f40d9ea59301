import { ADDRESS_FAMILIES, type AddressFamily } from './address.ts'

/**
 * Names of slices: `<service>-leader-<family>`, and `<service>-follower-<family>-<n>` with the chunk's number.
 *
 * They do not depend on pods or ports, so a change of leader is one PUT of the slice that is there, and of two operators
 * that would create it one gets a conflict. A Service's name has at most 63 characters, so a name has at most 90.
 */
export type SliceName =
  | { readonly role: 'leader'; readonly family: AddressFamily }
  | { readonly role: 'follower'; readonly family: AddressFamily; readonly index: number }

export function formatSliceName(service: string, name: SliceName): string {
  const family = name.family.toLowerCase()
  return name.role === 'leader' ? `${service}-leader-${family}` : `${service}-follower-${family}-${name.index}`
}

/** What a slice of this Service is, by its name; undefined when the name is not one that this program gives. */
export function parseSliceName(service: string, name: string): SliceName | undefined {
  if (!name.startsWith(`${service}-`)) return undefined
  const match = /^(?:leader-(ipv[46])|follower-(ipv[46])-(0|[1-9]\d{0,4}))$/.exec(name.slice(service.length + 1))
  if (!match) return undefined
  const [, leader, follower, index] = match
  const family = ADDRESS_FAMILIES.find((each) => each.toLowerCase() === (leader ?? follower))!
  return leader === undefined ? { role: 'follower', family, index: Number(index) } : { role: 'leader', family }
}

/** Whether a slice of this program is a leader's, whatever its Service is. */
export function isLeaderSliceName(name: string): boolean {
  return /-leader-ipv[46]$/.test(name)
}

/** The Service whose slice bears such a name; undefined when the name is not one that this program gives. */
export function serviceOfSliceName(name: string): string | undefined {
  return /^(.+)-(?:leader-ipv[46]|follower-ipv[46]-(?:0|[1-9]\d{0,4}))$/.exec(name)?.[1]
}
