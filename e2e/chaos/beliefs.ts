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
  /** As it writes it into the Lease. */
  readonly holder: string
  readonly startedMillis: number
}

/** One process, and the terms in which it led by its own word. */
export interface Belief {
  readonly group: string
  readonly kind: Kind
  readonly process: string
  readonly holder: string
  readonly startedMillis: number
  readonly endedMillis: number | undefined
  readonly terms: readonly (Span & { readonly token: number | undefined })[]
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

interface Course {
  readonly witnessed: Witnessed
  readonly terms: Term[]
  /** Of each term. */
  readonly tokens: (number | undefined)[]
  readonly pauses: Span[]
  endedMillis?: number
}

export class Beliefs {
  readonly #courses = new Map<string, Course>()
  readonly #excuses: Excuse[] = []

  started(witnessed: Witnessed): void {
    this.#courses.set(witnessed.identity, { witnessed, terms: [], tokens: [], pauses: [] })
  }

  /**
   * A process of this project says `acts` again and again, with the time before it asked whether it may: from the first to
   * the last of one term it was sure to lead, so its pauses need no excuse. Others say when they begin and end.
   */
  hear({ kind, identity }: Witnessed, { event, leader: token, term, pid, monotonicMillis: at }: Said): void {
    const { terms, tokens } = this.#courses.get(identity)!
    const last = terms.at(-1)
    if (event === 'acts') {
      const key = `${identity} ${token ?? `${term} ${pid}`}`
      if (last?.identity === key) terms[terms.length - 1] = { ...last, toMillis: at }
      else {
        terms.push({ identity: key, fromMillis: at, toMillis: at })
        tokens.push(token === undefined ? undefined : Number(token))
      }
    }
    if (kind !== 'client-go') return
    if (event === 'leading') terms.push({ identity, fromMillis: at, toMillis: Infinity })
    if (event === 'stopped' && last) terms[terms.length - 1] = { ...last, toMillis: at }
  }

  ended({ identity }: Witnessed, atMillis: number): void {
    const course = this.#courses.get(identity)!
    course.endedMillis = atMillis
    close(course.terms, atMillis)
    close(course.pauses, atMillis)
  }

  paused({ identity }: Witnessed, atMillis: number): void {
    this.#courses.get(identity)!.pauses.push({ fromMillis: atMillis, toMillis: Infinity })
  }

  resumed({ identity }: Witnessed, atMillis: number): void {
    close(this.#courses.get(identity)!.pauses, atMillis)
  }

  get all(): readonly Belief[] {
    return [...this.#courses.values()].map(({ witnessed, terms, tokens, endedMillis }) => ({
      group: witnessed.group,
      kind: witnessed.kind,
      process: witnessed.identity,
      holder: witnessed.holder,
      startedMillis: witnessed.startedMillis,
      endedMillis,
      terms: terms.map(({ fromMillis, toMillis }, index) => ({ fromMillis, toMillis, token: tokens[index] })),
    }))
  }

  excuse(excuse: Excuse): void {
    this.#excuses.push(excuse)
  }

  /** All times that two led at once. */
  findings(): readonly Finding[] {
    const courses = [...this.#courses.values()]
    return [...new Set(courses.map(({ witnessed }) => witnessed.group))].flatMap((group) => {
      const believers = courses.filter(({ witnessed }) => witnessed.group === group).map(forComparison)
      return overlaps(believers).map((overlap) => ({ ...overlap, group, excuse: this.#excuseOf(group, overlap) }))
    })
  }

  #excuseOf(group: string, { fromMillis, identity, other }: Overlap): Finding['excuse'] {
    if ([identity, other].some((each) => this.#courses.get(each.split(' ')[0]!)?.witnessed.kind === 'client-go')) {
      return 'an elector of another project'
    }
    const isExcused = this.#excuses.some(
      ({ group: where, atMillis }) =>
        where === group && atMillis < fromMillis + SEEN_LATE_MILLIS && fromMillis - atMillis < EXCUSED_MILLIS,
    )
    return isExcused ? 'a stranger wrote to the Lease' : undefined
  }
}

/** The last one, if it is open. */
function close(spans: Span[], toMillis: number): void {
  const last = spans.at(-1)
  if (last?.toMillis === Infinity) spans[spans.length - 1] = { ...last, toMillis }
}

function forComparison({ witnessed: { kind }, terms, pauses }: Course): Believer {
  return kind === 'client-go' ? { kind, terms, pauses } : { kind: 'leadergroup', terms, pauses: [] }
}
