/** A server of one object, and a search for any order in which it could have answered as it did. */
import type { Operation, Removal, Write } from './operation.ts'

export interface Request {
  readonly kind: 'read' | 'update' | 'create' | 'delete'
  /** When the server carries it out, and for how long before and after that its sender waits. */
  readonly at: number
  readonly before: number
  readonly after: number
  /** How far behind the present version its sender is; undefined: it names none, and means whatever is there. */
  readonly lag: number | undefined
  /** `lost`: never carried out. `mute`: carried out, and nobody is told. */
  readonly fate: 'answered' | 'lost' | 'mute'
}

type Present = number | undefined

/** What the senders of the requests learn. The object begins as version 1. */
export function outcomeOf(requests: readonly Request[]): readonly Operation[] {
  let present: Present = 1
  let last = 1
  return requests
    .toSorted((a, b) => a.at - b.at)
    .flatMap((request, index): Operation[] => {
      const { kind, at, before, after, lag, fate } = request
      const times = {
        calledAt: at - before,
        ...(fate === 'answered' ? { returnedAt: at + after } : {}),
        what: `#${index}`,
      }
      const named = kind === 'create' || lag === undefined ? undefined : Math.max(1, last - lag)
      const isFitting =
        kind === 'create' ? present === undefined : present !== undefined && present === (named ?? present)
      const isDone = fate !== 'lost' && kind !== 'read' && isFitting
      const found = present
      if (isDone) present = kind === 'delete' ? undefined : ++last
      if (kind === 'read') {
        const read = { kind, ...times, returnedAt: at + after, ...(found === undefined ? {} : { found }) } as const
        return fate === 'answered' ? [read] : []
      }
      const outcome = fate === 'answered' ? (isDone ? 'ok' : 'conflict') : 'unknown'
      // The store says which one it removed.
      const expected = kind === 'delete' && outcome === 'ok' ? found : named
      const made = kind !== 'delete' && outcome === 'ok' ? { version: last } : {}
      return [{ kind, ...times, ...(expected === undefined ? {} : { expected }), outcome, ...made }]
    })
}

/** Whether some order explains it: tried one by one, each operation after all that had ended before it began. */
export function explains(operations: readonly Operation[], initial: number): boolean {
  const seen = versionsSeen(operations)
  const search = (left: readonly Operation[], present: Present, last: number): boolean => {
    if (left.every((each) => each.kind !== 'read' && each.outcome === 'unknown')) return true
    const ends = Math.min(...left.map(({ returnedAt = Infinity }) => returnedAt))
    return left.some((each) => {
      if (each.calledAt > ends) return false
      const rest = left.filter((other) => other !== each)
      return nextOf(each, present, last, seen).some((next) => search(rest, next.present, next.last))
    })
  }
  return search(operations, initial, initial)
}

/** What may be there once it was carried out; nothing: not now. */
function nextOf(
  each: Operation,
  present: Present,
  last: number,
  seen: ReadonlySet<number>,
): readonly { readonly present: Present; readonly last: number }[] {
  if (each.kind === 'read') return each.found === present ? [{ present, last }] : []
  const isFitting = fits(each, present)
  if (each.outcome === 'conflict') return isFitting ? [] : [{ present, last }]
  if (!isFitting) return []
  if (each.kind === 'delete') return [{ present: undefined, last }]
  if (each.outcome === 'ok') return each.version! > last ? [{ present: each.version!, last: each.version! }] : []
  // A version that somebody saw, or one between those.
  const made = [...seen].filter((version) => version > last)
  return [...made, last + 0.5 ** 10].map((version) => ({ present: version, last: version }))
}

function fits(each: Write | Removal, present: Present): boolean {
  if (each.kind === 'create') return present === undefined
  return present !== undefined && (each.expected === undefined || each.expected === present)
}

function versionsSeen(operations: readonly Operation[]): ReadonlySet<number> {
  return new Set(
    operations.flatMap((each) => {
      if (each.kind === 'read') return each.found ?? []
      return [each.expected ?? [], each.kind === 'delete' ? [] : (each.version ?? [])].flat()
    }),
  )
}
