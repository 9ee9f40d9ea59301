import type { Played } from './worker.ts'

/** What all seeds so far come to. */
export class Figures {
  seeds = 0
  failovers = 0
  simulatedMillis = 0
  writes = 0
  readonly failed: Played[] = []

  add(played: Played): void {
    this.seeds += 1
    this.failovers += played.failovers
    this.simulatedMillis += played.simulatedMillis
    this.writes += played.writes
    if (played.violations.length > 0) this.failed.push(played)
  }

  line(): string {
    const { seeds, failovers, writes, failed } = this
    return (
      `${count(seeds)} seeds, ${count(failovers)} failovers, ${this.#time()} simulated, ` +
      `${count(writes)} writes, ${count(failed.length)} seeds failed`
    )
  }

  json(): object {
    const { seeds, failovers, simulatedMillis, writes, failed } = this
    const simulatedYears = simulatedMillis / YEAR_MILLIS
    return {
      seeds,
      failovers,
      simulatedYears,
      writes,
      failed: failed.map(({ seed, violations }) => ({ seed, violations })),
    }
  }

  #time(): string {
    const years = this.simulatedMillis / YEAR_MILLIS
    return years >= 1 ? `${years.toFixed(2)} years` : `${(years * 365.25).toFixed(1)} days`
  }
}

const YEAR_MILLIS = 365.25 * 86_400_000

const count = (number: number): string => number.toLocaleString('en-US')
