import type { Clock } from '../clock.ts'
import type { Instant } from '../election/observation.ts'
import { ElectionError } from '../lock/errors.ts'
import { Loop, type Acted } from '../loop.ts'
import { decide, isReleased, type Action } from './decide.ts'
import { EtcdClient } from './etcd-client.ts'
import { EtcdKey, type Found, type Swap } from './etcd-key.ts'
import { EtcdError } from './etcd-error.ts'
import { LeaseLostError } from './lease-lost-error.ts'
import type { Leaser } from './leaser.ts'
import { parseLeaserOptions, type EtcdLeaserOptions, type LeaserSettings } from './leaser-options.ts'
import {
  exclusiveMillis,
  firstObservation,
  heldUntil,
  remainingMillis,
  type Holding,
  type Observation,
} from './observation.ts'
import { observe, type Event } from './observe.ts'
import { timerUnlessAborted } from './timer-unless-aborted.ts'

/** One call of `acquireAndHold`. */
interface Stretch {
  readonly acquired: () => void
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  hasAcquired: boolean
}

/**
 * Holds a key of etcd, as OpenShift's leaser did, with a lease of etcd's third version: the shell around `observe` and
 * `decide`. Whatever happens is folded into the observation at once; requests go through the loop, one at a time.
 */
export class EtcdLeaser implements Leaser {
  /** Names it to people. */
  readonly describe: string
  readonly #settings: LeaserSettings
  readonly #clock: Clock
  readonly #key: EtcdKey
  readonly #loop: Loop<Observation, Action>
  #o: Observation
  #stretch: Stretch | undefined
  /** Aborts requests and the watch that nobody waits for any more. */
  #requests = new AbortController()
  #cancelDeadline: (() => void) | undefined
  #deadlineAt: number | undefined
  /** What was held last: it tells when somebody else may hold the key, also after the loss. */
  #lastHolding: Holding | undefined
  #releasing: PromiseWithResolvers<void> | undefined

  /** @throws InvalidOptionsError with every violation */
  constructor(options: EtcdLeaserOptions) {
    this.#settings = parseLeaserOptions(options)
    const { etcd, key, value, timing, clock, random, requestTimeoutMillis } = this.#settings
    this.describe = `etcd key ${key}`
    this.#clock = clock
    this.#key = new EtcdKey(new EtcdClient(etcd, clock, requestTimeoutMillis), key)
    this.#o = firstObservation(value, timing)
    this.#loop = new Loop<Observation, Action>(
      {
        observe: () => this.#o,
        decide: (o) => decide(o, this.#now()),
        act: (_key, { actions }) => this.#act(actions),
        mayAct: () => true,
        failed: (_key, error) => this.#report(error),
      },
      { clock, random },
    )
  }

