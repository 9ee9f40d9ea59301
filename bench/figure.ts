/** A figure: what was measured, the floor of the same run beside it, and what it should reach. */
export interface Figure {
  readonly what: string
  readonly unit: 'ms' | 's' | 'MB' | '% of a core' | 'requests' | 'requests/s' | 'writes'
  readonly value: Spread
  readonly floor?: Spread
  readonly goal?: Goal
}

/** Of `n` samples; a single value has neither `p99` nor `max`. */
export interface Spread {
  readonly n: number
  readonly median: number
  readonly p99?: number
  readonly max?: number
}

export interface Goal {
  readonly text: string
  readonly reached: boolean
}

export function spread(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b)
  return { n: sorted.length, median: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) }
}

export function single(value: number): Spread {
  return { n: 1, median: value }
}

/** The value must not be greater. */
export function atMost(value: number, limit: number, unit: string): Goal {
  return { text: `≤ ${limit} ${unit}`, reached: value <= limit }
}

/** Nearest rank. */
function quantile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new RangeError('no samples')
  return value
}

const HEADINGS = ['figure', 'n', 'median', 'p99', 'max', 'floor median', 'floor p99', '× floor', 'goal', '']

/** A table that reads well on a terminal and is Markdown too. */
export function table(figures: readonly Figure[]): string {
  const rows = [HEADINGS, ...figures.map(row)]
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length), 3))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(rows[0]!), line(rule), ...rows.slice(1).map(line)].join('\n')
}

function row({ what, unit, value, floor, goal }: Figure): string[] {
  return [
    `${what}, ${unit}`,
    value.n > 1 ? String(value.n) : '',
    number(value.median),
    number(value.p99),
    number(value.max),
    number(floor?.median),
    number(floor?.p99),
    floor ? (value.median / floor.median).toFixed(2) : '',
    goal?.text ?? '',
    goal ? (goal.reached ? 'pass' : 'MISS') : '',
  ]
}

function number(value: number | undefined): string {
  if (value === undefined) return ''
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)
}
