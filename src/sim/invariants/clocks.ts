import type { Rate } from './facts.ts'

interface Reading {
  readonly at: number
  readonly local: number
  readonly rate: number
}

/** A clock that is suspended has not run slow: it stood still, and its process with it. */
const SUSPENDED = 0
/** Times of longer ago than so many changes of a rate are not asked for. */
const MOST_READINGS = 64
const EXACT: Reading = { at: 0, local: 0, rate: 1 }

/** The monotonic clocks of processes, as true time tells them. Only differences of one clock's readings mean something. */
export class Clocks {
  readonly #readings = new Map<string, Reading[]>()
  readonly #rates = new Map<string, { slowest: number; fastest: number }>()

  follow({ process, at, rate }: Rate): void {
    const reading = { at, local: this.read(process, at), rate }
    const readings = this.#readings.get(process)
    if (!readings) this.#readings.set(process, [reading])
    else if (readings.push(reading) > MOST_READINGS) readings.shift()
    if (rate === SUSPENDED) return
    const rates = this.#rates.get(process)
    if (!rates) this.#rates.set(process, { slowest: rate, fastest: rate })
    else Object.assign(rates, { slowest: Math.min(rates.slowest, rate), fastest: Math.max(rates.fastest, rate) })
  }

  /** What the clock showed at a true time, now or in the past. */
  read(process: string, at: number): number {
    const readings = this.#readings.get(process)
    const { at: since, local, rate } = readings?.findLast((reading) => reading.at <= at) ?? readings?.[0] ?? EXACT
    return local + (at - since) * rate
  }

  /** How many times as fast one clock may have gone as the other, in the whole run. */
  ratio(fast: string, slow: string): number {
    return (this.#rates.get(fast)?.fastest ?? 1) / (this.#rates.get(slow)?.slowest ?? 1)
  }
}
