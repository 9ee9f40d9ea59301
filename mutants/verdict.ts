/** How the checks ended that ran with a mutant. */
export type Verdict =
  /** `test`: the one that failed first, in full. `files`: those in which tests failed; only the first, unless all ran. */
  | { readonly kind: 'killed'; readonly test: string; readonly files: readonly string[] }
  | { readonly kind: 'survived'; readonly tests: number }
  /** It failed, but not because a test found something out. */
  | { readonly kind: 'broken'; readonly why: string }

/** A property of the global object, true once a mutant was loaded in this process. */
export const LOADED = Symbol.for('leadergroup.mutant.loaded')

/** What a program says that does not run at all. Whoever gets this from a mutant has not been told of its mistake. */
const FAULTS: ReadonlySet<string | undefined> = new Set(['SyntaxError', 'ReferenceError', 'TypeError'])

/**
 * Whether a test failed for what the code did, and not because the code is none. Nor for the time it took: a machine that is
 * busy enough would find every mistake.
 */
export function isFinding(error: Error & { readonly code?: string }): boolean {
  return !FAULTS.has(error.name) && error.code !== 'ERR_MOCHA_TIMEOUT'
}
