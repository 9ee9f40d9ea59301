import type { LeaderGroup } from '../../src/group/leadergroup.ts'

/** The table of `kubectl get leadergroups`, with the columns of the CRD. */
export function table(groups: readonly LeaderGroup[], now = Date.now()): string {
  const rows = [
    ['NAME', 'HOLDER', 'TRANSITIONS', 'READY', 'SINCE', 'AGE'],
    ...groups.map(({ metadata, status }) => [
      metadata.name,
      status?.holder ?? '',
      String(status?.transitions ?? ''),
      status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? '',
      age(status?.acquireTime, now),
      age(metadata.creationTimestamp, now),
    ]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]! + 3))
        .join('')
        .trimEnd(),
    )
    .join('\n')
}

/** As kubectl: seconds up to two minutes, and so on, in whole numbers. */
function age(time: string | undefined, now: number): string {
  if (time === undefined) return ''
  const seconds = Math.max(0, Math.floor((now - Date.parse(time)) / 1000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}
