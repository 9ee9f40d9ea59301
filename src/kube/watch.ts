import { deadline, DeadlineExceeded, sleepUntil, type Clock } from '../clock.ts'
import type { Api } from './api.ts'
import { FrameTooLong, frames } from './frames.ts'
import type { KubeObject, Resource } from './objects.ts'
import type { Refusal } from './outcome.ts'
import { collectionPath } from './path.ts'
import { readRefusal } from './refusal.ts'
import { MalformedEvent, parseEvent, type WatchEvent } from './watch-event.ts'

/**
 * One list+watch as a stream of changes to a set of objects.
 * `reset`: the whole set as of a consistent list; what is not in it may be gone or no longer selected.
 * `apply`: an object was added or changed. `delete`: an object was deleted, or is no longer selected, with its last
 * state.
 */
export type Change<T> =
  | { readonly kind: 'reset'; readonly objects: readonly T[]; readonly resourceVersion: string }
  | { readonly kind: 'apply'; readonly object: T }
  | { readonly kind: 'delete'; readonly object: T }

/** How fresh the stream is, for readiness and metrics. Monotonic milliseconds. */
export interface Freshness {
  /** The first list is complete. */
  synced: boolean
  /** A watch is open. */
  connected: boolean
  /** When the last event, bookmark or list arrived. */
  lastHeardAt: number | undefined
  /** Lists made so far: the first, one every half an hour, and one for each time the version had expired. */
  lists: number
  /** Why the last attempt failed; undefined while all is well. */
  lastError: Error | undefined
}

export interface WatchSource<T extends KubeObject> {
  readonly resource: Resource<T>
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Reduces each object to what is used, before it is kept. */
  readonly trim: (object: T) => T
}

interface Surroundings {
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
  readonly freshness?: Freshness
  /** Called with each failure, which is also in `freshness.lastError` until the watch has recovered. */
  readonly onError?: (error: Error) => void
}

/** client-go's page size. */
const PAGE_SIZE = 500
const LIST_TIMEOUT_MILLIS = 15_000

/** The server ends a watch after a time between one and two times this, as client-go asks it to. */
const SHORTEST_WATCH_SECONDS = 300

/** Bookmarks come about every minute, so this long a silence means that the connection is dead. */
const SILENCE_MILLIS = 90_000

/** A watch that ends sooner has failed, cleanly or not: opening it anew at once would be a busy loop. */
const HEALTHY_MILLIS = 1_000

/**
 * A stream is believed for so long, then the set is listed anew when its watch ends. etcd has lost events, more than once
 * (etcd-io/etcd#17529, #20221), and a watch that goes on behind one says nothing of it.
 */
const BELIEVED_MILLIS = 1_800_000

/** The steps of client-go's reflector (tools/cache/reflector.go). */
const FIRST_BACKOFF_MILLIS = 800
const LONGEST_BACKOFF_MILLIS = 30_000

/**
 * Lists and watches until `signal` aborts or the consumer returns; then the stream completes, with nothing left open.
 * No answer of the server and no broken connection ends it: it resumes from the last version it saw, or lists anew
 * when that is no longer possible, and says why in `freshness.lastError`. It rejects only with what `trim` throws.
 * Now and then it lists anew without a reason, for an event may have been lost.
 *
 * It remembers no objects. So an object that was deleted and created again while nothing was connected comes as one
 * `apply` (or within a `reset`) with another `metadata.uid`, and without a `delete`: whoever keeps the objects compares.
 */
