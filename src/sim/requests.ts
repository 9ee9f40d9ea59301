import type { TransportRequest } from '../kube/transport.ts'
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

/** Method, path, query and body as the API server understands them. */
export function parseRequest(request: Omit<TransportRequest, 'signal'>): ParsedRequest {
  const url = new URL(request.path, 'https://kubernetes.default.svc')
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
    verb: verbOf(request.method, name !== '', isTrue(url.searchParams.get('watch'))),
    type,
    namespace: namespace === undefined ? undefined : decodeURIComponent(namespace),
    name,
    subresource: subresource === 'status' ? subresource : undefined,
    query: url.searchParams,
    body: parseBody(request),
    isJsonPatch: request.contentType === 'application/json-patch+json',
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
    return JSON.parse(body) as unknown
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`)
  }
}
