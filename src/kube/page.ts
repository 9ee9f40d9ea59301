import type { KubeObject } from './objects.ts'
import { ItemSplitter } from './item-splitter.ts'
import { isNamed, isVersion, malformed, parseJson } from './parse.ts'

export interface ListPage<T> {
  readonly items: readonly T[]
  /** The version of the whole list: a watch goes on from here. */
  readonly resourceVersion: string
  readonly continueToken?: string
}

/**
 * A page of a list, parsed object by object as it arrives: `keep` reduces each one before the next is parsed, so that what
 * is not kept of it is garbage at once. Read and parsed as a whole, 500 pods outlive several collections of a small young
 * generation, and that was half of what a list costs.
 *
 * @throws ApiError `Malformed`; what `keep` throws; what `body` does
 */
export async function readPage<T extends KubeObject>(
  what: string,
  body: AsyncIterable<Uint8Array>,
  keep: (object: T) => T,
): Promise<ListPage<T>> {
  const reduce = (object: unknown): T => {
    if (!isNamed(object)) throw malformed(what, JSON.stringify(object), new TypeError('no object with a name'))
    return keep(object as T)
  }
  const splitter = new ItemSplitter()
  const items: T[] = []
  for await (const chunk of body) {
    for (const text of splitter.split(chunk)) items.push(reduce(parseJson(what, text)))
  }
  const { rest } = splitter
  const { items: others, metadata } = parseJson(what, rest) as {
    items?: unknown
    metadata?: { resourceVersion?: unknown; continue?: unknown } | null
  }
  const { resourceVersion, continue: continueToken } = metadata ?? {}
  if (!isVersion(resourceVersion)) throw malformed(what, rest, new TypeError('a list without its resourceVersion'))
  // The splitter leaves them where it does not find them: in a list with blanks, as something in between may write it.
  if (!Array.isArray(others ?? [])) throw malformed(what, rest, new TypeError('no list of objects'))
  for (const object of (others ?? []) as readonly unknown[]) items.push(reduce(object))
  return {
    items,
    resourceVersion,
    ...(typeof continueToken === 'string' && continueToken !== '' ? { continueToken } : {}),
  }
}
