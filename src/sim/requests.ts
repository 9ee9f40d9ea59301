import type { TransportRequest } from '../kube/transport.ts'
import { decoded } from './decoded.ts'
import { findResourceType, type ResourceType } from './resource-types.ts'
import { badRequest, methodNotAllowed, notSimulated, resourceNotFound, StatusError } from './status-error.ts'

export interface ParsedRequest {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'replace' | 'patch' | 'delete'
  readonly type: ResourceType
  readonly namespace: string | undefined
  /** Empty for a whole collection. */
  readonly name: string
  readonly subresource: 'status' | undefined
  readonly query: URLSearchParams
  readonly body: unknown
  /** Of a patch: a JSON patch, and not a merge patch. */
  readonly isJsonPatch: boolean
}

const PATCHES = ['application/merge-patch+json', 'application/json-patch+json']

const PARAMETERS = new Set(
  ['allowWatchBookmarks', 'continue', 'dryRun', 'fieldManager', 'fieldSelector', 'fieldValidation']
    .concat(['gracePeriodSeconds', 'labelSelector', 'limit', 'pretty', 'propagationPolicy'])
    .concat(['resourceVersion', 'timeoutSeconds', 'watch']),
)

const PATH = /^\/(?:api|apis\/(?<group>[^/]+))\/(?<version>[^/]+)(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<rest>.+)$/

/** What a path names. */
type Target = Pick<ParsedRequest, 'type' | 'namespace' | 'name' | 'subresource' | 'query'>

/** Clients ask for the same few paths again and again. Nothing of a target is ever changed. */
const targets = new Map<string, Target>()
const MOST_TARGETS = 2_000

/** Method, path, query and body as the API server understands them. */
export function parseRequest(request: Omit<TransportRequest, 'signal'>): ParsedRequest {
  const target = targets.get(request.path) ?? remember(request.path, parseTarget(request.path))
  return {
    ...target,
    verb: verbOf(request.method, target.name !== '', isTrue(target.query.get('watch'))),
    body: parseBody(request),
    isJsonPatch: request.contentType === 'application/json-patch+json',
  }
}

function remember(path: string, target: Target): Target {
  if (targets.size >= MOST_TARGETS) targets.clear()
  targets.set(path, target)
  return target
}

function parseTarget(path: string): Target {
  const url = new URL(path, 'https://kubernetes.default.svc')
  const { group = '', version = '', namespace, rest = '' } = PATH.exec(url.pathname)?.groups ?? {}
  const [plural = '', name = '', subresource, ...more] = rest.split('/').map(decodeURIComponent)
  if (version === '') throw new StatusError(404, '404 page not found')
  const type = findResourceType(group, version, plural)
  if (type === undefined || more.length > 0) throw resourceNotFound()
  if (subresource !== undefined && (subresource !== 'status' || type.status === 'none')) throw resourceNotFound()
  if (type.namespaced && namespace === undefined && name !== '') throw resourceNotFound()
  for (const parameter of url.searchParams.keys()) {
    if (!PARAMETERS.has(parameter)) throw notSimulated(`the parameter ${parameter}`)
  }
  return {
    type,
    namespace: namespace === undefined ? undefined : decodeURIComponent(namespace),
    name,
    subresource: subresource === 'status' ? subresource : undefined,
    query: url.searchParams,
  }
}

export function isTrue(parameter: string | null): boolean {
  return parameter === 'true' || parameter === '1'
}

function verbOf(method: TransportRequest['method'], named: boolean, watch: boolean): ParsedRequest['verb'] {
  switch (method) {
    case 'GET':
      if (named) return 'get'
      return watch ? 'watch' : 'list'
    case 'POST':
      if (named) throw methodNotAllowed()
      return 'create'
    case 'PUT':
      if (!named) throw methodNotAllowed()
      return 'replace'
    case 'PATCH':
      if (!named) throw methodNotAllowed()
      return 'patch'
    case 'DELETE':
      if (!named) throw notSimulated('deletecollection')
      return 'delete'
  }
}

function parseBody({ method, contentType, body }: Omit<TransportRequest, 'signal'>): unknown {
  if (method === 'PATCH') {
    if (contentType === 'application/json') {
      throw new StatusError(415, '415: Unsupported Media Type', { reason: 'UnsupportedMediaType', details: {} })
    }
    if (!PATCHES.includes(contentType ?? '')) throw notSimulated(`patches of type ${contentType}`)
  }
  if (body === undefined || body === '') return undefined
  try {
    return decoded(body)
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`)
  }
}
