/**
 * What an operator may ask an API server to write (design §3), as far as one request shows it: used of the facts of a
 * simulation and of a real API server's audit log.
 */
import type { Asked } from './facts.ts'
import { groupOf } from './wire.ts'

/** All groups that there ever were, and what is theirs; each as `<namespace>/<name>`. */
export interface Estate {
  readonly groups: Set<string>
  /** Leases of those in mode Assign. */
  readonly leases: Set<string>
  /** Leases that those in mode Observe follow. */
  readonly followed: Set<string>
  /** Services that any of them has ever wished for. */
  readonly services: Set<string>
  /** Leases on which the operators elect. */
  readonly elections: Set<string>
}

export function emptyEstate(): Estate {
  return { groups: new Set(), leases: new Set(), followed: new Set(), services: new Set(), elections: new Set() }
}

interface GroupLike {
  readonly metadata?: { readonly name?: string }
  readonly spec?: {
    readonly leaseName?: string
    readonly mode?: string
    readonly services?: readonly { readonly name: string }[] | null
  }
}

/** A group as it was created or is now. */
export function addGroup(
  estate: Estate,
  namespace: string,
  { metadata: { name = '' } = {}, spec = {} }: GroupLike,
): void {
  estate.groups.add(`${namespace}/${name}`)
  const leases = spec.mode === 'Observe' ? estate.followed : estate.leases
  leases.add(`${namespace}/${spec.leaseName ?? name}`)
  for (const service of spec.services ?? []) estate.services.add(`${namespace}/${service.name}`)
}

export type Request = Pick<Asked, 'verb' | 'resource' | 'subresource' | 'namespace' | 'name' | 'body'>

interface Body {
  readonly metadata?: {
    readonly name?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly labels?: Readonly<Record<string, string | null>> | null
    readonly annotations?: Readonly<Record<string, string | null>> | null
    readonly ownerReferences?: readonly { readonly kind: string }[] | null
  }
  readonly spec?: { readonly holderIdentity?: string | null }
}

const WRITES: readonly string[] = ['create', 'update', 'patch', 'delete', 'deletecollection']

export function isWrite({ verb }: Pick<Request, 'verb'>): boolean {
  return WRITES.includes(verb)
}

/** Of a write. */
export function isPermitted(request: Request, estate: Estate): boolean {
  const { verb, resource, subresource, namespace = '' } = request
  const body: Body | undefined = request.body
  const name = request.name ?? body?.metadata?.name ?? ''
  const ref = `${namespace}/${name}`
  switch (subresource === undefined ? resource : `${resource}/${subresource}`) {
    case 'pods':
      return verb === 'patch' && isKeysOnly(body, namespace, estate)
    case 'leases':
      if (!['create', 'update', 'delete'].includes(verb)) return false
      if (estate.leases.has(ref) || (estate.elections.has(ref) && verb !== 'delete')) return true
      return estate.followed.has(ref) && verb === 'update' && isEmptying(body)
    case 'services':
      return ['create', 'patch', 'delete'].includes(verb) && estate.services.has(ref)
    case 'endpointslices':
      return ['create', 'update', 'delete'].includes(verb) && estate.services.has(`${namespace}/${serviceOf(name)}`)
    case 'leadergroups/status':
      return verb === 'update' || verb === 'patch'
    case 'events':
      return verb === 'create' || verb === 'patch'
    default:
      return false
  }
}

/** `<service>-leader-<family>`, `<service>-follower-<family>-<n>`. */
function serviceOf(slice: string): string | undefined {
  return /^(.+)-(?:leader-ipv[46]|follower-ipv[46]-\d{1,5})$/.exec(slice)?.[1]
}

/** What else of the Lease stays as it was is for its history to say: a request does not show what it replaces. */
function isEmptying({ metadata = {}, spec }: Body = {}): boolean {
  const { uid, resourceVersion, labels, annotations, ownerReferences } = metadata
  const keys = Object.keys({ ...labels, ...annotations })
  return (
    spec?.holderIdentity === '' &&
    typeof uid === 'string' &&
    typeof resourceVersion === 'string' &&
    !keys.some((key) => key.includes('leadergroup.io/')) &&
    !(ownerReferences ?? []).some(({ kind }) => kind === 'LeaderGroup')
  )
}

/** A merge patch can change nothing but what it has: the group's keys, on the very version of the pod that was read. */
function isKeysOnly({ metadata = {}, ...rest }: Body = {}, namespace: string, { groups }: Estate): boolean {
  const { uid, resourceVersion, labels, annotations, ...more } = metadata
  if (Object.keys(rest).length > 0 || Object.keys(more).length > 0) return false
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') return false
  const isOwn = (key: string): boolean => groups.has(`${namespace}/${groupOf(key)}`)
  const areLabels = Object.keys(labels ?? {}).every((key) => key.endsWith('/role') && isOwn(key))
  const areAnnotations = Object.keys(annotations ?? {}).every((key) => !key.endsWith('/role') && isOwn(key))
  return areLabels && areAnnotations
}
