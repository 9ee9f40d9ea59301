import type { Clock } from '../clock.ts'
import type { Transport, TransportRequest, TransportResponse } from '../kube/transport.ts'
import { invalidValue } from './cause.ts'
import { checkPreconditions, deletion, goesWithUpdate, wholeSeconds, type DeleteOptions } from './deletes.ts'
import { encoded } from './encoded.ts'
import { collectGarbage } from './garbage-collector.ts'
import { jsonPatch } from './json-patch.ts'
import { list } from './lists.ts'
import { mergePatch } from './merge-patch.ts'
import { parseRequest, type ParsedRequest } from './requests.ts'
import { RESOURCE_TYPES, type ResourceType } from './resource-types.ts'
import { alreadyExists, badRequest, notFound, notSimulated, resourceNotFound, StatusError } from './status-error.ts'
import { Store, type Feed, type Revision } from './store.ts'
import { isRecord, withMeta, type Incoming, type StoredObject } from './stored-object.ts'
import { Watches, type ExpiredWatch } from './watches.ts'
import { checkName, checkNamespace, checkUid, checkVersion, created, decode, updated } from './writes.ts'

export interface TransportOptions {
  /** Who writes, in the history. Default `admin`. */
  readonly user?: string
  /**
   * Called before the server sees a request: wait in it to delay the request, reject to lose it, resolve to an answer
   * to give that instead. An abort of the request's signal ends the wait.
   */
  readonly before?: (request: TransportRequest) => Promise<TransportResponse | undefined>
}

/** What one of several servers over one store shows of one type, and the watches that clients have with it. */
export interface Cached {
  readonly feed: Feed
  readonly watches: Watches
}

/** One of several servers: it has a watch cache for each type, and one knows nothing of how far the next has got. */
export type Replica = ReadonlyMap<ResourceType, Cached>

export interface Response extends TransportResponse {
  /** What the body says; absent for a watch. */
  readonly answer?: object
}

export interface Answer {
  readonly code: number
  readonly body: object
}

/** A simulation reads millions of frames: a few that are cut do. */
const REPLICA_CUTS_EVERY = 4

const GARBAGE_COLLECTOR = 'system:serviceaccount:kube-system:generic-garbage-collector'

/**
 * A Kubernetes API server in memory, behind the transport: what a client can see of Kubernetes 1.36, for the types of
 * `resource-types.ts`. `kube/contract.ts` holds it to the real one. Time, UIDs and versions are reproducible.
 *
 * Known gaps: no admission, no authorization, no managedFields, no schemas but the few checks of `validation.ts`;
 * every namespace exists; of propagation policies only Background.
 */
export class ApiServer {
  readonly #clock: Clock
  readonly #store = new Store()
  readonly #watches: Watches
  /**
   * Created with a status that is only the schema's default: a real server stores none, and fills it in at each read.
   * So the first write stores it, even one that changes nothing else.
   */
  readonly #statusNotStored = new WeakSet<StoredObject>()
  #sequence = 0

  readonly #isCoordinated: boolean

