import type { Leaser } from '../etcd/leaser.ts'
import { ElectionError } from '../lock/errors.ts'
import { GuardedHooks } from '../lock/hooks.ts'
import { Plug } from './plug.ts'

/** What a leased plug tells of. */
export interface LeasedOptions {
  /**
   * Work still runs when somebody else may hold the lease. Pass something that ends the process: nothing is released
   * under it.
   */
  readonly onOverrun?: () => unknown
  /** What a hook throws. @default console.error */
  readonly onError?: (error: ElectionError) => unknown
}

/**
 * A plug that is on while a lease is held. A stop has an order: the plug goes off, the work returns, and only then the
 * lease is released; work that does not return in time is reported.
 */
export class Leased extends Plug {
  readonly #leaser: Leaser
  readonly #options: LeasedOptions
  #end: Promise<void> | undefined
  #isRunning = false

  constructor(leaser: Leaser, options: LeasedOptions = {}) {
    super()
    this.#leaser = leaser
    this.#options = options
  }

  /**
   * Waits for the lease, turns the plug on, and holds the lease until it is lost, the plug is stopped, or `signal`
   * aborts, which is a stop without a reason. Resolves when all is released.
   *
   * @throws what the plug was stopped with: what the leaser said when the lease was lost, or the reason given to `stop`
   */
  async run({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#isRunning) throw new Error(`${this.#leaser.describe}: run is under way already`)
    this.#isRunning = true
    const stop = (): void => void this.stop()
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    try {
      await this.#leaser.acquireAndHold(() => this.start(), { signal: this.signal })
      await this.stop()
    } catch (error) {
      await this.stop(error instanceof Error ? error : new Error(String(error)))
    } finally {
      signal?.removeEventListener('abort', stop)
    }
    await this.waitForStop()
  }

  /** Does nothing unless the lease is held. */
  override start(): void {
    if (this.#leaser.isHeld()) super.start()
  }

  /** Compares clocks: false from the lease's end on, even if nothing has had the time to stop the plug. */
  override isStarted(): boolean {
    return super.isStarted() && this.#leaser.isHeld()
  }

  /** As every plug's; resolves when the lease is released, or left to expire. */
  override stop(error?: Error): Promise<void> {
    this.#end ??= this.#stopInOrder(error)
    return this.#end
  }

  async #stopInOrder(reason: Error | undefined): Promise<void> {
    const hasReturned = new AbortController()
    const returned = super.stop(reason).then(() => hasReturned.abort())
    await Promise.race([returned, this.#leaser.expiry(hasReturned.signal)])
    if (hasReturned.signal.aborted) return this.#leaser.release()
    await this.#overran()
  }

  async #overran(): Promise<void> {
    try {
      await this.#options.onOverrun?.()
    } catch (cause) {
      new GuardedHooks(this.#options).error(
        new ElectionError('hook', `onOverrun has thrown: ${String(cause)}`, { cause }),
      )
    }
  }
}
