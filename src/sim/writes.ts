import { same } from '../group/same.ts'
import { invalidValue, type Cause } from './cause.ts'
import type { Defaulting } from './defaults.ts'
import { apiVersionOf, type ResourceType } from './resource-types.ts'
import { badRequest, conflict, invalid, StatusError } from './status-error.ts'
import { isRecord, type Incoming, type StoredMeta, type StoredObject } from './stored-object.ts'

/**
 * What a create or update makes of the object that a client sent: pure. The order of the checks is the server's own,
 * because it decides which answer a request with two faults gets: a stale version hides a wrong UID.
 */

export interface Target {
  readonly type: ResourceType
  readonly namespace: string | undefined
  readonly name: string
  readonly subresource: 'status' | undefined
}

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const LONGEST_NAME = 253

/** Reads a body as the type: 400 for what can't be it. Unknown fields and, in built-in types, nulls are dropped. */
export function decode(type: ResourceType, body: unknown): Incoming {
  if (!isRecord(body)) throw badRequest(`the object provided is unrecognized (must be of type ${type.kind})`)
  const { apiVersion = type.custom ? undefined : apiVersionOf(type), kind = type.custom ? undefined : type.kind } = body
  if (kind === undefined) throw badRequest(`the object provided is unrecognized (must be of type ${type.kind})`)
  if (apiVersion !== apiVersionOf(type)) {
    const expected = `does not match the expected API version (${apiVersionOf(type)})`
    throw badRequest(`the API version in the data (${JSON.stringify(apiVersion)}) ${expected}`)
  }
  if (kind !== type.kind) throw badRequest(`${JSON.stringify(kind)} cannot be handled as a ${type.kind}`)
  if (body['metadata'] !== undefined && !isRecord(body['metadata'])) throw badRequest('metadata must be an object')
  const fault = type.decode?.(body)
  if (fault !== undefined) {
    throw badRequest(`${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${fault}`)
  }
  const known = pick(body, type.fields)
  if (type.specFields !== undefined && isRecord(known['spec'])) known['spec'] = pick(known['spec'], type.specFields)
  const content = type.custom ? known : (withoutNulls(known) as Incoming)
  return { ...content, metadata: decodeMeta(body['metadata'] ?? {}) }
}

function pick(record: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {}
  for (const field of fields) if (field in record) picked[field] = record[field]
  return picked
}

/** In Go a null in a map of strings is the empty string, while a null field is an absent one. */
function decodeMeta(metadata: Record<string, unknown>): unknown {
  let filled = metadata
  for (const field of STRING_MAPS) {
    const value = metadata[field]
    if (isRecord(value) && hasNulls(value)) filled = { ...filled, [field]: mapValues(value, (inner) => inner ?? '') }
  }
  return withoutNulls(filled)
}

const STRING_MAPS = ['labels', 'annotations']

function mapValues(map: object, change: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]))
}

function hasNulls(map: object): boolean {
  return Object.values(map).some((value) => value === null || value === undefined)
}

