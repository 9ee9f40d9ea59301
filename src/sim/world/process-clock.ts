import type { Clock } from '../../clock.ts'

export interface ClockPlan {
  /** Of its wall clock. */
  readonly offsetMillis: number
  /** How fast it runs: 2 is twice as fast as the world. */
  readonly rate: number
}

interface Timer {
  readonly at: number
  readonly fire: () => void
  cancel: () => void
}

/**
 * The time of one process: its clock has an offset and a rate of its own, and its wall clock can be stepped. It can be
 * - paused, as by SIGSTOP: the clocks run on, but no timer fires and no answer arrives until it goes on;
 * - suspended, as with its machine: that, and its monotonic clock stands still, while the wall clock runs on;
 * - killed: nothing happens in it any more.
 */
export class ProcessClock implements Clock {
  readonly #world: Clock
  readonly #rate: number
  readonly #timers = new Set<Timer>()
  /** World time and local time of one instant, from which the rest follows. */
  #anchor: { world: number; local: number }
  #wallOffset: number
  /** What is due since the process was stopped; undefined while it runs. */
  #due: (() => void)[] | undefined
  #suspendedAt: number | undefined
  #latest = 0
  #isDead = false
  readonly #stops = new Set<symbol>()
  readonly #suspensions = new Set<symbol>()
  /** Called when the rate of the monotonic clock changes: 0 while it is suspended. */
  onRate: (rate: number) => void = () => undefined
  /** Called when it stops, and when it goes on and has done what was due. */
  onRunning: (runs: boolean) => void = () => undefined

  constructor(world: Clock, { offsetMillis, rate }: ClockPlan) {
    this.#world = world
    this.#rate = rate
    this.#anchor = { world: world.now(), local: 0 }
    this.#wallOffset = world.wallNow() + offsetMillis
  }

  now(): number {
    const { world, local } = this.#anchor
    const passed = ((this.#suspendedAt ?? this.#world.now()) - world) * this.#rate
    // A timer must never find that it is early by a rounding error.
    this.#latest = Math.max(this.#latest, local + passed)
    return this.#latest
  }

  wallNow(): number {
    const slept = this.#suspendedAt === undefined ? 0 : this.#world.now() - this.#suspendedAt
    return this.#wallOffset + this.now() + slept
  }

  timer(at: number, fire: () => void): () => void {
    const timer: Timer = { at, fire, cancel: () => undefined }
    if (this.#isDead) return timer.cancel
    this.#timers.add(timer)
    if (this.#suspendedAt === undefined) this.#arm(timer)
    return () => {
      if (this.#timers.delete(timer)) timer.cancel()
    }
  }

  get rate(): number {
    return this.#rate
  }

  get isStopped(): boolean {
    return this.#due !== undefined
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** Returns its end. */
  pause(): () => void {
    const pause = Symbol('pause')
    this.#stops.add(pause)
    if (this.#due === undefined && !this.#isDead) {
      this.#due = []
      this.onRunning(false)
    }
    return () => {
      if (this.#stops.delete(pause) && this.#stops.size === 0) this.#goOn()
    }
  }

  /** Returns its end. */
  suspend(): () => void {
    const goOn = this.pause()
    const suspension = Symbol('suspension')
    this.#suspensions.add(suspension)
    if (this.#suspendedAt === undefined) {
      this.now()
      this.#suspendedAt = this.#world.now()
      for (const { cancel } of this.#timers) cancel()
      this.onRate(0)
    }
    return () => {
      if (this.#suspensions.delete(suspension) && this.#suspensions.size === 0) this.#wakeUp()
      goOn()
    }
  }

  /** Ends all pauses and suspensions. */
  resume(): void {
    this.#suspensions.clear()
    this.#stops.clear()
    this.#wakeUp()
    this.#goOn()
  }

  #wakeUp(): void {
    if (this.#suspendedAt === undefined || this.#isDead) return
    const world = this.#world.now()
    this.#wallOffset += world - this.#suspendedAt
    this.#anchor = { world, local: this.#latest }
    this.#suspendedAt = undefined
    this.onRate(this.#rate)
    for (const timer of this.#timers) this.#arm(timer)
  }

  #goOn(): void {
    if (this.#due === undefined || this.#isDead) return
    const due = this.#due
    this.#due = undefined
    for (const run of due) run()
    this.onRunning(true)
  }

  stepWall(millis: number): void {
    this.#wallOffset += millis
  }

  kill(): void {
    this.#isDead = true
    this.#due = undefined
    for (const { cancel } of this.#timers) cancel()
    this.#timers.clear()
  }

  /** Runs it now, or as soon as the process goes on; never if it is dead. */
  whenRunning(run: () => void): void {
    if (this.#isDead) return
    if (this.#due) this.#due.push(run)
    else run()
  }

  #arm(timer: Timer): void {
    const { world, local } = this.#anchor
    timer.cancel = this.#world.timer(world + (timer.at - local) / this.#rate, () => {
      this.whenRunning(() => {
        // Cancelled by what was due before it.
        if (!this.#timers.delete(timer)) return
        this.#latest = Math.max(this.#latest, timer.at)
        timer.fire()
      })
    })
  }
}
