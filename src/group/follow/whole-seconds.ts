const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|([+-])(\d\d):(\d\d))$/

/**
 * An RFC 3339 time as seconds since 1970-01-01T00:00:00Z, with what is left of a second cut off; undefined for anything
 * else. Whole seconds are what the kubelet writes, so nothing finer can be compared with its stamps.
 */
export function wholeSeconds(text: unknown): number | undefined {
  const match = typeof text === 'string' ? RFC_3339.exec(text) : null
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, ...number[]]
  const [offsetHour, offsetMinute] = [Number(match[8] ?? 0), Number(match[9] ?? 0)]
  const isTime = hour! < 24 && minute! < 60 && second! < 60 && offsetHour < 24 && offsetMinute < 60
  if (month! < 1 || month! > 12 || day! < 1 || day! > daysIn(year, month!) || !isTime) return undefined
  const offset = (match[7] === '-' ? -1 : 1) * (offsetHour * 3600 + offsetMinute * 60)
  return dayNumber(year, month!, day!) * 86_400 + hour! * 3600 + minute! * 60 + second! - offset
}

function daysIn(year: number, month: number): number {
  const next = month === 12 ? dayNumber(year + 1, 1, 1) : dayNumber(year, month + 1, 1)
  return next - dayNumber(year, month, 1)
}

/** Days since 1970-01-01, counted in years that begin in March, so that the leap day is the last one of its year. */
function dayNumber(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1
  const monthsSinceMarch = (month + 9) % 12
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leapDays + Math.floor((153 * monthsSinceMarch + 2) / 5) + day - 1 - 719_468
}
