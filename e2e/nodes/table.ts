/** Tables in Markdown, and times in their cells. */
/** Median, and the largest where there are several. */
export function middle(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined).toSorted((a, b) => a - b)
  if (known.length === 0) return '–'
  const median = known[Math.floor((known.length - 1) / 2)]!
  return known.length === 1 ? millis(median) : `${millis(median)} / ${millis(known.at(-1)!)}`
}

export function millis(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0)
}

export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n')
}