  /** @param options.coordinatedLeaderElection the feature gate of that name; off by default, as in a real server */
  constructor(clock: Clock, options: { coordinatedLeaderElection?: boolean } = {}) {
    this.#clock = clock
    this.#isCoordinated = options.coordinatedLeaderElection ?? false
    this.#watches = new Watches(this.#store, clock)
    collectGarbage(this.#store, clock, {
      delete: (type, object) => this.#delete(type, object, {}, GARBAGE_COLLECTOR, false),
      setOwners: (type, object, ownerReferences) =>
        this.#put(type, withMeta(object, { ownerReferences }), GARBAGE_COLLECTOR, false),
    })
  }

  /** Every write so far, oldest first. */
  get history(): readonly Revision[] {
    return this.#store.history
  }

  /** Called after every write, in order, before the writer has its answer. */
  onCommit(listener: (revision: Revision) => void): void {
    this.#store.onCommit(listener)
  }

  /** Another server over the same store, whose watch caches may lag: `feed` says what that of a type shows. */
  replica(feed: (store: Feed, type: ResourceType) => Feed): Replica {
    return new Map(
      RESOURCE_TYPES.map((type) => {
        const shown = feed(this.#store, type)
        return [type, { feed: shown, watches: new Watches(shown, this.#clock, REPLICA_CUTS_EVERY) }]
      }),
    )
  }

  transport({ user = 'admin', before }: TransportOptions = {}): Transport {
    return {
      send: async (request) => {
        request.signal.throwIfAborted()
        const instead = await abortable(before?.(request), request.signal)
        return instead ?? this.respond(request, user)
      },
    }
  }

  /** Forgets versions below `revision` (default: all but the present): older watches and pages are expired. */
  compact(revision = this.#store.revision): void {
    this.#store.compacted = Math.max(this.#store.compacted, revision)
  }

  /** How a watch from a compacted version is refused: with an ERROR event (default) or with HTTP status 410. */
  expireWatchesAs(how: ExpiredWatch): void {
    this.#watches.expiredAs = how
  }

  /** Ends every open watch cleanly, as a server does that restarts. */
  closeWatches(): void {
    this.#watches.closeAll()
  }

  /** Carries a request out at once. Watches, and lists of version 0, show what the replica does; all else is the store's. */
  respond(request: TransportRequest, user: string, replica?: Replica): Response {
    return this.#catching((): Response => {
      const parsed = this.#parse(request)
      const cached = replica?.get(parsed.type)
      if (parsed.verb === 'watch') return this.#watch(parsed, request.signal, cached?.watches)
      const isCached = parsed.verb === 'list' && parsed.query.get('resourceVersion') === '0'
      const { code, body } =
        isCached && cached ? { code: 200, body: list(cached.feed, parsed) } : this.#answer(parsed, user)
      return jsonResponse(code, body)
    }, jsonResponse)
  }

  /** The same for who needs no transport: anything but a watch, with the answer as it is stored. */
  perform(request: Omit<TransportRequest, 'signal'>, user: string): Answer {
    return this.#catching(
      () => this.#answer(this.#parse(request), user),
      (code, body) => ({ code, body }),
    )
  }

  /** The object as it is now. */
  find(type: ResourceType, namespace: string | undefined, name: string): StoredObject | undefined {
    return this.#store.get(type, namespace, name)
  }

  #parse(request: Omit<TransportRequest, 'signal'>): ParsedRequest {
    const parsed = parseRequest(request)
    if (parsed.type.coordinated && !this.#isCoordinated) throw resourceNotFound()
    return parsed
  }

  #catching<R>(answer: () => R, refuse: (code: number, body: object) => R): R {
    try {
      return answer()
    } catch (error) {
      if (error instanceof StatusError) return refuse(error.code, error.body)
      throw error
    }
  }

  #watch(request: ParsedRequest, signal: AbortSignal, watches = this.#watches): TransportResponse {
    const opened = watches.open(request, signal)
    if (opened instanceof StatusError) throw opened
    return { status: 200, headers: JSON_HEADERS, body: opened }
  }

  #answer(request: ParsedRequest, user: string): Answer {
    switch (request.verb) {
      case 'get':
        return { code: 200, body: this.#stored(request) }
      case 'list':
        return { code: 200, body: list(this.#store, request) }
      case 'create':
        return this.#create(request, decode(this.#gated(request.type), request.body), user)
      case 'replace':
        return this.#replace(request, user)
      case 'patch':
        return this.#patch(request, user)
      case 'delete':
        return this.#deleteNamed(request, user)
      case 'watch':
        throw new TypeError('a watch is answered with a stream')
    }
  }

  #create(request: ParsedRequest, incoming: Incoming, user: string): Answer {
    const { type, namespace } = request
    if (type.namespaced && namespace === undefined) throw notSimulated('creation without a namespace')
    checkNamespace(incoming, namespace)
    const version = (incoming['metadata'] as { resourceVersion?: string }).resourceVersion ?? ''
    if (request.verb === 'create' && version !== '' && version !== '0') {
      throw new StatusError(500, 'resourceVersion should not be set on objects to be created')
    }
    const now = wholeSeconds(this.#clock.wallNow())
    const sequence = ++this.#sequence
    const object = created(request, incoming, { uid: uidOf(sequence), now, sequence, put: request.verb === 'replace' })
    if (this.#store.get(type, namespace, object.metadata.name)) throw alreadyExists(type, object.metadata.name)
    const stored = this.#put(type, object, user, isDryRun(request))
    if (type.custom && 'status' in stored) this.#statusNotStored.add(stored)
    return { code: 201, body: stored }
  }

  #replace(request: ParsedRequest, user: string): Answer {
    const { type, namespace, name } = request
    const incoming = decode(this.#gated(type), request.body)
    checkName(incoming, name)
    checkNamespace(incoming, namespace)
    const stored = this.#store.get(type, namespace, name)
    if (stored === undefined && (!type.createOnUpdate || request.subresource !== undefined)) throw notFound(type, name)
    checkUid(request, incoming, stored)
    if (stored === undefined) return this.#create(request, incoming, user)
    return { code: 200, body: this.#update(request, incoming, stored, user) }
  }

  #patch(request: ParsedRequest, user: string): Answer {
    const stored = this.#stored(request)
    const incoming = decodePatched(this.#gated(request.type), stored, patched(stored, request))
    checkName(incoming, request.name)
    checkNamespace(incoming, request.namespace)
    return { code: 200, body: this.#update(request, incoming, stored, user) }
  }

  #update(request: ParsedRequest, incoming: Incoming, stored: StoredObject, user: string): StoredObject {
    checkVersion(request, incoming, stored)
    const next = updated(request, incoming, stored, this.#sequence)
    if (next === stored && !this.#statusNotStored.has(stored)) return stored
    if (!goesWithUpdate(next)) return this.#put(request.type, next, user, isDryRun(request))
    // The deletion is the only write: watchers never see the state without the finalizer.
    if (!isDryRun(request)) this.#store.remove(request.type, stored, { user, at: this.#clock.now() })
    return next
  }

  #deleteNamed(request: ParsedRequest, user: string): Answer {
    const options = parseDeleteOptions(request)
    const stored = this.#stored(request)
    checkPreconditions(request.type, stored, options)
    const gone = this.#delete(request.type, stored, options, user, options.dryRun?.includes('All') ?? false)
    return {
      code: 200,
      body: gone.removed && !request.type.returnsDeleted ? success(request.type, stored) : gone.object,
    }
  }

  #delete(type: ResourceType, stored: StoredObject, options: DeleteOptions, user: string, dryRun: boolean) {
    const { mark, remove } = deletion(type, stored, options, this.#clock.wallNow())
    let object = mark === undefined ? stored : this.#put(type, mark, user, dryRun)
    if (remove && !dryRun) object = this.#store.remove(type, object, { user, at: this.#clock.now() })
    return { object, removed: remove }
  }

  #put(type: ResourceType, object: StoredObject, user: string, dryRun: boolean): StoredObject {
    return dryRun ? object : this.#store.put(type, object, { user, at: this.#clock.now() })
  }

  /** With the fields that the feature gate adds. */
  #gated(type: ResourceType): ResourceType {
    const { coordinatedSpecFields: specFields } = type
    return this.#isCoordinated && specFields ? { ...type, specFields } : type
  }

  #stored({ type, namespace, name }: ParsedRequest): StoredObject {
    const stored = this.#store.get(type, namespace, name)
    if (stored === undefined) throw notFound(type, name)
    return stored
  }
}

function patched(stored: StoredObject, { body, isJsonPatch }: ParsedRequest): unknown {
  if (isJsonPatch) return jsonPatch(stored, body)
  if (!isRecord(body)) throw badRequest('error decoding patch: json: cannot unmarshal it into an object')
  return mergePatch(stored, body)
}

/** A patch that makes the object undecodable is the patch's fault: 422 on `patch`, where a create gets 400. */
function decodePatched(type: ResourceType, stored: StoredObject, result: unknown): Incoming {
  const fault = isRecord(result) ? type.decode?.(result) : undefined
  if (fault === undefined && isRecord(result)) {
    return decode(type, { ...result, apiVersion: stored.apiVersion, kind: stored.kind })
  }
  const cause = invalidValue('patch', result, fault ?? 'not an object')
  const details = { causes: [cause] }
  throw new StatusError(422, ` "" is invalid: ${cause.field}: ${cause.message}`, { reason: 'Invalid', details })
}

/** A real server looks at the query only when there is no body: `?dryRun=All` beside a body deletes. */
function parseDeleteOptions({ query, body }: ParsedRequest): DeleteOptions {
  const grace = query.get('gracePeriodSeconds')
  const options: DeleteOptions = isRecord(body)
    ? body
    : {
        ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
        ...(query.has('propagationPolicy') ? { propagationPolicy: query.get('propagationPolicy') ?? '' } : {}),
        ...(query.has('dryRun') ? { dryRun: query.getAll('dryRun') } : {}),
      }
  const { propagationPolicy = 'Background' } = options
  if (propagationPolicy !== 'Background') throw notSimulated(`deletes with propagation policy ${propagationPolicy}`)
  return options
}

function success({ plural, group }: ResourceType, { metadata: { name, uid } }: StoredObject): object {
  const details = { name, ...(group === '' ? {} : { group }), kind: plural, uid }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
}

const isDryRun = ({ query }: ParsedRequest): boolean => query.get('dryRun') === 'All'

/** The shape of a version 4 UUID, from a counter. */
function uidOf(sequence: number): string {
  return `00000000-0000-4000-8000-${String(sequence).padStart(12, '0')}`
}

const JSON_HEADERS = { 'content-type': 'application/json' }

function jsonResponse(status: number, body: object): Response {
  return { status, answer: body, headers: JSON_HEADERS, body: once(Buffer.from(encoded(body))) }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes
}

/** Waits for the work, but no longer than the signal allows. */
async function abortable<T>(work: Promise<T> | undefined, signal: AbortSignal): Promise<T | undefined> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
