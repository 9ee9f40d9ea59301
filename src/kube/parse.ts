import type { KubeObject } from './objects.ts'
import { ApiError } from './outcome.ts'

/*
 * What a stream of objects is believed on. A watch goes on from the version of what came last, and keeps objects by their
 * names: one answer of something before the API server that has neither would be remembered, or end the program.
 */

export function isVersion(value: unknown): value is string {
  return typeof value === 'string' && /^\d+$/.test(value)
}

export function isNamed(value: unknown): value is KubeObject {
  const { metadata } = (value ?? {}) as { metadata?: { name?: unknown } | null }
  return typeof metadata?.name === 'string'
}

/** @throws ApiError `Malformed` */
export function parseJson(what: string, text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch (error) {
    throw malformed(what, text, error)
  }
  throw malformed(what, text, new TypeError('not a JSON object'))
}

export function malformed(what: string, text: string, cause: unknown): ApiError {
  const start = JSON.stringify(text.slice(0, 100))
  return new ApiError(`${what}: the answer is not what the API server sends: ${start}`, { reason: 'Malformed', cause })
}
