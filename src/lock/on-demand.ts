import type { LeaseRecord, Versioned } from '../election/record.ts'
import type { Lock } from './lock.ts'

/** A lock, and the connections that nobody else uses. */
export interface OpenLock {
  readonly lock: Lock
  readonly close: () => Promise<void>
}

/**
 * A lock that is watched, and that connects with its first request: an elector that does not contend has no connections,
 * and one that was given no credentials reads them when it needs them. What fails to open is tried anew by the next request.
 */
export function onDemand(describe: string, open: () => Promise<OpenLock>): Lock {
  return new OnDemandLock(describe, open)
}

class OnDemandLock implements Lock {
  readonly describe: string
  readonly #open: () => Promise<OpenLock>
  #opened: Promise<OpenLock> | undefined

  constructor(describe: string, open: () => Promise<OpenLock>) {
    this.describe = describe
    this.#open = open
  }

  async read(signal: AbortSignal): Promise<Versioned | 'absent'> {
    return await (await this.#lock()).read(signal)
  }

  async write(next: LeaseRecord, version: string | undefined, signal: AbortSignal): Promise<Versioned | 'conflict'> {
    return await (await this.#lock()).write(next, version, signal)
  }

  async *watch(signal: AbortSignal): AsyncGenerator<Versioned | 'absent', void, void> {
    yield* (await this.#lock()).watch?.(signal) ?? []
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    // What could not be opened was reported by the request that tried.
    const open = await opened?.catch(() => undefined)
    await open?.close()
  }

  async #lock(): Promise<Lock> {
    const opening = (this.#opened ??= this.#open())
    try {
      return (await opening).lock
    } catch (error) {
      if (this.#opened === opening) this.#opened = undefined
      throw error
    }
  }
}
