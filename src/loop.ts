import type { Clock } from './clock.ts'

/**
 * Theory of operation.
 *
 * Everything this program does has one shape: observe → decide → act. `decide` is pure: it sees a whole observation
 * and the time, and returns the actions that are due, the time at which it wants to be asked again, and the reason in
 * words. Nothing is ever done in answer to an *event*: an event changes what is observed and wakes the key. So a lost,
 * doubled or reordered event costs at most time, and a restart needs no memory.
 *
 * The loop runs each key serially, different keys side by side, and it is the only place that waits and retries:
 * - `done`: all actions took effect and their replies are in the observation: decide again at once.
 * - `stale`: somebody else was faster. A fresh read is in the observation: decide again, the first time at once.
 * - `failed`: wait, twice as long each time (jittered), then decide again. A wake does not cut this short, or a busy
 *   watch would turn an outage into a flood.
 *
 * When many keys have something to do, what is urgent for any of them comes before the chores of all: a thousand groups
 * that lose their leaders at once need two writes each until all have one again, and what is to be said of it after.
 */
export interface Brain<Observation, Action> {
  observe(key: string): Observation
  decide(observation: Observation, now: number): Decision<Action>
  /** Carries the actions out, in order, and puts every reply into what `observe` reads. `observation`: what it decided on. */
  act(key: string, decision: Decision<Action>, observation: Observation): Promise<Acted>
  /** False while another process acts: then the loop decides, so that it is warm, and does nothing. */
  mayAct(): boolean
  /** A key could not be brought to rest; it will be tried again after `retryMillis`. */
  failed(key: string, error: unknown, retryMillis: number): void
}

export interface Decision<Action> {
  readonly actions: readonly Action[]
  /** How many of them cannot wait while other keys do. @default all */
  readonly urgent?: number
  /** Monotonic time of the next look without any event; absent when only an event can change the decision. */
  readonly wakeAt?: number
  /** Why, in words for the person who asks. */
  readonly reason: string
}

export type Acted =
  | { readonly kind: 'done' }
  | { readonly kind: 'stale' }
  | { readonly kind: 'failed'; readonly error: unknown; readonly retryAfterMillis?: number }

export interface LoopOptions {
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Keys that act at the same time. @default 32 */
  readonly concurrency?: number
}

const STALE_BACKOFF = { firstMillis: 2, longestMillis: 500 }
const FAILED_BACKOFF = { firstMillis: 100, longestMillis: 8000 }
/** Chores wait for what is urgent elsewhere, but not for ever: after this long they get one turn in so many. */
const CHORES_WAIT_MILLIS = 5000
const CHORES_TURN = 4
/** A decision that does not come to rest in so many passes contradicts itself: it is reported instead of spun on. */
const MAX_PASSES = 200

interface Entry {
  state: 'idle' | 'queued' | 'later' | 'running' | 'backoff'
  /** Stale in a row, since something last took effect. */
  stale: number
  /** Failures since the key was last at rest: a step that succeeds between two that fail must not hurry the retries. */
  failures: number
  cancelTimer: (() => void) | undefined
}

export class Loop<Observation, Action> {
  readonly #brain: Brain<Observation, Action>
  readonly #clock: Clock
  readonly #random: () => number
  readonly #concurrency: number
  readonly #entries = new Map<string, Entry>()
  readonly #queue: string[] = []
  /** Keys that have only chores to do, and since when they wait, oldest first. */
  readonly #later = new Map<string, number>()
  readonly #idleWaiters: (() => void)[] = []
  /** Turns since one was given to chores while others waited. */
  #turns = 0
  #running = 0
  #stopped = false

  constructor(brain: Brain<Observation, Action>, options: LoopOptions) {
    this.#brain = brain
    this.#clock = options.clock
    this.#random = options.random
    this.#concurrency = options.concurrency ?? 32
  }

