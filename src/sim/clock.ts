import { strict as assert } from 'node:assert'
import type { Clock } from '../clock.ts'

/** 2026-01-01T00:00:00Z, so that simulated stamps are the same in every run. */
const WALL_START_MILLIS = Date.UTC(2026, 0, 1)

/** Timers that may fire at one instant. More is a loop that waits for nothing, which real time would hide. */
const MOST_TIMERS_PER_INSTANT = 100_000

interface Timer {
  readonly at: number
  /** Order of creation: decides between timers of the same time, as it does in a real event loop. */
  readonly sequence: number
  readonly fire: () => void
}

/**
 * Time that moves only when told to. The same program gives the same history on every run, because timers fire in a
 * fixed order, and all that a timer sets off is over before the next one fires.
 *
 * That holds while no real input, output or timer is involved: an immediate runs after every pending promise
 * reaction and tick is done, so one turn of it is a full drain.
 */
export class VirtualClock implements Clock {
  #now = 0
  #wallOffset = WALL_START_MILLIS
  #sequence = 0
  /** Ordered by time, then creation. */
  readonly #timers: Timer[] = []
  #advancing = false

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return this.#now + this.#wallOffset
  }

  timer(at: number, fire: () => void): () => void {
    assert(!Number.isNaN(at), 'a timer needs a time, not NaN')
    const timer: Timer = { at, sequence: this.#sequence++, fire }
    this.#timers.splice(this.#position(timer), 0, timer)
    return () => this.#cancel(timer)
  }

  /** Steps the wall clock, as a time server or an operator would. Monotonic time and timers don't notice. */
  stepWall(millis: number): void {
    this.#wallOffset += millis
  }

  /** When the next timer is due; undefined when nothing waits. */
  nextTimerAt(): number | undefined {
    return this.#timers[0]?.at
  }

  /**
   * Lets `millis` pass: jumps from timer to timer, each with all that it sets off, up to and including the target.
   * Rejects with what a timer throws; time then stands where it was thrown.
   */
  async advance(millis: number): Promise<void> {
    if (!(millis >= 0)) throw new RangeError(`time can't go back: advance(${millis})`)
    assert(!this.#advancing, 'the clock is being advanced already: only one test or simulator may drive it')
    this.#advancing = true
    try {
      await this.#fireUpTo(this.#now + millis)
    } finally {
      this.#advancing = false
    }
  }

  /** Lets everything happen that needs no time: pending promises, and timers that are due. */
  settle(): Promise<void> {
    return this.advance(0)
  }

  async #fireUpTo(target: number): Promise<void> {
    let fired = 0
    await drain()
    for (let timer = this.#timers[0]; timer !== undefined && timer.at <= target; timer = this.#timers[0]) {
      fired = timer.at > this.#now ? 1 : fired + 1
      assert(
        fired <= MOST_TIMERS_PER_INSTANT,
        `${fired} timers at ${this.#now} ms: something waits for no time, for ever`,
      )
      this.#timers.shift()
      this.#now = Math.max(this.#now, timer.at)
      timer.fire()
      await drain()
    }
    this.#now = target
  }

  #cancel(timer: Timer): void {
    const position = this.#position(timer)
    if (this.#timers[position] === timer) this.#timers.splice(position, 1)
  }

  /** Where the timer is, or belongs. */
  #position(timer: Timer): number {
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (precedes(this.#timers[middle]!, timer)) low = middle + 1
      else high = middle
    }
    return low
  }
}

function precedes(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence)
}

function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
