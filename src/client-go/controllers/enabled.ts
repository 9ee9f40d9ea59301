/**
 * Whether `name` is to be started, as kube-controller-manager reads its `--controllers`: the first pattern that names it
 * decides, `name` for and `-name` against; else `*` enables it, unless it is off by default.
 */
export function isEnabled(name: string, patterns: readonly string[], disabledByDefault: readonly string[]): boolean {
  const named = patterns.find((pattern) => pattern === name || pattern === `-${name}`)
  if (named !== undefined) return named === name
  return patterns.includes('*') && !disabledByDefault.includes(name)
}

/** What names no controller: most likely a misspelt one, which would run, or not, against the wish. */
export function patternViolations(patterns: readonly string[], names: readonly string[]): readonly string[] {
  const known = new Set(['*', ...names.flatMap((name) => [name, `-${name}`])])
  return patterns
    .filter((pattern) => !known.has(pattern))
    .map((pattern) => `${JSON.stringify(pattern)} is not in the list of known controllers: ${names.join(', ')}`)
}
