import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Played } from './worker.ts'

/** What all seeds below the next one came to: each of them is counted once, whatever was killed when. */
interface Past {
  readonly nextSeed: number
  readonly seeds: number
  readonly failovers: number
  readonly simulatedMillis: number
  /** Seeds that broke a rule. */
  readonly failed: readonly number[]
}

const YEAR_MILLIS = 365.25 * 86_400_000

/**
 * A long run over many nights, in a file. Seeds are played side by side and end in any order, so one counts only when all
 * below it have ended; those above it are played again by the next night, if this one is killed.
 */
export class Night {
  readonly #file: string
  #past: Past
  readonly #early = new Map<number, Played>()

  constructor(file: string, past: Past) {
    this.#file = file
    this.#past = past
  }

  /** Goes on where the file says, or begins at `first` where there is none. */
  static open(file: string, first: number): Night {
    const none: Past = { nextSeed: first, seeds: 0, failovers: 0, simulatedMillis: 0, failed: [] }
    return new Night(file, { ...none, ...readPast(file) })
  }

  get nextSeed(): number {
    return this.#past.nextSeed
  }

  played(outcome: Played): void {
    this.#early.set(outcome.seed, outcome)
    for (let next = this.#early.get(this.nextSeed); next; next = this.#early.get(this.nextSeed)) this.#count(next)
  }

  #count({ seed, failovers, simulatedMillis, violations }: Played): void {
    this.#early.delete(seed)
    const { seeds, failed, ...sums } = this.#past
    this.#past = {
      nextSeed: seed + 1,
      seeds: seeds + 1,
      failovers: sums.failovers + failovers,
      simulatedMillis: sums.simulatedMillis + simulatedMillis,
      failed: violations.length > 0 ? [...failed, seed] : failed,
    }
  }

  /** Leaves the old file or the new one, never half of it. */
  save(): void {
    mkdirSync(dirname(this.#file), { recursive: true })
    const draft = `${this.#file}.new`
    writeFileSync(draft, `${JSON.stringify(this.#past)}\n`)
    renameSync(draft, this.#file)
  }

  line(): string {
    const { nextSeed, seeds, failovers, simulatedMillis, failed } = this.#past
    const years = (simulatedMillis / YEAR_MILLIS).toFixed(3)
    const broken = failed.length > 0 ? `; seeds that failed: ${failed.join(', ')}` : ''
    return (
      `all nights: ${count(seeds)} seeds, ${count(failovers)} failovers, ${years} simulated years${broken}; ` +
      `the next begins at seed ${nextSeed}`
    )
  }
}

function readPast(file: string): Partial<Past> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Partial<Past>
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new Error(`${file} cannot be read; delete it to begin anew`, { cause: error })
  }
}

const count = (number: number): string => number.toLocaleString('en-US')
