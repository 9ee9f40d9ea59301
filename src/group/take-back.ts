import type { GroupObservation, Instant } from './observation.ts'

/** Whoever takes or deletes our Lease again and again is answered at once, then ever later: 1 s, 2 s, … 60 s. */
const TAKE_BACK = { firstMillis: 1000, longestMillis: 60_000, forgottenAfterMillis: 600_000 }

/** Before this monotonic time the Lease is not put right again. */
export function takesBackAt({ memory }: GroupObservation, now: Instant): number {
  const recent = memory.takenBackAt.filter((at) => now.monotonic - at < TAKE_BACK.forgottenAfterMillis)
  const last = recent.at(-1)
  if (last === undefined) return -Infinity
  return last + Math.min(TAKE_BACK.firstMillis * 2 ** (recent.length - 1), TAKE_BACK.longestMillis)
}
