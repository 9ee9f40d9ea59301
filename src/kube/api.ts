import { deadline, type Clock, type Deadline } from '../clock.ts'
import type { KubeObject, Resource } from './objects.ts'
import { ApiError, type Outcome } from './outcome.ts'
import { collectionPath, objectPath, withQuery } from './path.ts'
import { readPage, type ListPage } from './page.ts'
import { parseJson } from './parse.ts'
import { readRefusal } from './refusal.ts'
import type { Lane, Transport, TransportRequest, TransportResponse } from './transport.ts'

/** Where an object lives. Without `namespace`: cluster-scoped, or all namespaces for a list. */
export interface Key {
  readonly namespace?: string
  readonly name: string
}

export interface ListOptions {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continueToken?: string
}

export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continueToken'> {
  readonly resourceVersion: string
  readonly timeoutSeconds: number
}

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly lane?: Lane
  /** Overrides the Api's own deadline for one request. */
  readonly timeoutMillis?: number
}

export interface WriteOptions extends CallOptions {
  readonly subresource?: 'status'
  readonly dryRun?: boolean
  /** Name of the writer in managedFields. */
  readonly fieldManager?: string
}

/** One step of a JSON patch. */
export interface JsonPatchStep {
  readonly op: 'test' | 'add'
  /** A JSON pointer (RFC 6901). `add` to a key that is there replaces its value. */
  readonly path: string
  readonly value: unknown
}

export interface DeleteOptions extends CallOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
}

type Call = Pick<TransportRequest, 'method' | 'path' | 'contentType' | 'body'>

const DEFAULT_TIMEOUT_MILLIS = 5_000

/**
 * Typed requests over a {@link Transport}. Reads are quorum reads (no resourceVersion is sent). Every call resolves
 * to an {@link Outcome} or rejects with an ApiError; a caller's aborted signal rejects with that signal's reason.
 *
 * Every request has a deadline (`timeoutMillis`, default 5,000) that covers its body too. Nothing is retried here.
 * After an ApiError `Unreachable` or `Timeout` a write may have happened or not: read before deciding anew.
 */
export class Api {
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #timeoutMillis: number
  readonly #fieldManager: string | undefined

  constructor(transport: Transport, clock: Clock, options: { timeoutMillis?: number; fieldManager?: string } = {}) {
    this.#transport = transport
    this.#clock = clock
    this.#timeoutMillis = options.timeoutMillis ?? DEFAULT_TIMEOUT_MILLIS
    this.#fieldManager = options.fieldManager
  }

  /** A quorum read: never an older state than that of the moment of the call. */
  get<T extends KubeObject>(resource: Resource<T>, key: Key, options: CallOptions = {}): Promise<Outcome<T>> {
    return this.#request({ method: 'GET', path: objectPath(resource, key) }, options, readObject<T>)
  }

  /** One page, of at most `limit` objects. Rejects with what `keep` throws. */
  list<T extends KubeObject>(
    resource: Resource<T>,
    options: ListOptions & CallOptions & { keep?: (object: T) => T } = {},
  ): Promise<Outcome<ListPage<T>>> {
    const { keep = (object: T): T => object } = options
    const path = withQuery(collectionPath(resource, options.namespace), {
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      limit: options.limit,
      continue: options.continueToken,
    })
    return this.#request({ method: 'GET', path }, options, (what, body) => readPage(what, body, keep))
  }

