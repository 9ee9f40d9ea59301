import { isDeepStrictEqual } from 'node:util'
import { badRequest, notSimulated, StatusError } from './status-error.ts'
import { isRecord } from './stored-object.ts'

/** JSON patch (RFC 6902), of it `test` and `add` on members of objects: what this program sends. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('error decoding patch: json: cannot unmarshal it into a jsonpatch.Patch')
  return (patch as readonly unknown[]).reduce(apply, target)
}

function apply(target: unknown, step: unknown): unknown {
  const { op, path, value } = isRecord(step) ? step : {}
  const pointer = typeof path === 'string' ? path.split('/').slice(1).map(unescape) : []
  switch (op) {
    case 'test':
      if (!isDeepStrictEqual(valueAt(target, pointer), value)) throw cannotApply()
      return target
    case 'add':
      return withValue(target, pointer, value)
    default:
      throw notSimulated(`the step ${JSON.stringify(op)} of a JSON patch`)
  }
}

const unescape = (token: string): string => token.replaceAll('~1', '/').replaceAll('~0', '~')

function valueAt(target: unknown, [first, ...rest]: readonly string[]): unknown {
  if (first === undefined) return target
  if (!isRecord(target) || !(first in target)) throw cannotApply()
  return valueAt(target[first], rest)
}

function withValue(target: unknown, [first, ...rest]: readonly string[], value: unknown): unknown {
  if (first === undefined) return value
  if (!isRecord(target) || (rest.length > 0 && !(first in target))) throw cannotApply()
  return { ...target, [first]: withValue(target[first], rest, value) }
}

/** The whole of what a real server says about a test that failed or a path that is not there. */
function cannotApply(): StatusError {
  const message = 'the server rejected our request due to an error in our request'
  return new StatusError(422, message, { reason: 'Invalid', details: {} })
}
