import type { Clock } from '../clock.ts'
import { isTrue, type ParsedRequest } from './requests.ts'
import { apiVersionOf, type ResourceType } from './resource-types.ts'
import { parseNumber, parseSelection, parseVersion } from './lists.ts'
import type { Selects } from './selectors.ts'
import { expired, type StatusError } from './status-error.ts'
import type { Feed, Revision } from './store.ts'
import { encoded } from './encoded.ts'
import { withMeta } from './stored-object.ts'
import { WatchStream } from './watch-stream.ts'

/** A real server's cadence: roughly every minute on a quiet stream. */
const BOOKMARK_MILLIS = 60_000
/** And once more this long before the end of the stream. */
const LAST_BOOKMARK_MILLIS = 2_000
/** A real server picks a time between 30 and 60 minutes for clients that ask for none. */
const DEFAULT_TIMEOUT_SECONDS = 1_800

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: object
}

interface OpenWatch {
  readonly type: ResourceType
  readonly after: number
  readonly selects: Selects
  readonly stream: WatchStream
}

/** How a watch from a compacted version is refused: real servers do both, mostly the first. */
export type ExpiredWatch = 'event' | 'status'

/** The open watches of the server. */
export class Watches {
  readonly #store: Feed
  readonly #clock: Clock
  readonly #open = new Set<OpenWatch>()
  readonly #cutEvery: number
  expiredAs: ExpiredWatch = 'event'

  /** @param cutEvery one in so many frames comes in two chunks */
  constructor(store: Feed, clock: Clock, cutEvery = 1) {
    this.#cutEvery = cutEvery
    this.#store = store
    this.#clock = clock
    store.onCommit((revision) => {
      for (const watch of this.#open) deliver(watch, revision)
    })
  }

  /** Answers with the events since `resourceVersion`, then with each as it happens. */
  open(request: ParsedRequest, signal: AbortSignal): WatchStream | StatusError {
    const { type, query } = request
    const from = parseVersion(query.get('resourceVersion'))
    const selects = parseSelection(request)
    const timeoutMillis = (parseNumber(query.get('timeoutSeconds')) || DEFAULT_TIMEOUT_SECONDS) * 1000
    const tooOld = from > 0 && from < this.#store.compacted
    const refusal = expired(`too old resource version: ${from} (${this.#store.compacted})`)
    if (tooOld && this.expiredAs === 'status') return refusal

    const timers: (() => void)[] = []
    const closed = (): void => {
      this.#open.delete(watch)
      for (const cancel of timers) cancel()
    }
    const stream = new WatchStream(signal, closed, this.#cutEvery)
    const watch: OpenWatch = { type, selects, stream, after: from }
    if (tooOld) {
      push(stream, { type: 'ERROR', object: refusal.body })
      stream.end()
      return stream
    }
    this.#replay(watch)
    this.#open.add(watch)
    const end = this.#clock.now() + timeoutMillis
    timers.push(this.#clock.timer(end, () => stream.end()))
    if (isTrue(query.get('allowWatchBookmarks'))) this.#bookmark(watch, end - LAST_BOOKMARK_MILLIS, timers)
    return stream
  }

  /** Ends every stream cleanly, as a server does that restarts. */
  closeAll(): void {
    for (const watch of this.#open) watch.stream.end()
  }

  /** Without a version, the present objects come first, as if they had just been added. */
  #replay(watch: OpenWatch): void {
    if (watch.after > 0) {
      for (const revision of this.#store.since(watch.after)) deliver(watch, revision)
      return
    }
    for (const object of this.#store.list(watch.type).filter(watch.selects))
      push(watch.stream, { type: 'ADDED', object })
  }

  #bookmark(watch: OpenWatch, last: number, timers: (() => void)[]): void {
    const now = this.#clock.now()
    if (now >= last) return
    const cancel = this.#clock.timer(Math.min(now + BOOKMARK_MILLIS, last), () => {
      timers.splice(timers.indexOf(cancel), 1)
      push(watch.stream, bookmark(watch.type, Math.max(this.#store.revision, watch.after)))
      this.#bookmark(watch, last, timers)
    })
    timers.push(cancel)
  }
}

function deliver({ type, after, selects, stream }: OpenWatch, revision: Revision): void {
  if (revision.resource !== type || revision.revision <= after) return
  const event = eventFor(selects, revision)
  if (event !== undefined) push(stream, event)
}

/**
 * A watch with selectors sees objects enter and leave its selection as ADDED and DELETED. The object of DELETED is the
 * last state that was selected, with the version of the write that took it out.
 */
function eventFor(selects: Selects, { type, object, previous }: Revision): WatchEvent | undefined {
  const before = previous !== undefined && selects(previous)
  const now = type !== 'DELETED' && selects(object)
  if (now) return { type: before ? 'MODIFIED' : 'ADDED', object }
  if (!before) return undefined
  return { type: 'DELETED', object: withMeta(previous, { resourceVersion: object.metadata.resourceVersion }) }
}

function bookmark(type: ResourceType, revision: number): WatchEvent {
  const object = { kind: type.kind, apiVersion: apiVersionOf(type), metadata: { resourceVersion: String(revision) } }
  return { type: 'BOOKMARK', object }
}

/** The bytes of a frame, by type and object: many watch the same. */
const frames: Partial<Record<WatchEvent['type'], WeakMap<object, Uint8Array>>> = {}

function push(stream: WatchStream, event: WatchEvent): void {
  const made = (frames[event.type] ??= new WeakMap())
  let bytes = made.get(event.object)
  if (!bytes) made.set(event.object, (bytes = frameOf(event)))
  stream.push(bytes, event)
}

/** One JSON document per line. */
function frameOf({ type, object }: WatchEvent): Uint8Array {
  return Buffer.from(`{"type":"${type}","object":${encoded(object)}}\n`)
}
