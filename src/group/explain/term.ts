import type { LeaderGroup, LeaderGroupHistoryEntry } from '../leadergroup.ts'

/** Why a term began: because another ended. Sentences, each without its full stop. */
export function beginning({ status }: LeaderGroup, term: number): readonly string[] {
  const entries = status?.history ?? []
  const at = entries.findIndex((entry) => entry.term === term)
  const before: LeaderGroupHistoryEntry | undefined = at < 0 ? undefined : entries[at + 1]
  if (!before) return []
  const { holder, endTime, reason } = before
  const when = endTime === undefined ? '' : ` at ${endTime}`
  return [`It took over from ${holder}, whose term ${before.term} ended${when}${reason ? ` (${reason})` : ''}`]
}
