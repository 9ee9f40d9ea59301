/**
 * Whether what processes were answered about one Lease can be explained by a server that did one thing after the other, each
 * between its request and its answer (linearizability; Herlihy and Wing).
 *
 * In general that is a search. Here it is not, for a write that takes effect makes a version that is larger than all before:
 * the versions give the order of the states. What is left to find is when each state began. Every operation bounds that:
 * a write that made a version began its state between request and answer; a read of a version came not after its state
 * ended, and its answer not before it began. There is such an order if and only if no state has to begin before an earlier one
 * can. A refusal says that there was a moment at which its version was not the present one: before that state began,
 * or after it ended. Where both are possible, both are tried.
 *
 * A request without an answer may have taken effect at any time after it was sent, or never. What it made is known
 * if somebody saw it; otherwise it put an end to the last state that was seen, or to one that was replaced by somebody who
 * named no version, or by a lost request in turn. In that last case a refusal is believed without a search, as is what a
 * lost removal and a lost creation may explain together; and one lost write that names no version may explain several. So
 * a history may pass that could be refuted by a longer search; one that is refuted cannot be explained.
 */
import { chainOf, Impossible } from './chain.ts'
import { lostOf } from './lost.ts'
import { describeOperation, type Operation } from './operation.ts'
import { Placement, type Way } from './placement.ts'
import { Times } from './times.ts'

export interface History {
  readonly operations: readonly Operation[]
  /** The version that was there before all operations. */
  readonly initial: number | 'absent'
}

/** Choices that are not forced are rare. A history with so many tries is not explained, and not refuted either. */
const MOST_TRIES = 100_000

/** Undefined: it can be explained. Otherwise why not. */
export function whyNotLinearizable({ operations, initial }: History): string | undefined {
  const answered = operations.filter((each) => each.kind === 'read' || each.outcome !== 'unknown')
  try {
    const states = chainOf(operations, initial)
    const times = new Times(states)
    const open: (readonly Way[])[] = []
    const placement = new Placement(states, lostOf(operations))
    for (const operation of answered) {
      const ways = placement.waysOf(operation)
      if (ways === 'free') continue
      const [only, ...others] = ways
      if (!only) throw new Impossible('no state explains it', [operation])
      if (others.length > 0) open.push(ways)
      else for (const bound of only) times.add(bound)
    }
    times.check()
    if (solve(times, open, { left: MOST_TRIES })) return undefined
    throw new Impossible('no order explains what was refused or missing', [])
  } catch (error) {
    if (!(error instanceof Impossible)) throw error
    return [error.message, ...error.operations.map(describeOperation)].join('; ')
  }
}

/** Each open operation can be explained in several ways; tries them, the forced ones first. */
function solve(times: Times, open: readonly (readonly Way[])[], tries: { left: number }): boolean {
  let rest = open
  for (;;) {
    const undecided: (readonly Way[])[] = []
    for (const ways of rest) {
      if (ways.some((way) => way.every((bound) => times.implies(bound)))) continue
      const possible = ways.filter((way) => times.allows(way))
      if (possible.length === 0) return false
      if (possible.length === 1) for (const bound of possible[0]!) times.add(bound)
      else undecided.push(possible)
    }
    if (undecided.length === rest.length) break
    rest = undecided
  }
  const [ways, ...others] = rest
  if (!ways) return true
  return ways.some((way) => {
    if (tries.left-- <= 0) throw new Error(`a history of ${open.length} open operations takes too many tries`)
    const copy = times.copy()
    for (const bound of way) copy.add(bound)
    return solve(copy, others, tries)
  })
}
