import { earliestEnd, firstCreation, fits, type Lost, lostOf } from './lost.ts'
import type { Operation, Removal, Write } from './operation.ts'

/** What the object was, for a while. */
export interface State {
  /**
   * Undefined: there was no object. What lost requests made of the last version, if they ever took effect: `changed`, or, if
   * one of them may have removed it as well, `unseen`.
   */
  readonly version: number | 'changed' | 'unseen' | undefined
  /** What brought it about; undefined: it was there at first, or a lost request did. */
  readonly maker: Write | Removal | undefined
  /** Nobody can have brought it about before. */
  readonly notBefore: number
}

interface KnownState extends State {
  readonly version: number | undefined
}

/** What cannot be, and the operations that say so. */
export class Impossible extends Error {
  override readonly name = 'Impossible'
  readonly operations: readonly Operation[]

  constructor(text: string, operations: readonly Operation[]) {
    super(text)
    this.operations = operations
  }
}

/**
 * The states of the object in their order, which is that of their versions: each replaces the one before. A version that
 * no answered write made is due to one without an answer, if one could have made it.
 *
 * @throws Impossible where two writes replace one version, a write replaces what was not there, or nobody made a version
 */
export function chainOf(operations: readonly Operation[], initial: number | 'absent'): readonly State[] {
  const makers = makersOf(operations)
  const lost = lostOf(operations)
  const removals = new Map<number, Removal>()
  for (const each of operations) {
    if (each.kind !== 'delete' || each.outcome !== 'ok' || each.expected === undefined) continue
    const other = removals.get(each.expected)
    if (other) throw new Impossible(`version ${each.expected} was removed twice`, [other, each])
    removals.set(each.expected, each)
  }
  const states: KnownState[] = []
  const push = (version: number | undefined, maker: State['maker'], notBefore: number): KnownState => {
    const state = { version, maker, notBefore }
    states.push(state)
    return state
  }
  let last = push(initial === 'absent' ? undefined : initial, undefined, -Infinity)
  for (const version of versionsOf(operations)) {
    if (initial !== 'absent' && version < initial) throw new Impossible(`version ${version} was over at first`, [])
    if (version === initial) continue
    const maker = makers.get(version)
    if (last.version !== undefined && followsAbsence(last.version, version, maker, removals, lost)) {
      last = push(...absence(last.version, version, removals, lost))
    }
    last = push(version, maker, maker ? firstBy(maker, last, lost) : firstOf(lost, last, version))
  }
  const removal = removals.get(last.version ?? NaN)
  if (removal) last = push(undefined, removal, removal.calledAt)
  const unseen = endUnseen(last, lost)
  return unseen ? [...states, unseen] : states
}

/** What lost requests may have made of the last state. */
function endUnseen({ version }: KnownState, lost: readonly Lost[]): State | undefined {
  const created = firstCreation(lost)
  const changed = version === undefined ? created : earliestEnd(lost, 'update', version, Infinity)
  const removed = version === undefined ? Infinity : earliestEnd(lost, 'delete', version, Infinity)
  const notBefore = Math.min(changed, removed)
  if (notBefore === Infinity) return undefined
  const isAmbiguous =
    removed < Infinity
      ? changed < Infinity || created < Infinity
      : version === undefined && lost.some(({ kind }) => kind === 'delete')
  const isRemoved = removed < Infinity && !isAmbiguous
  return { version: isAmbiguous ? 'unseen' : isRemoved ? undefined : 'changed', maker: undefined, notBefore }
}

function makersOf(operations: readonly Operation[]): ReadonlyMap<number, Write> {
  const makers = new Map<number, Write>()
  for (const each of operations) {
    if (each.kind === 'read' || each.kind === 'delete' || !isChange(each)) continue
    const other = makers.get(each.version!)
    if (other) throw new Impossible(`version ${each.version} was made twice`, [other, each])
    if (each.expected !== undefined && each.expected > each.version!) {
      throw new Impossible(`version ${each.version} replaced a later one`, [each])
    }
    makers.set(each.version!, each)
  }
  return makers
}

/** It succeeded, and made a version. */
export function isChange(each: Operation): boolean {
  return (each.kind === 'create' || each.kind === 'update') && each.outcome === 'ok' && each.version !== each.expected
}

/** Those that are known to have been there, in their order. */
function versionsOf(operations: readonly Operation[]): readonly number[] {
  const versions = new Set<number | undefined>()
  for (const each of operations) {
    if (each.kind === 'read') versions.add(each.found)
    else if (each.outcome === 'ok') {
      versions.add(each.expected)
      if (each.kind !== 'delete') versions.add(each.version)
    }
  }
  versions.delete(undefined)
  return [...(versions as Set<number>)].toSorted((a, b) => a - b)
}

function followsAbsence(
  last: number,
  version: number,
  maker: Write | undefined,
  removals: ReadonlyMap<number, Removal>,
  lost: readonly Lost[],
): boolean {
  if (removals.has(last) || maker) return removals.has(last) || maker?.kind === 'create'
  // Nobody says how it came about: the way that could be the first is taken.
  const changed = earliestEnd(lost, 'update', last, version)
  const removed = earliestEnd(lost, 'delete', last, version)
  return Math.max(removed, firstCreation(lost)) < changed
}

function absence(
  last: number,
  version: number,
  removals: ReadonlyMap<number, Removal>,
  lost: readonly Lost[],
): [undefined, Removal | undefined, number] {
  const removal = removals.get(last)
  if (removal) return [undefined, removal, removal.calledAt]
  const notBefore = earliestEnd(lost, 'delete', last, version)
  if (notBefore === Infinity) throw new Impossible(`nobody removed version ${last}, and ${version} was made anew`, [])
  return [undefined, undefined, notBefore]
}

/** When an answered write can have replaced that state, at the earliest. */
function firstBy(maker: Write, before: KnownState, lost: readonly Lost[]): number {
  const isAbsent = before.version === undefined
  if (maker.kind === 'create' ? isAbsent : !isAbsent && fits(maker, before.version)) return maker.calledAt
  // One that names no version can have replaced what a lost creation made.
  if (isAbsent && isBlind(maker) && firstCreation(lost) < Infinity) return Math.max(maker.calledAt, firstCreation(lost))
  const what = before.version === undefined ? 'nothing' : `version ${before.version}`
  throw new Impossible(`it replaced ${what}`, [...(before.maker ? [before.maker] : []), maker])
}

/** It replaces whatever there is. */
export function isBlind({ kind, expected }: Write | Removal): boolean {
  return kind === 'update' && expected === undefined
}

function firstOf(lost: readonly Lost[], before: KnownState, version: number): number {
  const last = before.version
  const made = last === undefined ? firstCreation(lost) : earliestEnd(lost, 'update', last, version)
  if (made === Infinity) throw new Impossible(`nobody made version ${version}, which follows ${last ?? 'nothing'}`, [])
  return made
}
