import type { EndReason, Instant } from '../../election/observation.ts'
import type { Timing } from '../../election/timing.ts'

/**
 * Until when a command may run, as it is known now; each renewal of the Lease gives a new grant. Times are those of the
 * machine's monotonic clock: whoever enforces a grant needs nothing more from whoever gave it.
 */
export interface Grant {
  /** The term's deadline: the command is asked to end. */
  readonly tellAt: number
  /** Until then nobody else's clock, however fast, has counted a whole lease duration: the command is killed. */
  readonly killAt: number
  /** Wall less monotonic time when it was given. */
  readonly offset: number
  /** How far this may change, by a suspend or a step of the wall clock, before neither clock can be trusted. */
  readonly mostJump: number
}

/** After a term that somebody else has ended, another may lead already: this long the command has to end by itself. */
const TAKEN_GRACE_MILLIS = 1_000
/** A suspended machine's monotonic clock stands still: that it has woken shows only when somebody looks. */
const LOOK_MILLIS = 500

/** `now` must have been read before `remainingMillis` was: a stop in between shall shorten the grant. */
export function grantOf(remainingMillis: number, now: Instant, timing: Timing): Grant {
  const { leaseDurationMillis, renewDeadlineMillis, clockDrift } = timing
  const tellAt = now.monotonic + remainingMillis
  return {
    tellAt,
    killAt: tellAt + Math.max(0, leaseDurationMillis / (1 + clockDrift) - renewDeadlineMillis),
    offset: now.wall - now.monotonic,
    mostJump: (leaseDurationMillis - renewDeadlineMillis) / 2,
  }
}

/** What is left of the last grant when the term has ended, or shall end: the command is told now. */
export function lastGrant(grant: Grant, reason: EndReason, now: Instant): Grant {
  return { ...grant, tellAt: now.monotonic, killAt: Math.min(grant.killAt, now.monotonic + graceMillis(reason)) }
}

function graceMillis(reason: EndReason): number {
  switch (reason) {
    case 'suspended':
      return 0
    case 'taken':
    case 'changed':
      return TAKEN_GRACE_MILLIS
    case 'deadline':
    case 'limit':
    case 'preferred':
    case 'stepDown':
    case 'aborted':
    case 'done':
      return Infinity
  }
}

/** What is to be done with a command that still runs. */
export function due(grant: Grant, isTold: boolean, now: Instant): 'nothing' | 'tell' | 'kill' {
  const jump = Math.abs(now.wall - now.monotonic - grant.offset)
  if (now.monotonic >= grant.killAt || jump > grant.mostJump) return 'kill'
  return now.monotonic >= grant.tellAt && !isTold ? 'tell' : 'nothing'
}

/** When to ask `due` again. */
export function lookAt(grant: Grant, isTold: boolean, now: Instant): number {
  return Math.min(isTold ? grant.killAt : Math.min(grant.tellAt, grant.killAt), now.monotonic + LOOK_MILLIS)
}
