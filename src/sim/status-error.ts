import type { Cause } from './cause.ts'
import type { ResourceType } from './resource-types.ts'

/** A request that the server refuses: the `meta/v1` Status that it answers with. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly code: number
  readonly body: Readonly<Record<string, unknown>>

  constructor(code: number, message: string, rest: { reason?: string; details?: object; metadata?: object } = {}) {
    super(message)
    this.code = code
    const { metadata = {}, ...reasonAndDetails } = rest
    this.body = { kind: 'Status', apiVersion: 'v1', metadata, status: 'Failure', message, ...reasonAndDetails, code }
  }
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, message, { reason: 'BadRequest' })
}

export function resourceNotFound(): StatusError {
  const message = 'the server could not find the requested resource'
  return new StatusError(404, message, { reason: 'NotFound', details: {} })
}

export function methodNotAllowed(): StatusError {
  const message = 'the server does not allow this method on the requested resource'
  return new StatusError(405, message, { reason: 'MethodNotAllowed', details: {} })
}

/** A real server knows it, this one does not: loud, so that no test passes on a rule that is not there. */
export function notSimulated(what: string): StatusError {
  return new StatusError(501, `the in-memory API server does not simulate ${what}`, { reason: 'NotImplemented' })
}

export function notFound(type: ResourceType, name: string): StatusError {
  const message = `${qualified(type.plural, type)} "${name}" not found`
  return new StatusError(404, message, { reason: 'NotFound', details: details(type.plural, type, name) })
}

export function alreadyExists(type: ResourceType, name: string): StatusError {
  const message = `${qualified(type.plural, type)} "${name}" already exists`
  return new StatusError(409, message, { reason: 'AlreadyExists', details: details(type.plural, type, name) })
}

/** `by` is the word that the real server uses here: the plural for writes, the kind for deletes. */
export function conflict(type: ResourceType, by: 'plural' | 'kind', name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(type[by], type)} "${name}": ${why}`
  return new StatusError(409, message, { reason: 'Conflict', details: details(type[by], type, name) })
}

export function invalid(
  type: ResourceType,
  name: string,
  causes: readonly Cause[],
  by: 'plural' | 'kind' = 'kind',
): StatusError {
  const said = causes.map((cause) => `${cause.field}: ${cause.message}`)
  const message = `${qualified(type[by], type)} "${name}" is invalid: ${said.length === 1 ? said[0] : `[${said.join(', ')}]`}`
  return new StatusError(422, message, { reason: 'Invalid', details: { ...details(type[by], type, name), causes } })
}

export const expired = (message: string, metadata: object = {}): StatusError =>
  new StatusError(410, message, { reason: 'Expired', metadata })

function qualified(word: string, type: ResourceType): string {
  return type.group === '' ? word : `${word}.${type.group}`
}

function details(word: string, type: ResourceType, name: string): object {
  return { ...(name === '' ? {} : { name }), ...(type.group === '' ? {} : { group: type.group }), kind: word }
}