  /**
   * Something about this key changed. Cheap, coalescing, never runs anything synchronously. A key that is running decides
   * again anyway before it comes to rest.
   */
  wake(key: string): void {
    if (this.#stopped) return
    const entry = this.#entry(key)
    // What has changed may be urgent.
    if (this.#later.delete(key)) return this.#enqueue(key, entry)
    if (entry.state !== 'idle') return
    entry.cancelTimer?.()
    entry.cancelTimer = undefined
    this.#enqueue(key, entry)
  }

  /** Keys waiting for their turn: the depth of the queue, for metrics. */
  get depth(): number {
    return this.#queue.length + this.#later.size
  }

  /** Starts nothing more; resolves when the keys that are acting right now have ended. */
  stop(): Promise<void> {
    this.#stopped = true
    this.#queue.length = 0
    this.#later.clear()
    for (const entry of this.#entries.values()) entry.cancelTimer?.()
    return this.#running === 0 ? Promise.resolve() : new Promise((resolve) => this.#idleWaiters.push(resolve))
  }

  #entry(key: string): Entry {
    let entry = this.#entries.get(key)
    if (!entry) {
      entry = { state: 'idle', stale: 0, failures: 0, cancelTimer: undefined }
      this.#entries.set(key, entry)
    }
    return entry
  }

  #enqueue(key: string, entry: Entry): void {
    entry.state = 'queued'
    this.#queue.push(key)
    if (this.#queue.length === 1) queueMicrotask(() => this.#pump())
  }

  #pump(): void {
    while (this.#running < this.#concurrency) {
      const late = this.#lateKey()
      const key = late ?? this.#queue.shift()
      if (key === undefined) return
      this.#running++
      void this.#run(key, late !== undefined)
    }
  }

  /** The next key whose chores may begin: when nothing else waits, or they have waited for long and it is their turn. */
  #lateKey(): string | undefined {
    const [oldest] = this.#later
    if (!oldest) return undefined
    const [key, since] = oldest
    if (this.#queue.length > 0) {
      if (this.#clock.now() - since < CHORES_WAIT_MILLIS || ++this.#turns < CHORES_TURN) return undefined
      this.#turns = 0
    }
    this.#later.delete(key)
    return key
  }

  async #run(key: string, late: boolean): Promise<void> {
    const entry = this.#entry(key)
    entry.state = 'running'
    try {
      await this.#settle(key, entry, late)
    } catch (error) {
      this.#backOff(key, entry, error)
    }
    this.#running--
    if (this.#running === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve()
    this.#pump()
  }

  /** `late`: its chores have waited already. */
  async #settle(key: string, entry: Entry, late: boolean): Promise<void> {
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const observation = this.#brain.observe(key)
      const decision = this.#brain.decide(observation, this.#clock.now())
      if (decision.actions.length === 0 || !this.#brain.mayAct()) return this.#rest(key, entry, decision)
      if (decision.urgent === 0 && !late && this.#queue.length > 0) return this.#putLater(key, entry)
      const acted = await this.#brain.act(key, decision, observation)
      if (this.#stopped) return
      if (acted.kind === 'failed') return this.#backOff(key, entry, acted.error, acted.retryAfterMillis)
      if (acted.kind === 'done') entry.stale = 0
      else if (entry.stale++ > 0) return this.#pause(key, entry, jittered(STALE_BACKOFF, entry.stale - 1, this.#random))
    }
    throw new Error(`${key} does not come to rest: ${MAX_PASSES} decisions in a row wanted to act`)
  }

  #rest(key: string, entry: Entry, decision: Decision<Action>): void {
    entry.stale = 0
    entry.failures = 0
    entry.state = 'idle'
    if (decision.wakeAt !== undefined) this.#wakeAt(key, entry, decision.wakeAt)
    else this.#entries.delete(key)
  }

  #putLater(key: string, entry: Entry): void {
    entry.state = 'later'
    this.#later.set(key, this.#clock.now())
  }

  #backOff(key: string, entry: Entry, error: unknown, retryAfterMillis = 0): void {
    entry.failures++
    const millis = Math.max(retryAfterMillis, failedBackoffMillis(entry.failures, this.#random))
    this.#pause(key, entry, millis)
    this.#brain.failed(key, error, millis)
  }

  #pause(key: string, entry: Entry, millis: number): void {
    entry.state = 'backoff'
    this.#wakeAt(key, entry, this.#clock.now() + millis)
  }

  #wakeAt(key: string, entry: Entry, at: number): void {
    if (this.#stopped) return
    entry.cancelTimer = this.#clock.timer(at, () => {
      entry.cancelTimer = undefined
      entry.state = 'idle'
      this.wake(key)
    })
  }
}

/** How long to wait after so many failures in a row. */
export function failedBackoffMillis(failures: number, random: () => number): number {
  return jittered(FAILED_BACKOFF, failures, random)
}

/** Doubling, with the upper half of each step random, so that many keys that failed together come back apart. */
function jittered(
  { firstMillis, longestMillis }: typeof FAILED_BACKOFF,
  attempt: number,
  random: () => number,
): number {
  return Math.min(firstMillis * 2 ** (attempt - 1), longestMillis) * (0.5 + random() / 2)
}