export function watch<T extends KubeObject>(
  api: Api,
  source: WatchSource<T>,
  options: Surroundings,
): AsyncIterableIterator<Change<T>, void> {
  const leaving = new AbortController()
  const signal = AbortSignal.any([options.signal, leaving.signal])
  const changes = new ListWatch(api, source, { ...options, signal }).changes()
  return {
    next: () => changes.next(),
    // A generator's own return() would wait for the step under way, which may be a watch that stays silent.
    return: () => {
      leaving.abort()
      return changes.return()
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

class ListWatch<T extends KubeObject> {
  readonly #api: Api
  readonly #resource: Resource<T>
  readonly #selection: Omit<WatchSource<T>, 'resource' | 'trim'>
  readonly #trimObject: (object: T) => T
  readonly #clock: Clock
  readonly #random: () => number
  readonly #signal: AbortSignal
  readonly #freshness: Freshness
  readonly #onError: (error: Error) => void
  readonly #what: string
  /** The last version seen; undefined when a list is due. */
  #version: string | undefined
  #listedAt = -Infinity
  /** Failures in a row. A list alone is no success: a server whose watches expire at once must not be listed for ever. */
  #failures = 0

  constructor(api: Api, source: WatchSource<T>, options: Surroundings) {
    this.#api = api
    const { resource, trim, ...selection } = source
    this.#resource = resource
    this.#trimObject = trim
    this.#selection = selection
    this.#clock = options.clock
    this.#random = options.random
    this.#signal = options.signal
    this.#freshness = options.freshness ?? {
      synced: false,
      connected: false,
      lastHeardAt: undefined,
      lists: 0,
      lastError: undefined,
    }
    this.#onError = options.onError ?? ((): void => undefined)
    this.#what = `watch ${collectionPath(resource, source.namespace)}`
  }

  async *changes(): AsyncGenerator<Change<T>, void> {
    while (!this.#signal.aborted) {
      try {
        if (this.#version === undefined) yield await this.#list()
        else yield* this.#follow(this.#version)
      } catch (error) {
        if (this.#signal.aborted) return
        if (error instanceof TrimFailed) throw error.cause
        await this.#recover(error as Error)
      }
    }
  }

  async #list(): Promise<Change<T>> {
    const objects: T[] = []
    let continueToken: string | undefined
    for (;;) {
      const page = await this.#api.list(this.#resource, {
        ...this.#selection,
        ...(continueToken === undefined ? {} : { continueToken }),
        limit: PAGE_SIZE,
        timeoutMillis: LIST_TIMEOUT_MILLIS,
        signal: this.#signal,
        keep: (object) => this.#trim(object),
      })
      if (page.kind !== 'ok') throw new Refused(page)
      for (const object of page.object.items) objects.push(object)
      continueToken = page.object.continueToken
      if (continueToken === undefined) return this.#listed(objects, page.object.resourceVersion)
    }
  }

  #listed(objects: readonly T[], resourceVersion: string): Change<T> {
    this.#version = resourceVersion
    this.#listedAt = this.#clock.now()
    this.#freshness.synced = true
    this.#freshness.lists++
    this.#heard()
    return { kind: 'reset', objects, resourceVersion }
  }

  /** One watch, from opening to its end. Returns after a clean one, throws after any other. */
  async *#follow(resourceVersion: string): AsyncGenerator<Change<T>, void> {
    using silence = deadline(this.#clock, this.#what, SILENCE_MILLIS, this.#signal)
    const opened = await this.#api.openWatch(this.#resource, {
      ...this.#selection,
      resourceVersion,
      timeoutSeconds: Math.floor(SHORTEST_WATCH_SECONDS * (1 + this.#random())),
      signal: silence.signal,
    })
    if (opened.kind !== 'ok') throw new Refused(opened)
    const openedAt = this.#clock.now()
    this.#freshness.connected = true
    this.#freshness.lastError = undefined
    let heard = false
    try {
      for await (const frame of frames(opened.object.body)) {
        // One chunk may hold many frames: none is passed on after the end was asked for.
        silence.signal.throwIfAborted()
        silence.extend(SILENCE_MILLIS)
        heard = true
        const change = this.#receive(parseEvent<T>(this.#what, frame))
        if (change !== undefined) yield change
      }
      // An abort may end the body as if it were complete.
      silence.signal.throwIfAborted()
    } finally {
      this.#freshness.connected = false
      // Not even a bookmark: perhaps etcd was restored, and this version is yet to come. The server then says nothing
      // until it does (tried on 1.36), so resuming from it again would be blind for as long.
      if (!heard && silence.signal.reason instanceof DeadlineExceeded) this.#version = undefined
      if (this.#clock.now() - openedAt >= HEALTHY_MILLIS) this.#failures = 0
    }
    const lasted = this.#clock.now() - openedAt
    if (lasted < HEALTHY_MILLIS) throw new Error(`${this.#what}: the server ended it after ${Math.round(lasted)} ms`)
    if (this.#clock.now() - this.#listedAt >= BELIEVED_MILLIS) this.#version = undefined
  }

  #receive(event: WatchEvent<T>): Change<T> | undefined {
    if (event.type === 'ERROR') {
      const refusal = readRefusal(this.#what, { status: event.status.code ?? 500, headers: {} }, event.text)
      throw refusal instanceof Error ? refusal : new Refused(refusal)
    }
    this.#failures = 0
    this.#heard()
    const version = event.object.metadata.resourceVersion
    // The version never goes back, or a resumed watch would replay what was superseded long ago.
    if (this.#version !== undefined && BigInt(version) <= BigInt(this.#version)) return undefined
    this.#version = version
    if (event.type === 'BOOKMARK') return undefined
    return { kind: event.type === 'DELETED' ? 'delete' : 'apply', object: this.#trim(event.object) }
  }

  #heard(): void {
    this.#freshness.lastHeardAt = this.#clock.now()
  }

  /** Decides where to go on, and waits. */
  async #recover(error: Error): Promise<void> {
    this.#freshness.lastError = error
    this.#onError(error)
    const refusal = error instanceof Refused ? error.refusal : undefined
    if (mustRelist(error)) this.#version = undefined
    // A version that expired while we were away is no fault of the server: the first list anew is not put off.
    const atOnce = refusal?.kind === 'expired' && this.#failures === 0
    const backoff = Math.min(FIRST_BACKOFF_MILLIS * 2 ** this.#failures, LONGEST_BACKOFF_MILLIS)
    this.#failures++
    if (atOnce) return
    const asked = refusal?.kind === 'throttled' ? refusal.retryAfterMillis : 0
    const wait = asked + backoff * (0.5 + this.#random() / 2)
    try {
      await sleepUntil(this.#clock, this.#clock.now() + wait, this.#signal)
    } catch (interrupted) {
      if (!this.#signal.aborted) throw interrupted
    }
  }

  #trim(object: T): T {
    try {
      return this.#trimObject(object)
    } catch (cause) {
      throw new TrimFailed(`${this.#what}: trim() threw`, { cause })
    }
  }
}

/** A refusal on its way from where it was read to where the next step is decided. */
class Refused extends Error {
  override readonly name = 'Refused'
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.message)
    this.refusal = refusal
  }
}

/** A bug of the caller: to be told apart from what the server or the network did. */
class TrimFailed extends Error {
  override readonly name = 'TrimFailed'
}

/** Whether the place in the history is lost: the version expired, or what came from it cannot be read. */
function mustRelist(error: Error): boolean {
  if (error instanceof Refused) return error.refusal.kind !== 'throttled'
  return error instanceof MalformedEvent || error instanceof FrameTooLong
}
