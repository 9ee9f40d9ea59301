/** Commits as an observer on a connection of its own sees them, stamped with monotonic time. */
import { systemClock as clock, deadline } from '../src/clock.ts'
import type { Api } from '../src/kube/api.ts'
import { frames } from '../src/kube/frames.ts'
import type { KubeObject, Resource } from '../src/kube/objects.ts'
import { parseEvent } from '../src/kube/watch-event.ts'
import { must } from '../e2e/controlplane/must.ts'

export interface Commit<T> {
  /** Monotonic milliseconds at which its event arrived here. */
  readonly at: number
  readonly gone: boolean
  readonly object: T
}

/** Longer than any benchmark. */
const WATCH_SECONDS = 7200
const LIMIT_MILLIS = 60_000

/** The commits of one resource from the call on. Dispose of it, or its watch stays open. */
export async function watchCommits<T extends KubeObject>(
  api: Api,
  resource: Resource<T>,
  namespace?: string,
): Promise<Commits<T>> {
  const scope = namespace === undefined ? {} : { namespace }
  const { resourceVersion } = must(await api.list(resource, { ...scope, limit: 1 }))
  const end = new AbortController()
  const open = async (from: string): Promise<AsyncIterable<Uint8Array>> => {
    const options = { ...scope, resourceVersion: from, timeoutSeconds: WATCH_SECONDS, signal: end.signal }
    return must(await api.openWatch(resource, options)).body
  }
  return new Commits(resource.plural, { open, resourceVersion, body: await open(resourceVersion) }, end)
}

interface Watching {
  readonly open: (from: string) => Promise<AsyncIterable<Uint8Array>>
  readonly resourceVersion: string
  readonly body: AsyncIterable<Uint8Array>
}

export class Commits<T extends KubeObject> implements AsyncDisposable {
  readonly #what: string
  readonly #end: AbortController
  readonly #following: Promise<void>
  readonly #listeners = new Set<(commit: Commit<T>) => void>()
  readonly #lost = Promise.withResolvers<never>()

  constructor(what: string, watching: Watching, end: AbortController) {
    this.#what = what
    this.#end = end
    this.#lost.promise.catch(() => undefined)
    this.#following = this.#follow(watching).catch(this.#lost.reject)
  }

  /** Calls `listener` with each commit, in order; the returned function ends that. */
  on(listener: (commit: Commit<T>) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves to the first commit from now on of which `isIt` is true. */
  async next(what: string, isIt: (commit: Commit<T>) => boolean): Promise<Commit<T>> {
    const found = Promise.withResolvers<Commit<T>>()
    using limit = deadline(clock, what, LIMIT_MILLIS)
    limit.signal.addEventListener('abort', () => found.reject(limit.signal.reason as Error), { once: true })
    const off = this.on((commit) => {
      if (isIt(commit)) found.resolve(commit)
    })
    try {
      return await Promise.race([found.promise, this.#lost.promise])
    } finally {
      off()
    }
  }

  /** Rejects when the watch breaks off: nothing more will be seen then. */
  get lost(): Promise<never> {
    return this.#lost.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new Error('observed enough'))
    await this.#following
  }

  /** The API server ends a watch that it would have to wait for; it goes on where that one was. */
  async #follow({ open, resourceVersion, body }: Watching): Promise<void> {
    let last = resourceVersion
    try {
      for (let stream = body; ; stream = await open(last)) {
        for await (const frame of frames(stream)) {
          const at = clock.now()
          const event = parseEvent<T>(`watch of ${this.#what}`, frame)
          if (event.type === 'ERROR') throw new Error(`the watch of ${this.#what} broke off: ${event.text}`)
          last = event.object.metadata.resourceVersion
          if (event.type === 'BOOKMARK') continue
          const commit = { at, gone: event.type === 'DELETED', object: event.object }
          for (const listener of this.#listeners) listener(commit)
        }
      }
    } catch (error) {
      if (!this.#end.signal.aborted) throw error
    }
  }
}
