/** The API server's audit log as a witness of all that the operator's service account asked for. */
import assert from 'node:assert/strict'
import { open, stat } from 'node:fs/promises'
import { groupOfKey } from '../src/group/keys.ts'
import { serviceOfSliceName } from '../src/group/routing/slice-name.ts'
import { controlPlane } from './controlplane/shared.ts'
import { OPERATOR_NAMESPACE, OPERATOR_USER } from './operator-process.ts'

interface AuditEvent {
  readonly verb: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
  readonly responseStatus?: { readonly code?: number; readonly message?: string }
  readonly requestURI: string
  readonly requestObject?: Body
  readonly responseObject?: Body
}

interface Body {
  readonly metadata?: {
    readonly name?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly deletionGracePeriodSeconds?: number
    readonly finalizers?: readonly string[]
    readonly ownerReferences?: readonly { readonly kind: string }[] | null
    readonly labels?: Readonly<Record<string, string | null>>
    readonly annotations?: Readonly<Record<string, string | null>>
  }
  readonly spec?: {
    readonly leaseName?: string
    readonly mode?: string
    readonly services?: readonly { readonly name: string }[] | null
    readonly holderIdentity?: string | null
  }
}

/** A witness of what is asked for from now on. */
export async function openAudit(): Promise<Audit> {
  const { auditLogPath } = await controlPlane()
  assert.ok(auditLogPath, 'the control plane keeps no audit log')
  return new Audit(auditLogPath, (await stat(auditLogPath)).size)
}

const ELECTION_LEASE = `${OPERATOR_NAMESPACE}/leadergroup-operator`
const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection']

/** All but the number of writes in words. */
export interface Findings {
  readonly writes: number
  readonly forbidden: readonly string[]
  /** What design §3 does not name. */
  readonly beyond: readonly string[]
  /** They ended a pod. */
  readonly fatal: readonly string[]
}

export class Audit {
  readonly #path: string
  readonly #from: number

  constructor(path: string, from: number) {
    this.#path = path
    this.#from = from
  }

