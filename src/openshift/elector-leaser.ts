import type { Leaser } from '../etcd/leaser.ts'
import { abortOf } from '../lock/abort-of.ts'
import { Elector } from '../lock/elector.ts'
import type { Lock } from '../lock/lock.ts'
import type { ElectorOptions } from '../lock/options.ts'
import type { Term } from '../lock/term.ts'

/** Those of an elector that is given its lock and identity. */
export type ElectorLeaserOptions = ElectorOptions & { readonly lock: Lock; readonly identity: string }

/** An elector's terms as leases: what holds a lock of Kubernetes, for what expects a leaser. */
export class ElectorLeaser implements Leaser {
  /** Names it to people. */
  readonly describe: string
  readonly #options: ElectorLeaserOptions
  readonly #lost: (reason: unknown) => unknown
  #elector: Elector
  #term: Term | undefined
  #overrun = Promise.withResolvers<void>()

  /**
   * @param lost what to reject with when a term is lost, given the reason of its signal
   * @throws InvalidOptionsError with every violation
   */
  constructor(options: ElectorLeaserOptions, lost: (reason: unknown) => unknown = (reason) => reason) {
    this.#options = options
    this.#lost = lost
    this.describe = options.lock.describe
    this.#elector = this.#renewed()
  }

  /** See {@link Leaser.acquireAndHold}. */
  async acquireAndHold(acquired: () => void, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const elector = this.#elector
    const term = await this.#acquire(elector, signal)
    if (!term) return
    this.#term = term
    // Not renewed from then on, and not released before its work has returned.
    const stop = (): void => void elector.stepDown()
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    else acquired()
    await abortOf(term.signal)
    signal?.removeEventListener('abort', stop)
    // Our own wish to end is none of the reasons to reject.
    if (elector !== this.#elector || signal?.aborted) return
    throw this.#lost(term.signal.reason)
  }

  /** Compares clocks: whether work may go on. */
  isHeld(): boolean {
    return this.#term?.isCurrent() ?? false
  }

  /** See {@link Leaser.expiry}. */
  async expiry(signal: AbortSignal): Promise<void> {
    if (this.#term) await Promise.race([this.#overrun.promise, abortOf(signal)])
  }

  /** Lets somebody else have it at once. Never rejects. */
  async release(): Promise<void> {
    const [elector, term] = [this.#elector, this.#term]
    this.#elector = this.#renewed()
    this.#term = undefined
    await term?.[Symbol.asyncDispose]()
    await elector[Symbol.asyncDispose]()
  }

  /** An elector that was disposed of is of no use any more. */
  #renewed(): Elector {
    const overrun = Promise.withResolvers<void>()
    this.#overrun = overrun
    const onOverrun = (term: Term): unknown => {
      overrun.resolve()
      return this.#options.onOverrun?.(term)
    }
    return new Elector({ ...this.#options, onOverrun })
  }

  /** Undefined: nobody wants it any more. */
  async #acquire(elector: Elector, signal: AbortSignal | undefined): Promise<Term | undefined> {
    try {
      return await elector.acquire(signal ? { signal } : {})
    } catch (error) {
      if (signal?.aborted || elector !== this.#elector) return undefined
      throw error
    }
  }
}
