import type { KubeObject, Status } from './objects.ts'
import { isNamed, isVersion } from './parse.ts'
import { readStatus } from './status.ts'

/** One frame of a watch. `text` is the JSON of the Status. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: T }
  | { readonly type: 'ERROR'; readonly status: Status; readonly text: string }

/** A whole frame that is no watch event. */
export class MalformedEvent extends Error {
  override readonly name = 'MalformedEvent'
}

/** Reads one frame. A bookmark's object has nothing but its `metadata.resourceVersion`. */
export function parseEvent<T extends KubeObject>(what: string, frame: string): WatchEvent<T> {
  const { type, object } = parseFrame<T>(what, frame)
  if (type === 'ERROR') return { type, status: readStatus(object), text: JSON.stringify(object ?? {}) }
  const isWhole = isVersion(object?.metadata?.resourceVersion) && (type === 'BOOKMARK' || isNamed(object))
  if (!isChange(type) || !isWhole) throw malformed(what, frame)
  return { type, object: object as T }
}

const isChange = (type: string | undefined): type is 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' =>
  type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK'

function parseFrame<T>(what: string, frame: string): { type?: string; object?: Partial<T & KubeObject> } {
  try {
    const value: unknown = JSON.parse(frame)
    if (typeof value === 'object' && value !== null) return value
  } catch (cause) {
    throw malformed(what, frame, cause)
  }
  throw malformed(what, frame)
}

function malformed(what: string, frame: string, cause?: unknown): MalformedEvent {
  return new MalformedEvent(`${what}: not a watch event: ${JSON.stringify(frame.slice(0, 100))}`, { cause })
}