  /** `exists`: there is one of this name. */
  create<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string | undefined,
    object: unknown,
    options: WriteOptions = {},
  ): Promise<Outcome<T>> {
    return this.#write<T>('POST', collectionPath(resource, namespace), 'application/json', object, options)
  }

  /** A PUT. `conflict`: it is not the version, or not the UID, that the object's metadata name. */
  replace<T extends KubeObject>(
    resource: Resource<T>,
    key: Key,
    object: unknown,
    options: WriteOptions = {},
  ): Promise<Outcome<T>> {
    const path = objectPath(resource, key, options.subresource)
    return this.#write<T>('PUT', path, 'application/json', object, options)
  }

  /** JSON merge patch (RFC 7386): null deletes a key. */
  mergePatch<T extends KubeObject>(
    resource: Resource<T>,
    key: Key,
    patch: unknown,
    options: WriteOptions = {},
  ): Promise<Outcome<T>> {
    const path = objectPath(resource, key, options.subresource)
    return this.#write<T>('PATCH', path, 'application/merge-patch+json', patch, options)
  }

  /**
   * JSON patch (RFC 6902). With a `test` it replaces what it names if, and only if, that is as it was read, whatever else
   * of the object changes at the same time. A test that fails is `invalid`, as a patch is that makes no valid object.
   */
  jsonPatch<T extends KubeObject>(
    resource: Resource<T>,
    key: Key,
    patch: readonly JsonPatchStep[],
    options: WriteOptions = {},
  ): Promise<Outcome<T>> {
    const path = objectPath(resource, key, options.subresource)
    return this.#write<T>('PATCH', path, 'application/json-patch+json', patch, options)
  }

  /** `conflict`: it is another one than the preconditions say. */
  delete<T extends KubeObject>(
    resource: Resource<T>,
    key: Key,
    options: DeleteOptions = {},
  ): Promise<Outcome<undefined>> {
    const { preconditions, gracePeriodSeconds, propagationPolicy } = options
    const body = JSON.stringify({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions,
      gracePeriodSeconds,
      propagationPolicy,
    })
    const call: Call = { method: 'DELETE', path: objectPath(resource, key), contentType: 'application/json', body }
    return this.#request(call, options, async (_what, body) => {
      // Nobody wants it, but a connection is used again only when its response was read to the end.
      await textOf(body)
      return undefined
    })
  }

  /** Opens a watch; the caller reads the body (`watch.ts` does). The deadline ends with the headers. */
  async openWatch<T extends KubeObject>(
    resource: Resource<T>,
    options: WatchOptions & { signal: AbortSignal },
  ): Promise<Outcome<TransportResponse>> {
    const path = withQuery(collectionPath(resource, options.namespace), {
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds,
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
    })
    const call: Call = { method: 'GET', path }
    const what = describe(call)
    options.signal.throwIfAborted()
    // Not a child of the caller's signal: that must end the body as well, long after this limit is disposed of.
    using limit = deadline(this.#clock, what, this.#timeoutMillis)
    const signal = AbortSignal.any([limit.signal, options.signal])
    try {
      const response = await this.#transport.send({ ...call, signal })
      if (isSuccess(response)) return { kind: 'ok', object: response }
      return refuse(what, response, await textOf(untilTheEnd(response.body, limit.signal, (error) => error)))
    } catch (error) {
      throw explain(what, error, limit, options.signal)
    }
  }

  #write<T extends KubeObject>(
    method: 'POST' | 'PUT' | 'PATCH',
    path: string,
    contentType: string,
    object: unknown,
    options: WriteOptions,
  ): Promise<Outcome<T>> {
    const target = withQuery(path, {
      fieldManager: options.fieldManager ?? this.#fieldManager,
      dryRun: options.dryRun ? 'All' : undefined,
    })
    const call: Call = { method, path: target, contentType, body: JSON.stringify(object) }
    return this.#request(call, options, readObject<T>)
  }

  async #request<R>(
    call: Call,
    options: CallOptions,
    read: (what: string, body: AsyncIterable<Uint8Array>) => Promise<R>,
  ): Promise<Outcome<R>> {
    const what = describe(call)
    options.signal?.throwIfAborted()
    using limit = deadline(this.#clock, what, options.timeoutMillis ?? this.#timeoutMillis, options.signal)
    const explained = (error: unknown): unknown => explain(what, error, limit, options.signal)
    const lane = options.lane === undefined ? {} : { lane: options.lane }
    let response: TransportResponse
    try {
      response = await this.#transport.send({ ...call, ...lane, signal: limit.signal })
    } catch (error) {
      throw explained(error)
    }
    const body = untilTheEnd(response.body, limit.signal, explained)
    if (isSuccess(response)) return { kind: 'ok', object: await read(what, body) }
    return refuse(what, response, await textOf(body))
  }
}

const describe = (call: Call): string => `${call.method} ${call.path.split('?', 1)[0]}`

const isSuccess = (response: TransportResponse): boolean => response.status >= 200 && response.status < 300

/** What `body` fails with is explained, and nothing else: not what its reader throws. */
async function* untilTheEnd(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  explained: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body
    // A body that an abort cut short may end like a complete one.
    signal.throwIfAborted()
  } catch (error) {
    throw explained(error)
  }
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

async function readObject<T extends KubeObject>(what: string, body: AsyncIterable<Uint8Array>): Promise<T> {
  return parseJson(what, await textOf(body)) as T
}

function refuse(what: string, response: TransportResponse, text: string): Outcome<never> {
  const refusal = readRefusal(what, response, text)
  if (refusal instanceof ApiError) throw refusal
  return refusal
}

/** Tells the four ways to fail apart: the caller gave up, our deadline passed, the server's fault, the connection's. */
function explain(what: string, error: unknown, limit: Deadline, caller: AbortSignal | undefined): unknown {
  if (caller?.aborted) return caller.reason
  if (error instanceof ApiError) return error
  if (limit.signal.aborted) {
    const late = limit.signal.reason as Error
    return new ApiError(late.message, { reason: 'Timeout', cause: late })
  }
  const said = error instanceof Error ? error.message : String(error)
  return new ApiError(`${what}: no answer from the API server: ${said}`, { reason: 'Unreachable', cause: error })
}
