/** Where two candidates led at one time, by their own word, while both of their processes ran. */
import type { Kind } from './programs.ts'
import type { Term } from './terms.ts'

/** Monotonic milliseconds. */
export interface Span {
  readonly fromMillis: number
  readonly toMillis: number
}

export interface Believer {
  readonly kind: Kind
  readonly terms: readonly Term[]
  /** When its process was stopped by a signal: it could do nothing then, whatever it believed. */
  readonly pauses: readonly Span[]
}

export interface Overlap extends Span {
  /** Whose term was the older one. */
  readonly kind: Kind
  readonly identity: string
  /** Its process had been stopped within this term: it believed what had become wrong meanwhile. */
  readonly wasPaused: boolean
  readonly other: string
}

interface Belief extends Span {
  readonly kind: Kind
  readonly identity: string
  readonly termFromMillis: number
  readonly wasPaused: boolean
}

export function overlaps(believers: readonly Believer[]): readonly Overlap[] {
  const beliefs = believers.flatMap(beliefsOf).toSorted((a, b) => a.termFromMillis - b.termFromMillis)
  return beliefs.flatMap((older, index) =>
    beliefs.slice(index + 1).flatMap((newer): readonly Overlap[] => {
      const fromMillis = Math.max(older.fromMillis, newer.fromMillis)
      const toMillis = Math.min(older.toMillis, newer.toMillis)
      if (older.identity === newer.identity || fromMillis >= toMillis) return []
      const { kind, identity, wasPaused } = older
      return [{ kind, identity, wasPaused, other: newer.identity, fromMillis, toMillis }]
    }),
  )
}

/** The parts of its terms in which its process ran. */
function beliefsOf({ kind, terms, pauses }: Believer): readonly Belief[] {
  return terms.flatMap(({ identity, fromMillis, toMillis }) => {
    const common = { kind, identity, termFromMillis: fromMillis }
    const within = pauses.filter((pause) => pause.fromMillis < toMillis && pause.toMillis > fromMillis)
    const beliefs: Belief[] = []
    let from = fromMillis
    for (const pause of within) {
      beliefs.push({ ...common, fromMillis: from, toMillis: pause.fromMillis, wasPaused: beliefs.length > 0 })
      from = pause.toMillis
    }
    beliefs.push({ ...common, fromMillis: from, toMillis, wasPaused: beliefs.length > 0 })
    return beliefs
  })
}
