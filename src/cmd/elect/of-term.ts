import type { Timing } from '../../election/timing.ts'
import type { EndReason } from '../../election/observation.ts'
import type { TermEndedError } from '../../lock/errors.ts'
import type { Term } from '../../lock/term.ts'
import { grantOf, type Grant } from './grant.ts'
import { instant } from './host-clock.ts'

/** What a command finds in its environment. */
export function environmentOf({ number, token, identity }: Term): Record<string, string> {
  return { LEADERGROUP_TERM: String(number), LEADERGROUP_TOKEN: String(token), LEADERGROUP_IDENTITY: identity }
}

/** What a term allows, as it stands now. */
export function grantNow(term: Term, timing: Timing): Grant {
  const now = instant()
  return grantOf(term.remainingMillis(), now, timing)
}

/** Why a term has ended, or if it has not: the guard's clock was a little before ours. */
export function reasonOf(term: Term): EndReason {
  const { signal } = term
  // Looks at the clock, and aborts the signal if its timer is late.
  if (!signal.aborted) term.isCurrent()
  return signal.aborted ? (signal.reason as TermEndedError).reason : 'deadline'
}
