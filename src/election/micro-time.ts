const DAY_MILLIS = 86_400_000

/**
 * Wall time as Kubernetes' MicroTime: UTC, RFC 3339, exactly 6 fractional digits (the API server refuses any other
 * number of them, so also `toISOString()`).
 *
 * @param wallMillis milliseconds since 1970-01-01T00:00:00Z; a fraction gives the microseconds
 */
export function microTime(wallMillis: number): string {
  const micros = Math.floor(wallMillis * 1000)
  const days = Math.floor(micros / (DAY_MILLIS * 1000))
  const ofDay = micros - days * DAY_MILLIS * 1000
  const { year, month, day } = civilDate(days)
  const seconds = Math.floor(ofDay / 1e6)
  const date = `${pad(year, 4)}-${two(month)}-${two(day)}`
  const time = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return `${date}T${time}.${pad(ofDay % 1e6, 6)}Z`
}

/** Kubernetes' plain Time, as annotations have it: without digits below the second. */
export function isWholeSeconds(time: string): boolean {
  return !time.includes('.')
}

/** Whether `a` is after `b`: both MicroTimes in UTC, as the API server writes them, which order as text. */
export function isAfter(a: string, b: string): boolean {
  return a > b
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value))

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0')

/**
 * The Gregorian date of a day counted from 1970-01-01. Counts in 400-year cycles of years that begin in March, so
 * that the leap day is the last one of its year (H. Hinnant, "chrono-compatible low-level date algorithms").
 */
function civilDate(days: number): { year: number; month: number; day: number } {
  const sinceMarch0000 = days + 719_468
  const cycle = Math.floor(sinceMarch0000 / 146_097)
  const dayOfCycle = sinceMarch0000 - cycle * 146_097
  const yearOfCycle = Math.floor(
    (dayOfCycle - Math.floor(dayOfCycle / 1460) + Math.floor(dayOfCycle / 36_524) - Math.floor(dayOfCycle / 146_096)) /
      365,
  )
  const dayOfYear = dayOfCycle - (365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  return { year: yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0), month, day }
}
