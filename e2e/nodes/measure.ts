/**
 * What one change of leader cost, from what the client saw and what the API server showed. All times are milliseconds after
 * the event, unless they are durations.
 */
import type { Answer } from './answers.ts'
import type { Sighting } from './record.ts'

export interface Change {
  /** When the event was, and until when its consequences are looked at. */
  readonly at: number
  readonly until: number
  readonly before: string
  readonly answers: readonly Answer[]
  readonly sightings: readonly Sighting[]
}

export interface Cost {
  readonly before: string
  readonly after: string
  /** How often somebody was labelled. */
  readonly changes: number
  readonly lease: number | undefined
  readonly label: number | undefined
  readonly slice: number | undefined
  /** In the kernel of the client's node; undefined where that can't be looked at. */
  readonly rule: number | undefined
  readonly answer: number | undefined
  /** The longest time without an answer, on new connections: from the end of one to the end of the next. */
  readonly gap: number
  /** Requests on new connections that nobody answered, by error. */
  readonly failed: Readonly<Record<string, number>>
  /** Answers of a pod that neither led before nor after. */
  readonly strange: number
  /** Answers of the old leader to requests that began after the new one had the label, and when the last one began. */
  readonly late: Late
  /** The same on the connection that is kept open. */
  readonly keptLate: Late
  /** Answers of the new leader to a follower's clients after it had the label. */
  readonly followerLate: Late
}

export interface Late {
  readonly count: number
  /** After the label, in milliseconds. */
  readonly last: number
}

export function costOf(change: Change): Cost {
  const { at, until, before } = change
  const sightings = change.sightings.filter((sighting) => sighting.at >= at && sighting.at <= until)
  const answers = change.answers.filter(({ to, from }) => to >= at && from <= until)
  const after = sightings.findLast(({ kind }) => kind === 'labelled')?.pod ?? before
  // A pod that was labelled in between, and lost it again, led as well.
  const led = new Set([before, ...sightings.filter(({ kind }) => kind === 'labelled').map(({ pod }) => pod)])
  const first = (kind: Sighting['kind'], pod: string): number | undefined => {
    return sightings.find((sighting) => sighting.kind === kind && sighting.pod === pod)?.at
  }
  const label = first('labelled', after)
  const fresh = answers.filter(({ kind }) => kind === 'new')
  const answer =
    label === undefined
      ? undefined
      : fresh.find(({ pod, to }) => pod === after && (after !== before || to >= label))?.to
  const since = (time: number | undefined): number | undefined => (time === undefined ? undefined : time - at)
  const late = (kind: Answer['kind'], by: string): Late => {
    if (label === undefined || after === before) return { count: 0, last: 0 }
    const found = answers.filter((each) => each.kind === kind && each.pod === by && each.from > label)
    return { count: found.length, last: found.length > 0 ? Math.max(...found.map(({ from }) => from)) - label : 0 }
  }
  return {
    before,
    after,
    changes: sightings.filter(({ kind }) => kind === 'labelled').length,
    lease: since(first('lease', after)),
    label: since(label),
    slice: since(first('slice', after)),
    rule: since(first('rule', after)),
    answer: since(answer),
    gap: longestGap(fresh, at, until),
    failed: Object.fromEntries(
      Object.entries(Object.groupBy(fresh, ({ error }) => error ?? '')).flatMap(([error, all]) =>
        error === '' ? [] : [[error, all!.length]],
      ),
    ),
    strange: fresh.filter(({ pod }) => pod !== undefined && !led.has(pod)).length,
    late: late('new', before),
    keptLate: late('kept', before),
    followerLate: late('follower', after),
  }
}

/** The first answer of the window counts from its start, and its end from the last one. */
function longestGap(answers: readonly Answer[], at: number, until: number): number {
  const ends = answers.filter(({ pod }) => pod !== undefined).map(({ to }) => to)
  const marks = [at, ...ends.filter((end) => end <= until).toSorted((a, b) => a - b), until]
  return Math.max(...marks.slice(1).map((mark, index) => mark - marks[index]!))
}
