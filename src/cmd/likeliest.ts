/** So many names help; more are noise. */
const LISTED = 5

/** The names that a person may have meant, the most similar first. */
export function likeliest(meant: string, names: readonly string[]): readonly string[] {
  const far = new Map(names.map((name) => [name, distance(meant, name)]))
  return names.toSorted((a, b) => far.get(a)! - far.get(b)! || (a < b ? -1 : 1)).slice(0, LISTED)
}

/** How many letters must be put in, taken out or changed (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const changed = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[to.length]!
}
