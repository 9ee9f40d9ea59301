/** When each process led by its own word: the only witness of what an election is there to prevent (I5). */
import { type Believer, type Overlap, type Span, overlaps } from '../candidates/overlaps.ts'
import type { Term } from '../candidates/terms.ts'
import type { Said } from './program.ts'
import type { Kind } from './group-plan.ts'

/** One process, from its start to its end. */
export interface Witnessed {
  readonly group: string
  readonly kind: Kind
  /** Differs for the next process of the same pod. */
  readonly identity: string
}

/** After a stranger wrote to the Lease another may lead before the one that led can know. */
export interface Excuse {
  readonly group: string
  readonly atMillis: number
}

export interface Finding extends Overlap {
  readonly group: string
  /** Why it breaks no promise of ours. */
  readonly excuse: 'a stranger wrote to the Lease' | 'an elector of another project' | undefined
}

/** A stranger's write is excused for as long as the Lease could have lasted, and a command has a second to end. */
const EXCUSED_MILLIS = 6_000
/** The witness may see a write later than who acts on it. */
const SEEN_LATE_MILLIS = 1_000

interface Belief {
  readonly kind: Believer['kind']
  readonly terms: Term[]
  readonly pauses: Span[]
}

export class Beliefs {
  readonly #believers = new Map<string, Belief & { readonly group: string }>()
  readonly #excuses: Excuse[] = []

  /**
   * A process of this project says `acts` again and again, with the time before it asked whether it may: from the first to
   * the last of one term it was sure to lead, so its pauses need no excuse. Others say when they begin and end.
   */
  hear({ group, kind, identity }: Witnessed, { event, leader, term, pid, monotonicMillis: at }: Said): void {
    const belief = this.#of(group, kind, identity)
    const last = belief.terms.at(-1)
    if (event === 'acts') {
      const key = `${identity} ${leader ?? `${term} ${pid}`}`
      if (last?.identity === key) belief.terms[belief.terms.length - 1] = { ...last, toMillis: at }
      else belief.terms.push({ identity: key, fromMillis: at, toMillis: at })
    }
    if (kind !== 'client-go') return
    if (event === 'leading') belief.terms.push({ identity, fromMillis: at, toMillis: Infinity })
    if (event === 'stopped' && last) belief.terms[belief.terms.length - 1] = { ...last, toMillis: at }
  }

  ended({ group, kind, identity }: Witnessed, atMillis: number): void {
    const { terms, pauses } = this.#of(group, kind, identity)
    const last = terms.at(-1)
    if (last?.toMillis === Infinity) terms[terms.length - 1] = { ...last, toMillis: atMillis }
    const pause = pauses.at(-1)
    if (pause?.toMillis === Infinity) pauses[pauses.length - 1] = { ...pause, toMillis: atMillis }
  }

  paused({ group, kind, identity }: Witnessed, atMillis: number): void {
    this.#of(group, kind, identity).pauses.push({ fromMillis: atMillis, toMillis: Infinity })
  }

  resumed({ group, kind, identity }: Witnessed, atMillis: number): void {
    const { pauses } = this.#of(group, kind, identity)
    const last = pauses.at(-1)
    if (last) pauses[pauses.length - 1] = { ...last, toMillis: atMillis }
  }

  excuse(excuse: Excuse): void {
    this.#excuses.push(excuse)
  }

  /** All times that two led at once. */
  findings(): readonly Finding[] {
    const groups = new Set([...this.#believers.values()].map(({ group }) => group))
    return [...groups].flatMap((group) => {
      const believers = [...this.#believers.values()].filter((each) => each.group === group).map(forComparison)
      return overlaps(believers).map((overlap) => ({ ...overlap, group, excuse: this.#excuseOf(group, overlap) }))
    })
  }

  #of(group: string, kind: Kind, identity: string): Belief {
    const known = this.#believers.get(identity)
    if (known) return known
    const fresh = { group, kind: kind === 'client-go' ? kind : ('leadergroup' as const), terms: [], pauses: [] }
    this.#believers.set(identity, fresh)
    return fresh
  }

  #excuseOf(group: string, { fromMillis, identity, other }: Overlap): Finding['excuse'] {
    if ([identity, other].some((each) => this.#believers.get(each.split(' ')[0]!)?.kind === 'client-go')) {
      return 'an elector of another project'
    }
    const isExcused = this.#excuses.some(
      ({ group: where, atMillis }) =>
        where === group && atMillis < fromMillis + SEEN_LATE_MILLIS && fromMillis - atMillis < EXCUSED_MILLIS,
    )
    return isExcused ? 'a stranger wrote to the Lease' : undefined
  }
}

function forComparison({ kind, terms, pauses }: Belief): Believer {
  return { kind, terms, pauses: kind === 'client-go' ? pauses : [] }
}
