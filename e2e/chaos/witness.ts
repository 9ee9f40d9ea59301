/**
 * What the store holds, version by version, on a connection of its own to etcd: no API server and no injected fault stands
 * between. It outlives kills of etcd, and a compaction waits for it, so it misses nothing.
 */
import { sleepUntil, systemClock } from '../../src/clock.ts'
import type { LeaderGroup } from '../../src/group/leadergroup.ts'
import type { Lease, Pod } from '../../src/kube/objects.ts'
import { monotonicMillis } from '../candidates/line.ts'
import type { Change } from '../history.ts'
import { HistoryLost, changeOf, revisionOf, storeEvents } from '../store-stream.ts'

const RETRY_MILLIS = 100

/** A change, what was before it, and when it was seen. */
export interface Seen {
  readonly change: Change
  readonly before: Change['object'] | undefined
  readonly atMillis: number
}

export class Witness implements AsyncDisposable {
  /** By name, as they are now. */
  readonly pods = new Map<string, Pod>()
  readonly leases = new Map<string, Lease>()
  readonly groups = new Map<string, LeaderGroup>()
  /** Up to here everything has been seen. */
  revision = 0
  readonly #known = { pod: this.pods, lease: this.leases, group: this.groups }
  readonly #etcd: string
  readonly #namespace: string
  readonly #tell: (seen: Seen) => void
  readonly #stop = new AbortController()
  readonly #waiting = new Set<() => void>()
  #following: Promise<void> = Promise.resolve()
  #fault: unknown

  constructor(etcd: string, namespace: string, tell: (seen: Seen) => void) {
    this.#etcd = etcd
    this.#namespace = namespace
    this.#tell = tell
  }

  /** From now on; the namespace is empty. */
  async begin(): Promise<void> {
    this.revision = await revisionOf(this.#etcd)
    this.#following = this.#follow().catch((error: unknown) => {
      this.#fault = error
      this.#wakeAll()
    })
  }

  /** Asks again at every change until the answer is not undefined; rejects when the signal aborts. */
  async until<T>(ask: () => T | undefined, signal: AbortSignal): Promise<T> {
    for (;;) {
      signal.throwIfAborted()
      if (this.#fault) throw new Error('the history was lost', { cause: this.#fault })
      const answer = ask()
      if (answer !== undefined) return answer
      await this.#change(signal)
    }
  }

  /** Until all has been seen that was written before this was called. */
  async caughtUp(signal: AbortSignal): Promise<void> {
    const revision = await revisionOf(this.#etcd, signal)
    await this.until(() => (this.revision >= revision ? true : undefined), signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the run is over'))
    await this.#following
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        for await (const event of storeEvents(this.#etcd, this.revision + 1, signal)) {
          const change = changeOf(event, this.#namespace)
          this.revision = Number(event.kv.mod_revision)
          if (change) this.#see(change)
          this.#wakeAll()
        }
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof HistoryLost || !isNetwork(error)) throw error
      }
      // etcd was killed: it goes on where it was.
      await sleepUntil(systemClock, systemClock.now() + RETRY_MILLIS, signal).catch(() => undefined)
    }
  }

  #see(change: Change): void {
    const { name } = change.object.metadata
    const before = this.#known[change.kind].get(name)
    if (change.gone) this.#known[change.kind].delete(name)
    else if (change.kind === 'pod') this.pods.set(name, change.object)
    else if (change.kind === 'lease') this.leases.set(name, change.object)
    else this.groups.set(name, change.object)
    this.#tell({ change, before, atMillis: monotonicMillis() })
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.delete(wake)
        reject(signal.reason as Error)
      }
      const wake = (): void => {
        signal.removeEventListener('abort', abort)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', abort, { once: true })
    })
  }

  #wakeAll(): void {
    const all = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of all) wake()
  }
}

/** `fetch` and its streams say so with a TypeError. */
function isNetwork(error: unknown): boolean {
  return error instanceof TypeError
}
