import type { Clock } from '../clock.ts'
import type { Api } from './api.ts'
import type { KubeObject, Resource } from './objects.ts'
import { ApiError } from './outcome.ts'
import { collectionPath } from './path.ts'
import { watch, type Change, type WatchSource } from './watch.ts'

/**
 * If more objects of a namespace are watched, one stream brings all that are there. A stream takes a connection, and a
 * thousand of them some hundred megabytes on either side; but who watches all makes each write there dearer for the server.
 */
const FEW = 8

/** Which object. */
export interface ObjectSource<T extends KubeObject> {
  readonly resource: Resource<T>
  readonly namespace: string
  readonly name: string
  /** Reduces each object to what is used. The same for all that are watched of one type. */
  readonly trim: (object: T) => T
}

interface Surroundings {
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
}

/**
 * Tells of one object: as it is, and whenever it has changed, states in between left out or not. Until `signal` aborts.
 *
 * A few objects are watched one by one, which asks for no more than is needed. Many of a namespace share a stream of all that
 * are there, if that is permitted: a role may name single objects, and then each has a stream of its own.
 */
export async function* watchObject<T extends KubeObject>(
  api: Api,
  source: ObjectSource<T>,
  options: Surroundings,
): AsyncGenerator<T | 'absent', void> {
  yield* crowdOf(api, source).follow(source, options)
}

/** Of each client, what is watched with it at the moment. */
const crowds = new WeakMap<Api, Map<string, Crowd<KubeObject>>>()

function crowdOf<T extends KubeObject>(api: Api, { resource, namespace }: ObjectSource<T>): Crowd<T> {
  const known = crowds.get(api) ?? new Map<string, Crowd<KubeObject>>()
  crowds.set(api, known)
  const path = collectionPath(resource, namespace)
  // By its path: of one path all are of one type.
  const crowd = (known.get(path) as Crowd<T> | undefined) ?? new Crowd<T>(api, () => known.delete(path))
  known.set(path, crowd as unknown as Crowd<KubeObject>)
  return crowd
}

/** Who watches objects of one type in one namespace. */
class Crowd<T extends KubeObject> {
  readonly #api: Api
  readonly #forget: () => void
  readonly #gone = new AbortController()
  /** Aborts when the shared stream has brought all that are there. */
  readonly #begun = new AbortController()
  #size = 0
  /** Undefined as long as they are few. */
  #all: SharedStream<T> | undefined

  constructor(api: Api, forget: () => void) {
    this.#api = api
    this.#forget = forget
  }

  async *follow(source: ObjectSource<T>, options: Surroundings): AsyncGenerator<T | 'absent', void> {
    this.#enter(source, options)
    try {
      // Whoever was there before has a stream of its own until then, and for good if there is to be no shared one.
      if (this.#all === undefined) yield* this.#alone(source, options, [this.#begun.signal])
      if (this.#all !== undefined) yield* this.#all.follow(source.name, options.signal)
      if (!options.signal.aborted) yield* this.#alone(source, options)
    } finally {
      this.#leave()
    }
  }

  #enter({ resource, namespace, trim }: ObjectSource<T>, { clock, random }: Surroundings): void {
    this.#size++
    if (this.#size <= FEW || this.#all !== undefined) return
    const [{ signal }, begun] = [this.#gone, this.#begun]
    this.#all = new SharedStream<T>(() => begun.abort())
    void this.#all.run(this.#api, { resource, namespace, trim }, { clock, random, signal })
  }

  #leave(): void {
    this.#size--
    if (this.#size > 0) return
    this.#gone.abort()
    this.#forget()
  }

  async *#alone(
    { resource, namespace, name, trim }: ObjectSource<T>,
    { clock, random, signal }: Surroundings,
    ends: readonly AbortSignal[] = [],
  ): AsyncGenerator<T | 'absent', void> {
    const source = { resource, namespace, fieldSelector: `metadata.name=${name}`, trim }
    for await (const change of watch(this.#api, source, {
      clock,
      random,
      signal: AbortSignal.any([signal, ...ends]),
    })) {
      const object = change.kind === 'reset' ? change.objects[0] : change.kind === 'apply' ? change.object : undefined
      yield object ?? 'absent'
    }
  }
}

/** One stream of all that are there, for any number of listeners to single ones. */
class SharedStream<T extends KubeObject> {
  readonly #onBegin: () => void
  readonly #objects = new Map<string, T>()
  readonly #listeners = new Map<string, Set<Latest<T | 'absent'>>>()
  #hasBegun = false
  #isForbidden = false

  constructor(onBegin: () => void) {
    this.#onBegin = onBegin
  }

  async run(api: Api, source: WatchSource<T>, { signal, ...options }: Surroundings): Promise<void> {
    const refused = new AbortController()
    const onError = (error: Error): void => {
      if (error instanceof ApiError && error.status === 403) refused.abort()
    }
    const all = watch(api, source, { ...options, signal: AbortSignal.any([signal, refused.signal]), onError })
    for await (const change of all) this.#apply(change)
    if (signal.aborted) return
    this.#isForbidden = true
    for (const listeners of this.#listeners.values()) for (const latest of listeners) latest.end()
  }

  /** Ends when `signal` aborts, or when the stream is forbidden. */
  async *follow(name: string, signal: AbortSignal): AsyncGenerator<T | 'absent', void> {
    if (this.#isForbidden || signal.aborted) return
    const latest = new Latest<T | 'absent'>()
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(latest))
    const onAbort = (): void => latest.end()
    signal.addEventListener('abort', onAbort, { once: true })
    if (this.#hasBegun) latest.tell(this.#objects.get(name) ?? 'absent')
    try {
      yield* latest.news()
    } finally {
      signal.removeEventListener('abort', onAbort)
      listeners.delete(latest)
      if (listeners.size === 0) this.#listeners.delete(name)
    }
  }

  #apply(change: Change<T>): void {
    switch (change.kind) {
      case 'reset':
        this.#objects.clear()
        for (const object of change.objects) this.#objects.set(object.metadata.name, object)
        for (const name of this.#listeners.keys()) this.#tell(name)
        this.#hasBegun = true
        return this.#onBegin()
      case 'apply':
        this.#objects.set(change.object.metadata.name, change.object)
        return this.#tell(change.object.metadata.name)
      case 'delete':
        this.#objects.delete(change.object.metadata.name)
        return this.#tell(change.object.metadata.name)
    }
  }

  #tell(name: string): void {
    for (const latest of this.#listeners.get(name) ?? []) latest.tell(this.#objects.get(name) ?? 'absent')
  }
}

/** What was told last, for one who may be slow. */
class Latest<T> {
  #news: T | undefined
  #isOver = false
  #wake: () => void = () => undefined

  tell(news: T): void {
    this.#news = news
    this.#wake()
  }

  /** What was not taken yet is for nobody any more. */
  end(): void {
    this.#isOver = true
    this.#wake()
  }

  async *news(): AsyncGenerator<T, void> {
    while (!this.#isOver) {
      const news = this.#news
      this.#news = undefined
      if (news !== undefined) yield news
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}