  /** Of the operator, in order. */
  async requests(): Promise<readonly AuditEvent[]> {
    return (await this.#events()).filter(isOwn)
  }

  /** Successful or not. */
  async writes(): Promise<readonly AuditEvent[]> {
    return (await this.requests()).filter(isWrite)
  }

  /** I12: nothing was forbidden, and nothing was written that design §3 does not name. Resolves to how many writes. */
  async check(): Promise<number> {
    const { writes, forbidden, beyond, fatal } = await this.findings()
    assert.deepEqual(forbidden, [], 'the shipped RBAC is not enough')
    assert.deepEqual(beyond, [], 'the operator wrote what it should not')
    assert.deepEqual(fatal, [], 'the operator ended a pod by writing to it')
    return writes
  }

  async findings(): Promise<Findings> {
    const events = await this.#events()
    const groups = groupsOf(events)
    const own = events.filter(isOwn)
    const forbidden = own.filter(({ responseStatus }) => responseStatus?.code === 403 && !isEnding(responseStatus))
    const writes = own.filter(isWrite)
    return {
      writes: writes.length,
      forbidden: forbidden.map(describe),
      beyond: writes.filter((event) => !isUnread(event) && !isAllowed(event, groups)).map(describe),
      fatal: writes.filter(endsPod).map(describe),
    }
  }

  /** From the beginning, for the groups that there ever were; `isNew`: after this witness was called. */
  async #events(): Promise<readonly Seen[]> {
    const file = await open(this.#path)
    const events: Seen[] = []
    let end = 0
    for await (const line of file.readLines()) {
      end += Buffer.byteLength(line) + 1
      // The API server may be in the middle of writing the last line. Most lines are of no interest, and parsing is dear.
      if (!line.endsWith('}') || !MENTIONED.some((text) => line.includes(text))) continue
      events.push({ ...(JSON.parse(line) as AuditEvent), isNew: end > this.#from })
    }
    return events
  }
}

const MENTIONED = [JSON.stringify(OPERATOR_USER), '"resource":"leadergroups"']

interface Seen extends AuditEvent {
  readonly isNew: boolean
}

function isOwn({ user, isNew }: Seen): boolean {
  return isNew && user.username === OPERATOR_USER
}

function isWrite({ verb }: AuditEvent): boolean {
  return WRITES.includes(verb)
}

/** Refused before its body was read: nothing is known of it, and nothing came of it. */
function isUnread({ responseStatus, requestObject, verb }: AuditEvent): boolean {
  return responseStatus?.code === 403 && requestObject === undefined && verb !== 'delete'
}

/** Nobody may create anything in a namespace that is being deleted; no role would help. */
function isEnding({ message }: NonNullable<AuditEvent['responseStatus']>): boolean {
  return message?.includes('because it is being terminated') ?? false
}

interface Groups {
  /** `<namespace>/<name>` of every group that there ever was. */
  readonly names: ReadonlySet<string>
  /** Of the Leases of those in mode Assign. */
  readonly leases: ReadonlySet<string>
  /** Of the Leases that those in mode Observe follow. */
  readonly followed: ReadonlySet<string>
  /** Of the Services that any of them has ever wished for. */
  readonly services: ReadonlySet<string>
}

function groupsOf(events: readonly AuditEvent[]): Groups {
  const names = new Set<string>()
  const leases = new Set<string>()
  const followed = new Set<string>()
  const services = new Set<string>()
  for (const { verb, objectRef, requestObject, responseStatus } of events) {
    // What was refused is no wish, and may have any shape.
    if (objectRef?.resource !== 'leadergroups' || (responseStatus?.code ?? 200) >= 300) continue
    for (const service of requestObject?.spec?.services ?? []) services.add(`${objectRef.namespace}/${service.name}`)
    // `kubectl apply` of something new is a create as well.
    if (verb !== 'create') continue
    const name = requestObject?.metadata?.name
    names.add(`${objectRef.namespace}/${name}`)
    const isFollowed = requestObject?.spec?.mode === 'Observe'
    const its = isFollowed ? followed : leases
    its.add(`${objectRef.namespace}/${requestObject?.spec?.leaseName ?? name}`)
  }
  return { names, leases, followed, services }
}

function isAllowed(event: AuditEvent, groups: Groups): boolean {
  const { verb, objectRef, requestObject } = event
  const { apiGroup = '', resource, subresource, namespace = '', name } = objectRef ?? { resource: '' }
  switch ([apiGroup, resource, ...(subresource === undefined ? [] : [subresource])].join('/')) {
    case '/pods':
      return verb === 'patch' && isKeysOnly(requestObject, namespace, groups)
    case 'coordination.k8s.io/leases': {
      if (!['create', 'update', 'delete'].includes(verb)) return false
      const lease = `${namespace}/${name ?? requestObject?.metadata?.name}`
      if (groups.leases.has(lease) || (lease === ELECTION_LEASE && verb !== 'delete')) return true
      return groups.followed.has(lease) && verb === 'update' && isEmptying(requestObject)
    }
    case '/services': {
      const service = `${namespace}/${name ?? requestObject?.metadata?.name}`
      return ['create', 'patch', 'delete'].includes(verb) && groups.services.has(service)
    }
    case 'discovery.k8s.io/endpointslices': {
      const service = serviceOfSliceName(name ?? requestObject?.metadata?.name ?? '')
      return ['create', 'update', 'delete'].includes(verb) && groups.services.has(`${namespace}/${service}`)
    }
    case 'leadergroup.io/leadergroups/status':
      return verb === 'update' || verb === 'patch'
    case 'events.k8s.io/events':
      return verb === 'create' || verb === 'patch'
    default:
      return false
  }
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
function isKeysOnly(patch: Body | undefined, namespace: string, groups: Groups): boolean {
  const { metadata = {}, ...rest } = patch ?? {}
  const { uid, resourceVersion, labels = {}, annotations = {}, ...more } = metadata
  if (Object.keys(rest).length > 0 || Object.keys(more).length > 0) return false
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') return false
  const isOwnKey = (key: string): boolean => groups.names.has(`${namespace}/${groupOfKey(key)}`)
  const areLabels = Object.keys(labels).every((key) => key.endsWith('/role') && isOwnKey(key))
  const areAnnotations = Object.keys(annotations).every((key) => !key.endsWith('/role') && isOwnKey(key))
  return areLabels && areAnnotations
}

/** A write to a pod that was deleted by force completes its deletion, and may hit the next pod of its name. */
function endsPod({ objectRef, responseObject }: AuditEvent): boolean {
  const { deletionGracePeriodSeconds, finalizers = [] } = responseObject?.metadata ?? {}
  return objectRef?.resource === 'pods' && deletionGracePeriodSeconds === 0 && finalizers.length === 0
}

function describe({ verb, requestURI, responseStatus, requestObject }: AuditEvent): string {
  const answer = `${responseStatus?.code ?? ''} ${responseStatus?.message ?? ''}`.trim()
  return `${verb} ${requestURI} → ${answer}: ${JSON.stringify(requestObject ?? {}).slice(0, 400)}`
}