  /** See {@link Leaser.acquireAndHold}. */
  async acquireAndHold(acquired: () => void, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#releasing?.promise
    if (this.#stretch) throw new Error(`${this.describe}: acquireAndHold is under way already`)
    if (signal?.aborted) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#stretch = { acquired, resolve, reject, hasAcquired: false }
    const stop = (): void => this.#stop({ kind: 'idle', at: this.#now() })
    signal?.addEventListener('abort', stop, { once: true })
    this.#requests = new AbortController()
    this.#fold({ kind: 'contend', at: this.#now() })
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Compares clocks: whether work may go on. */
  isHeld(): boolean {
    const at = this.#now()
    const { holding } = this.#o
    // What is over stays over, though no timer may have fired yet: whoever asks must not see it come back.
    if (holding && remainingMillis(this.#o, holding, at) <= 0) this.#fold({ kind: 'tick', at })
    return this.#o.holding !== undefined
  }

  /**
   * The fencing token of what is held, or was lost and not released: the revision of the write that acquired. It grows
   * for as long as the store lives.
   */
  get token(): bigint | undefined {
    return this.#lastHolding && BigInt(this.#lastHolding.modRevision)
  }

  /** See {@link Leaser.expiry}. */
  async expiry(signal: AbortSignal): Promise<void> {
    // A renewal may move it while we wait.
    do {
      const left = this.#lastHolding ? exclusiveMillis(this.#o, this.#lastHolding, this.#now()) : 0
      await timerUnlessAborted(this.#clock, this.#clock.now() + Math.max(Math.ceil(left), 0), signal)
    } while (!signal.aborted && this.#lastHolding && exclusiveMillis(this.#o, this.#lastHolding, this.#now()) > 0)
  }

  /** Lets somebody else have it at once. Never rejects. */
  release(): Promise<void> {
    if (this.#releasing) return this.#releasing.promise
    const releasing = Promise.withResolvers<void>()
    this.#releasing = releasing
    this.#stop({ kind: 'release', at: this.#now() })
    return releasing.promise
  }

  // ---- folding, and what follows from it

  #now(): Instant {
    return { monotonic: this.#clock.now(), wall: this.#clock.wallNow() }
  }

  /** Ends the stretch by wish. Its requests are given up: whatever they may have written lives with a lease we know. */
  #stop(event: Event): void {
    const stretch = this.#stretch
    this.#stretch = undefined
    this.#requests.abort()
    this.#requests = new AbortController()
    this.#fold(event)
    stretch?.resolve()
  }

  #fold(event: Event): void {
    this.#o = observe(this.#o, event)
    const { holding } = this.#o
    if (holding) this.#lastHolding = holding
    this.#armDeadline(holding)
    this.#settleStretch()
    this.#settleRelease()
    this.#loop.wake(this.describe)
  }

  #armDeadline(holding: Holding | undefined): void {
    const at = holding && heldUntil(this.#o, holding)
    if (at === this.#deadlineAt) return
    this.#deadlineAt = at
    this.#cancelDeadline?.()
    const look = (): void => {
      this.#deadlineAt = undefined
      this.#fold({ kind: 'tick', at: this.#now() })
    }
    this.#cancelDeadline = at === undefined ? undefined : this.#clock.timer(at, look)
  }

  #settleStretch(): void {
    const stretch = this.#stretch
    if (!stretch) return
    if (this.#o.loss) return this.#endStretch(stretch, new LeaseLostError(this.describe, this.#o.loss))
    if (!this.#o.holding || stretch.hasAcquired) return
    stretch.hasAcquired = true
    try {
      stretch.acquired()
    } catch (error) {
      this.#o = observe(this.#o, { kind: 'idle', at: this.#now() })
      this.#endStretch(stretch, error)
    }
  }

  #endStretch({ reject }: Stretch, error: unknown): void {
    this.#stretch = undefined
    this.#requests.abort()
    reject(error)
  }

  #settleRelease(): void {
    if (this.#o.intent !== 'release' || !isReleased(this.#o)) return
    this.#o = firstObservation(this.#o.value, this.#o.timing)
    this.#lastHolding = undefined
    this.#releasing?.resolve()
    this.#releasing = undefined
  }

  #report(error: unknown): void {
    const { status } = error instanceof EtcdError ? error : {}
    const said = error instanceof Error ? error.message : String(error)
    const code = error instanceof EtcdError && error.isForbidden ? 'forbidden' : 'unreachable'
    this.#settings.hooks.error(new ElectionError(code, `${this.describe}: ${said}`, { status, cause: error }))
  }

  // ---- acting

  async #act(actions: readonly Action[]): Promise<Acted> {
    const { signal } = this.#requests
    for (const action of actions) {
      // What was decided on for a stretch that is over is not to be done in the next one.
      if (signal.aborted) break
      try {
        await this.#perform(action, signal)
      } catch (error) {
        // Given up by us: that is no failure.
        if (signal.aborted) break
        this.#fold({ kind: 'failed', at: this.#now() })
        this.#report(error)
      }
    }
    return { kind: 'done' }
  }

  async #perform(action: Action, signal: AbortSignal): Promise<void> {
    switch (action.kind) {
      case 'tick':
        return this.#fold({ kind: 'tick', at: this.#now() })
      case 'watch':
        return this.#watch(action.from, signal)
      case 'read':
        return this.#read(signal)
      case 'acquire':
        return this.#acquire(action.seen, signal)
      case 'adopt':
        return this.#adopt(action.seen, action.lease, signal)
      case 'renew':
        return this.#renew(action.lease, signal)
      case 'release':
        return this.#revoke(action.leases, signal)
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const startedAt = this.#now()
    const sighting = await this.#key.read(signal)
    this.#foldIf(signal, { kind: 'saw', at: this.#now(), startedAt, sighting })
  }

  async #acquire(seen: Found | 'absent', signal: AbortSignal): Promise<void> {
    const startedAt = this.#now()
    const { lease, ttlMillis } = await this.#key.grant(this.#o.timing.ttlMillis / 1000, signal)
    this.#fold({ kind: 'leased', at: this.#now(), lease })
    if (await this.#swap(seen, { lease, renewedAt: startedAt, ttlMillis }, signal)) return
    await this.#key.revoke(lease, signal)
    this.#fold({ kind: 'ended', at: this.#now(), lease })
  }

  async #adopt(seen: Found, lease: string, signal: AbortSignal): Promise<void> {
    const renewedAt = this.#now()
    const ttlMillis = await this.#key.timeToLive(lease, signal)
    // Too short to hold: once it has ended, the key is free.
    if (ttlMillis === 'gone') return this.#foldIf(signal, { kind: 'failed', at: this.#now() })
    this.#fold({ kind: 'leased', at: this.#now(), lease })
    await this.#swap(seen, { lease, renewedAt, ttlMillis }, signal)
  }

  /** Resolves to false when somebody else was faster, and the lease is of no use. */
  async #swap(seen: Found | 'absent', holding: Omit<Holding, 'modRevision'>, signal: AbortSignal): Promise<boolean> {
    const swap: Swap = await this.#key.swap(seen, this.#o.value, holding.lease, signal)
    const at = this.#now()
    switch (swap.kind) {
      case 'swapped':
        this.#foldIf(signal, { kind: 'swapped', at, holding: { ...holding, modRevision: swap.modRevision } })
        return true
      case 'stale':
        this.#foldIf(signal, { kind: 'saw', at, startedAt: holding.renewedAt, sighting: swap.sighting })
        return false
      case 'leaseGone':
        this.#fold({ kind: 'ended', at, lease: holding.lease })
        this.#foldIf(signal, { kind: 'failed', at })
        return true
    }
  }

  async #renew(lease: string, signal: AbortSignal): Promise<void> {
    const startedAt = this.#now()
    const ttlMillis = await this.#key.keepAlive(lease, signal)
    if (ttlMillis === 'gone') return this.#foldIf(signal, { kind: 'ended', at: this.#now(), lease })
    await this.#read(signal)
    this.#foldIf(signal, { kind: 'renewed', at: this.#now(), startedAt, ttlMillis })
  }

  async #revoke(leases: readonly string[], signal: AbortSignal): Promise<void> {
    for (const lease of leases) {
      await this.#key.revoke(lease, signal)
      this.#fold({ kind: 'ended', at: this.#now(), lease })
    }
  }

  /** Opens the watch and returns; it goes on beside the requests. */
  #watch(from: bigint, signal: AbortSignal): void {
    this.#fold({ kind: 'watching', at: this.#now(), open: true })
    void this.#follow(from, signal)
  }

  async #follow(from: bigint, signal: AbortSignal): Promise<void> {
    try {
      for await (const sighting of this.#key.watch(from, signal)) {
        this.#foldIf(signal, { kind: 'saw', at: this.#now(), sighting })
      }
    } catch (error) {
      if (signal.aborted) return
      this.#fold({ kind: 'watching', at: this.#now(), open: false })
      this.#report(error)
    }
  }

  /** What an earlier stretch asked for is no news of this one. */
  #foldIf(signal: AbortSignal, event: Event): void {
    if (!signal.aborted) this.#fold(event)
  }
}
