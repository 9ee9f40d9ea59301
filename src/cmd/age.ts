const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const

/** The time from `stamp` (RFC 3339) to `wallMillis` in its largest unit and the next: `2h5m ago`, `41s ago`. */
export function age(stamp: string, wallMillis: number): string {
  const seconds = Math.max(Math.floor((wallMillis - Date.parse(stamp)) / 1000), 0)
  const largest = UNITS.findIndex(([, length]) => seconds >= length)
  if (largest < 0) return 'just now'
  const [unit, length] = UNITS[largest]!
  const next = UNITS[largest + 1]
  const rest = next ? Math.floor((seconds % length) / next[1]) : 0
  return `${Math.floor(seconds / length)}${unit}${next && rest > 0 ? `${rest}${next[0]}` : ''} ago`
}
