import type { Operation, Removal, Write } from './operation.ts'

/** A write or removal of which nobody knows whether it took effect. */
export type Lost = Write | Removal

export function lostOf(operations: readonly Operation[]): readonly Lost[] {
  return operations.filter((each): each is Lost => each.kind !== 'read' && each.outcome === 'unknown')
}

/** When somebody can have made the object anew, at the earliest. */
export function firstCreation(lost: readonly Lost[]): number {
  return Math.min(...lost.filter(({ kind }) => kind === 'create').map(({ calledAt }) => calledAt))
}

/**
 * When a lost operation can have put an end to `last` that was before `next`, at the earliest: directly, or after another
 * lost write whose version only its sender saw.
 */
export function earliestEnd(lost: readonly Lost[], kind: 'update' | 'delete', last: number, next: number): number {
  const times: number[] = []
  for (const each of lost) {
    if (each.kind !== kind) continue
    if (fits(each, last)) times.push(each.calledAt)
    else if (each.expected! > last && each.expected! < next) {
      const first = lost.filter((other) => other !== each && other.kind === 'update' && fits(other, last))
      if (first.length > 0) times.push(Math.max(each.calledAt, Math.min(...first.map(({ calledAt }) => calledAt))))
    }
  }
  return Math.min(...times)
}

/** It may replace that version. */
export function fits({ expected }: Lost, version: number | undefined): boolean {
  return expected === undefined || expected === version
}
