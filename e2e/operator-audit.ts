/** The API server's audit log as a witness of all that the operator's service account asked for. */
import assert from 'node:assert/strict'
import { open, stat } from 'node:fs/promises'
import type { Verb } from '../src/sim/invariants/facts.ts'
import { addGroup, emptyEstate, type Estate, isPermitted, isWrite } from '../src/sim/invariants/permitted.ts'
import { controlPlane } from './controlplane/shared.ts'
import { OPERATOR_NAMESPACE, OPERATOR_USER } from './operator-process.ts'

interface AuditEvent {
  readonly verb: Verb
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

/** Refused before its body was read: nothing is known of it, and nothing came of it. */
function isUnread({ responseStatus, requestObject, verb }: AuditEvent): boolean {
  return responseStatus?.code === 403 && requestObject === undefined && verb !== 'delete'
}

/** Nobody may create anything in a namespace that is being deleted; no role would help. */
function isEnding({ message }: NonNullable<AuditEvent['responseStatus']>): boolean {
  return message?.includes('because it is being terminated') ?? false
}

/** Of all that there ever were. */
function groupsOf(events: readonly AuditEvent[]): Estate {
  const estate = emptyEstate()
  estate.elections.add(ELECTION_LEASE)
  for (const { verb, objectRef, requestObject, responseStatus } of events) {
    // What was refused is no wish, and may have any shape.
    if (objectRef?.resource !== 'leadergroups' || (responseStatus?.code ?? 200) >= 300) continue
    for (const { name } of requestObject?.spec?.services ?? []) estate.services.add(`${objectRef.namespace}/${name}`)
    // `kubectl apply` of something new is a create as well.
    if (verb === 'create') addGroup(estate, objectRef.namespace ?? '', requestObject ?? {})
  }
  return estate
}

/** In the API groups that the judge takes for granted. */
const API_GROUPS: Readonly<Record<string, string>> = {
  pods: '',
  services: '',
  leases: 'coordination.k8s.io',
  endpointslices: 'discovery.k8s.io',
  leadergroups: 'leadergroup.io',
  events: 'events.k8s.io',
}

function isAllowed({ verb, objectRef, requestObject }: AuditEvent, groups: Estate): boolean {
  const { apiGroup = '', resource, ...target } = objectRef ?? { resource: '' }
  if (API_GROUPS[resource] !== apiGroup) return false
  return isPermitted({ verb, resource, ...target, ...(requestObject ? { body: requestObject } : {}) }, groups)
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
