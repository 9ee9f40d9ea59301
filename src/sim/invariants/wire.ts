/**
 * What the store's objects say of groups, read apart from the product's own code: a fault there must not hide itself from
 * its judge. The names are those that design.md promises to users.
 */
import type { KubeObject, Lease, OwnerReference } from '../../kube/objects.ts'

const SUFFIX = '.leadergroup.io/'
export const MODE_KEY = 'leadergroup.io/mode'
export const MARK_KEY = 'leadergroup.io/gate'
const INT32_MOST = 2 ** 31 - 1
const TERM_MOST = 2 ** 53 - 2

/** A pod by name and UID. */
export interface PodName {
  readonly name: string
  readonly uid: string
}

/** What a pod bears for one group. */
export interface Keys {
  readonly role: string | undefined
  readonly term: string | undefined
  readonly sealed: string | undefined
}

export interface Mark {
  readonly holder: PodName | undefined
  readonly gateUID: string | undefined
  readonly term: number
}

export function keysOf({ metadata }: KubeObject, group: string): Keys {
  return {
    role: metadata.labels?.[`${group}${SUFFIX}role`],
    term: metadata.annotations?.[`${group}${SUFFIX}term`],
    sealed: metadata.annotations?.[`${group}${SUFFIX}sealed`],
  }
}

/** Adds the names of the groups whose keys the object bears. */
export function addGroupsOn(object: KubeObject | undefined, groups: Set<string>): void {
  for (const map of [object?.metadata.labels, object?.metadata.annotations]) {
    for (const key in map) {
      const at = key.indexOf(SUFFIX)
      if (at > 0 && isKey(key.slice(at + SUFFIX.length))) groups.add(key.slice(0, at))
    }
  }
}

function isKey(name: string): boolean {
  return name === 'role' || name === 'term' || name === 'sealed'
}

/** The group that a key is of; undefined: no group's. */
export function groupOf(key: string): string | undefined {
  const at = key.indexOf(SUFFIX)
  return at > 0 && isKey(key.slice(at + SUFFIX.length)) ? key.slice(0, at) : undefined
}

export function readTerm(text: string | undefined): number | undefined {
  const term = Number(text)
  return text !== undefined && String(term) === text && Number.isInteger(term) && term >= 0 && term <= TERM_MOST
    ? term
    : undefined
}

/** `<gate UID>/<term>` */
export function readStamp(text: string | undefined): { readonly gateUID: string; readonly term: number } | undefined {
  const [gateUID, digits, ...more] = text?.split('/') ?? []
  const term = readTerm(digits)
  return gateUID && term !== undefined && more.length === 0 ? { gateUID, term } : undefined
}

/** `<name>_<UID> or -/<gate UID or ->/<term>` */
export function readMark(text: string | undefined): Mark | undefined {
  const [identity = '', gateUID = '', digits, ...more] = text?.split('/') ?? []
  const term = readTerm(digits)
  if (term === undefined || gateUID === '' || more.length > 0) return undefined
  const [name, uid, ...rest] = identity.split('_')
  const holder = name && uid && rest.length === 0 ? { name, uid } : undefined
  if (!holder && identity !== '-') return undefined
  return { holder, gateUID: gateUID === '-' ? undefined : gateUID, term }
}

/** What leaseTransitions says of a term, which is larger than it may be. */
export function transitionsFor(term: number): number {
  return Math.min(term, INT32_MOST)
}

export function identityOf({ name, uid }: PodName): string {
  return `${name}_${uid}`
}

/** The LeaderGroup that owns the object. */
export function ownerOf({ metadata }: KubeObject): OwnerReference | undefined {
  const { ownerReferences } = metadata
  return ownerReferences?.find(
    ({ kind, apiVersion }) => kind === 'LeaderGroup' && apiVersion.startsWith('leadergroup.io/'),
  )
}

/** The group's name that a Lease of mode Assign is for. */
export function isAssigned(lease: Lease): boolean {
  return lease.metadata.annotations?.[MODE_KEY] === 'Assign'
}

/** `<namespace>/<name>` */
export function refOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

export function sameHolder(a: PodName | undefined, b: PodName | undefined): boolean {
  return a?.uid === b?.uid && a?.name === b?.name
}
