/** When candidates led by their own word: the only witness of what the Lease is there to prevent. */
import assert from 'node:assert/strict'

export interface Term {
  readonly identity: string
  /** Monotonic milliseconds. */
  readonly fromMillis: number
  /** Infinity: it leads still. */
  readonly toMillis: number
}

/** Asserts that no two of them led at one time; returns all terms in order. */
export function checkTerms(candidates: readonly { readonly terms: readonly Term[] }[]): readonly Term[] {
  const terms = candidates.flatMap((candidate) => candidate.terms).toSorted((a, b) => a.fromMillis - b.fromMillis)
  terms.forEach((term, index) => {
    const earlier = terms.slice(0, index).find(({ toMillis }) => toMillis > term.fromMillis)
    if (!earlier) return
    const millis = Math.round(earlier.toMillis - term.fromMillis)
    assert.fail(`${term.identity} began to lead ${millis} ms before ${earlier.identity} had stopped`)
  })
  return terms
}
