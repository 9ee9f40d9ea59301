const UNIT_SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 }

/** Go's durations are 64 bits of nanoseconds. */
const LONGEST_SECONDS = 2 ** 63 / 1e9

/** `5s`, `1.5s`, `500ms`, `1m30s`, as Go's flags take them, in seconds; undefined when it is no duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  const seconds = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_SECONDS[unit!] ?? Number.NaN), 0)
  if (seconds > LONGEST_SECONDS) return undefined
  // 0.1 + 0.2 of a second are 300 ms.
  return Math.round(seconds * 1e6) / 1e6
}
