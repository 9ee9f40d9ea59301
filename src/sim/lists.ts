import { apiVersionOf } from './resource-types.ts'
import type { ParsedRequest } from './requests.ts'
import { parseFieldSelector, parseLabelSelector, type Selects } from './selectors.ts'
import { badRequest, expired, StatusError } from './status-error.ts'
import type { Feed } from './store.ts'
import { isRecord, objectKey, type StoredObject } from './stored-object.ts'

/** Namespace and selectors of a list or watch. */
export function parseSelection(request: ParsedRequest): Selects {
  const { type, query } = request
  const byLabel = parseLabelSelector(query.get('labelSelector') ?? '')
  const byField = parseFieldSelector(type, query.get('fieldSelector') ?? '')
  return (object) => isWithin(request, object) && byLabel(object) && byField(object)
}

/**
 * One page of a list. Every page comes from the snapshot of the first: that is what the token carries. A full page has
 * a token if any object follows it, selected or not, so the last page of a selection may be empty.
 */
export function list(store: Feed, request: ParsedRequest): object {
  const { type, query } = request
  const selects = parseSelection(request)
  const limit = parseNumber(query.get('limit')) || Infinity
  const { rv, start } = query.get('continue')
    ? parseToken(store, request)
    : { rv: snapshotOf(store, request), start: '' }
  const ahead = store.list(type, rv).filter((object) => isWithin(request, object) && pageKey(request, object) >= start)
  const items: StoredObject[] = []
  let looked = 0
  for (const object of ahead) {
    if (items.length >= limit) break
    looked++
    if (selects(object)) items.push(object)
  }
  const remaining = ahead.length - looked
  const selective = query.get('labelSelector') || query.get('fieldSelector')
  return {
    kind: `${type.kind}List`,
    apiVersion: apiVersionOf(type),
    metadata: {
      resourceVersion: String(rv),
      ...(remaining === 0 ? {} : { continue: token(rv, `${pageKey(request, items.at(-1))}\0`) }),
      ...(remaining === 0 || selective ? {} : { remainingItemCount: remaining }),
    },
    items: type.custom ? items : items.map(({ kind: _kind, apiVersion: _apiVersion, ...item }) => item),
  }
}

function isWithin({ namespace }: ParsedRequest, object: StoredObject): boolean {
  return namespace === undefined || object.metadata.namespace === namespace
}

/** Any version that is asked for means "at least as new", so the present state will do. */
function snapshotOf(store: Feed, { query }: ParsedRequest): number {
  const wanted = parseVersion(query.get('resourceVersion'))
  if (wanted <= store.revision) return store.revision
  throw new StatusError(504, `Too large resource version: ${wanted}, current: ${store.revision}`, { reason: 'Timeout' })
}

export function parseVersion(parameter: string | null): number {
  if (/^\d*$/.test(parameter ?? '')) return Number(parameter ?? '')
  const why = `strconv.ParseUint: parsing ${JSON.stringify(parameter)}: invalid syntax`
  throw new StatusError(500, `resourceVersion: Invalid value: ${JSON.stringify(parameter)}: ${why}`)
}

export function parseNumber(parameter: string | null): number {
  if (/^\d*$/.test(parameter ?? '')) return Number(parameter ?? '')
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(parameter)}: invalid syntax`)
}

/** Where an object stands in the list: the part of its etcd key below what the request names. */
function pageKey(request: ParsedRequest, object: StoredObject | undefined): string {
  if (object === undefined) return ''
  const { namespace, name } = object.metadata
  return `/${objectKey(request.namespace === undefined ? namespace : undefined, name)}`
}

/** The server's own format, so that a test can make an old token on a real server as well. */
function token(rv: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv, start })).toString('base64url')
}

function parseToken(store: Feed, { query }: ParsedRequest): { rv: number; start: string } {
  if (parseVersion(query.get('resourceVersion')) > 0) {
    throw badRequest('specifying resource version is not allowed when using continue')
  }
  const { rv, start } = readToken(query.get('continue') ?? '')
  if (rv >= store.compacted) return { rv, start }
  // A token of version -1 goes on at the present state: complete only if nothing changed meanwhile.
  if (rv === -1) return { rv: store.revision, start }
  throw expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list ' +
      'without the continue parameter, or use the continue token in this response for an inconsistent rest.',
    { continue: token(-1, start) },
  )
}

function readToken(text: string): { rv: number; start: string } {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (isRecord(value) && typeof value['rv'] === 'number' && typeof value['start'] === 'string') {
      return { rv: value['rv'], start: value['start'] }
    }
  } catch (error) {
    throw badRequest(`invalid continue token: continue key is not valid: ${(error as Error).message}`)
  }
  throw badRequest('invalid continue token: continue key is not valid')
}
