/** One rule of the design left out of the sources: some check has to fail then. */
export interface Mutant {
  /** The mistake, in words; unique. */
  readonly name: string
  /** The source that it is made in, from the root of the repository. */
  readonly file: string
  /** Stands in that source exactly once. */
  readonly find: string
  readonly replace: string
  /** What it breaks: section of the design, invariant, or the promise in words. */
  readonly rule: string
  /** The check that shows it, as narrow as possible: a file of tests. */
  readonly killedBy: string
}

/** What the mutants of one table have in common. */
export type Row = Omit<Mutant, 'file' | 'killedBy'>

/** The mutants of one source; `killedBy` unless a row says otherwise. */
export function mutantsOf(
  file: string,
  killedBy: string,
  rows: readonly (Row & { readonly killedBy?: string })[],
): readonly Mutant[] {
  return rows.map((row) => ({ file, killedBy, ...row }))
}

/** The source with the mistake made; undefined when the mutant does not apply to it any more. */
export function mutated({ find, replace }: Pick<Mutant, 'find' | 'replace'>, source: string): string | undefined {
  const [before, after, ...others] = source.split(find)
  return after === undefined || others.length > 0 ? undefined : before + replace + after
}
