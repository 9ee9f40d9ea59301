import { DECLARED } from '../world/declared.ts'
import type { Played } from './worker.ts'

/** What all seeds so far come to. */
export class Figures {
  seeds = 0
  failovers = 0
  simulatedMillis = 0
  writes = 0
  readonly failed: Played[] = []
  /** How many seeds reached it. */
  readonly #reached = new Map<string, number>()

  add(played: Played): void {
    this.seeds += 1
    this.failovers += played.failovers
    this.simulatedMillis += played.simulatedMillis
    this.writes += played.writes
    for (const what of played.reached) this.#reached.set(what, (this.#reached.get(what) ?? 0) + 1)
    if (played.violations.length > 0) this.failed.push(played)
  }

  line(): string {
    const { seeds, failovers, writes, failed } = this
    return (
      `${many(seeds, 'seed')}, ${many(failovers, 'failover')}, ${this.#time()} simulated, ` +
      `${many(writes, 'write')}, ${many(failed.length, 'seed')} failed`
    )
  }

  /** What was declared and not reached. */
  missing(): readonly string[] {
    return DECLARED.filter((what) => !this.#reached.has(what))
  }

  coverage(): string {
    const all = [...this.#reached.keys()]
    const of = (test: (what: string) => boolean): string => count(all.filter(test).length)
    const declared = `${count(DECLARED.length - this.missing().length)} of ${count(DECLARED.length)} declared`
    return (
      `reached: ${of((what) => what.includes(' × '))} pairs of fault and state, ` +
      `${of((what) => what.startsWith('reason '))} reasons and ${of((what) => what.startsWith('act '))} acts of the group's ` +
      `decide, ${of((what) => /^(election|term) /.test(what))} of the election's, ` +
      `${of((what) => what.startsWith('condition '))} conditions; ${declared}`
    )
  }

  json(): object {
    const { seeds, failovers, simulatedMillis, writes, failed } = this
    const missing = this.missing()
    const simulatedYears = simulatedMillis / YEAR_MILLIS
    return {
      seeds,
      failovers,
      simulatedYears,
      writes,
      missing,
      failed: failed.map(({ seed, violations }) => ({ seed, violations })),
    }
  }

  #time(): string {
    const days = this.simulatedMillis / DAY_MILLIS
    if (days < 1) return `${(days * 24).toFixed(1)} hours`
    return days < 365.25 ? `${days.toFixed(1)} days` : `${(days / 365.25).toFixed(2)} years`
  }
}

const DAY_MILLIS = 86_400_000
const YEAR_MILLIS = 365.25 * DAY_MILLIS

const count = (number: number): string => number.toLocaleString('en-US')

const many = (number: number, what: string): string => `${count(number)} ${what}${number === 1 ? '' : 's'}`