/** The value itself where it has none: what does not change is shared with the version before. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items = value.map(withoutNulls)
    return items.every((item, index) => item === value[index]) ? value : items
  }
  const kept: Record<string, unknown> = {}
  let isWhole = true
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    const whole = inner ?? undefined
    if (whole === undefined) isWhole = false
    else if ((kept[key] = withoutNulls(whole)) !== inner) isWhole = false
  }
  return isWhole ? value : kept
}

export function checkNamespace(incoming: Incoming, namespace: string | undefined): void {
  const given = metaOf(incoming).namespace
  if (given === undefined || given === '' || given === namespace) return
  throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

/** An object sent to a name has to bear it. */
export function checkName(incoming: Incoming, name: string): void {
  const given = metaOf(incoming).name
  if (given === name) return
  if (given) throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`)
  throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
}

/**
 * The object that a create stores, but for its resourceVersion. `uid` and time are the server's, whatever was sent.
 * By PUT, a mark of deletion that was sent stays: the object is born with it.
 */
export function created(
  { type, namespace }: Pick<Target, 'type' | 'namespace'>,
  incoming: Incoming,
  by: { uid: string; now: string; sequence: number; put: boolean },
): StoredObject {
  const { name = '', labels, annotations, ownerReferences, finalizers, ...sent } = metaOf(incoming)
  const { deletionTimestamp, deletionGracePeriodSeconds } = sent
  const metadata = withoutEmpty({
    name,
    namespace: namespace ?? '',
    uid: by.uid,
    ...(type.generationCounts === undefined ? {} : { generation: 1 }),
    creationTimestamp: by.now,
    ...(by.put ? { deletionTimestamp, deletionGracePeriodSeconds } : {}),
    labels,
    annotations,
    ownerReferences,
    finalizers,
  })
  const { status: _status, ...content } = incoming
  const object = complete(type, type.status === 'none' ? incoming : content, metadata, { sequence: by.sequence })
  const causes = [...nameCauses(name), ...(type.validate?.(object) ?? [])]
  if (causes.length > 0) throw invalid(type, name, causes)
  return object
}

function nameCauses(name: string): Cause[] {
  if (name === '') {
    const message = 'Required value: name or generateName is required'
    return [{ reason: 'FieldValueRequired', message, field: 'metadata.name' }]
  }
  if (NAME.test(name) && name.length <= LONGEST_NAME) return []
  return [
    invalidValue('metadata.name', name, 'a lowercase RFC 1123 subdomain must consist of lower case alphanumerics'),
  ]
}

/** 409 when the object sent was made from another version than the one stored. */
export function checkVersion({ type, name }: Target, incoming: Incoming, stored: StoredObject): void {
  const version = metaOf(incoming).resourceVersion ?? ''
  if (!/^\d*$/.test(version)) {
    throw new StatusError(500, `strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`)
  }
  if (version === '' || version === '0') {
    if (type.unconditionalUpdate) return
    const cause = invalidValue('metadata.resourceVersion', 0, 'must be specified for an update')
    throw invalid(type, name, [cause], 'plural')
  }
  if (version === stored.metadata.resourceVersion) return
  const why = 'the object has been modified; please apply your changes to the latest version and try again'
  throw conflict(type, 'plural', name, why)
}

/** A PUT that names a UID is for that object only: 409, whatever version it names, and if nothing is there. */
export function checkUid(
  { type, namespace, name }: Target,
  incoming: Incoming,
  stored: StoredObject | undefined,
): void {
  const wanted = metaOf(incoming).uid
  const found = stored?.metadata.uid ?? ''
  if (wanted === undefined || wanted === '' || wanted === found) return
  const key = `/registry/${type.custom ? `${type.group}/` : ''}${type.plural}/${namespace ?? ''}/${name}`
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${found}`
  const error = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`
  throw conflict(type, 'plural', name, error)
}

/** The object that an update stores; `stored` itself when nothing changes. */
export function updated(target: Target, incoming: Incoming, stored: StoredObject, sequence: number): StoredObject {
  const { type, subresource } = target
  if (subresource === 'status' && type.status === 'isolated') {
    const { status: _status, ...rest } = stored
    const written = 'status' in incoming ? { ...rest, status: incoming['status'] } : rest
    return sameOr(stored, complete(type, written, stored.metadata, { before: stored, sequence }))
  }
  const next = complete(type, contentOf(target, incoming, stored), updatedMeta(target, incoming, stored), {
    before: stored,
    sequence,
  })
  const causes = [...metaCauses(metaOf(incoming), stored.metadata), ...(type.validate?.(next, stored) ?? [])]
  if (causes.length > 0) throw invalid(type, target.name, causes)
  return sameOr(stored, raiseGeneration(type, stored, next))
}

/** Each of the two endpoints writes its own half: the main resource ignores status, the subresource all but status. */
function contentOf({ type, subresource }: Target, incoming: Incoming, stored: StoredObject): Incoming {
  if (subresource === 'status') return { ...stored, status: incoming['status'] ?? {} }
  if (type.status === 'none') return incoming
  const { status: _status, ...content } = incoming
  return 'status' in stored ? { ...content, status: stored['status'] } : content
}

function updatedMeta({ subresource }: Target, incoming: Incoming, stored: StoredObject): StoredMeta {
  const { labels, annotations, ownerReferences, finalizers } = metaOf(incoming)
  const owners = subresource === 'status' ? stored.metadata.ownerReferences : ownerReferences
  return withoutEmpty({ ...stored.metadata, labels, annotations, ownerReferences: owners, finalizers })
}

const IMMUTABLE = ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const

function metaCauses(given: Partial<StoredMeta>, stored: StoredMeta): Cause[] {
  const causes = IMMUTABLE.filter((field) => isSet(given[field]) && given[field] !== stored[field]).map((field) =>
    invalidValue(`metadata.${field}`, given[field], 'field is immutable'),
  )
  const added = (given.finalizers ?? []).filter((finalizer) => !stored.finalizers?.includes(finalizer))
  if (stored.deletionTimestamp === undefined || added.length === 0) return causes
  const found = `found new finalizers []string{${added.map((finalizer) => JSON.stringify(finalizer)).join(', ')}}`
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, ${found}`
  return [...causes, { reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' }]
}

const isSet = (value: unknown): boolean => value !== undefined && value !== ''

function complete(type: ResourceType, content: Incoming, metadata: StoredMeta, defaulting: Defaulting): StoredObject {
  const { metadata: _metadata, apiVersion: _apiVersion, kind: _kind, ...fields } = content
  const filled = type.defaults?.(fields, defaulting) ?? fields
  return { kind: type.kind, apiVersion: apiVersionOf(type), metadata, ...filled }
}

function raiseGeneration(type: ResourceType, stored: StoredObject, next: StoredObject): StoredObject {
  const counts = type.generationCounts
  if (counts === undefined || same(counts(stored), counts(next))) return next
  return { ...next, metadata: { ...next.metadata, generation: (stored.metadata.generation ?? 0) + 1 } }
}

function sameOr(stored: StoredObject, next: StoredObject): StoredObject {
  return same(stored, next) ? stored : next
}

/** Empty labels, finalizers and the like are absent, as in the server's answers. */
function withoutEmpty(metadata: Record<string, unknown>): StoredMeta {
  const kept: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(metadata)) {
    const isEmpty = typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : value === ''
    if (value !== undefined && !isEmpty) kept[field] = value
  }
  return kept as unknown as StoredMeta
}

/** What a client sent is only known to be an object: the fields are as good as what it says. */
function metaOf(incoming: Incoming): Partial<StoredMeta> {
  return incoming['metadata'] ?? {}
}
