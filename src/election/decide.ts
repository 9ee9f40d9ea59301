import { isWholeSeconds } from './micro-time.ts'
import {
  endByTime,
  lookAt,
  type Instant,
  type Observation,
  type Purpose,
  type Sight,
  type Tenure,
} from './observation.ts'
import { acquired, isReleased, released, renewed, type LeaseRecord } from './record.ts'
import { JITTER_FACTOR } from './timing.ts'

export type Action =
  | { readonly kind: 'watch' }
  | { readonly kind: 'read' }
  /** Writes `record` if the lock is still at `version`; without a version: creates it if there is none. */
  | {
      readonly kind: 'write'
      readonly purpose: Purpose
      readonly record: LeaseRecord
      readonly version: string | undefined
    }
  /** Time has ended the term: look at the clock. */
  | { readonly kind: 'tick' }

export interface Decision {
  readonly actions: readonly Action[]
  /** Monotonic time of the next look; absent when only an event can change the decision. */
  readonly wakeAt?: number
  readonly reason: string
}

/**
 * What one candidate has to do about its lock. Pure, total, and idempotent: asked again without news it says the same.
 * At most one request is due at a time, because each answer may change what the next one must be.
 */
export function decide(o: Observation, now: Instant): Decision {
  const next = o.tenure ? asHolder(o, o.tenure, now) : asFollower(o, now)
  if (o.watch !== 'closed' || o.intent === 'withdrawn') return next
  if (now.monotonic >= o.watchAgainAt) return { ...next, actions: [{ kind: 'watch' }, ...next.actions] }
  return { ...next, wakeAt: Math.min(next.wakeAt ?? Infinity, o.watchAgainAt) }
}

function asHolder(o: Observation, tenure: Tenure, now: Instant): Decision {
  const over = endByTime(o, now)
  if (over) return { actions: [{ kind: 'tick' }], reason: `term ${tenure.number} is over: ${over}` }
  const end = lookAt(o, tenure)
  if (tenure.ending) return asEnding(o, tenure, now, end)
  if (now.monotonic >= tenure.limitAt)
    return { actions: [{ kind: 'tick' }], reason: `term ${tenure.number} is at its limit` }
  if (o.doubt) return request(o, now, { kind: 'read' }, end, `leading in term ${tenure.number}, in doubt`)
  // The deadline of the term is counted from the start of a renewal, so the period is, too.
  const due = Math.max(tenure.renewedAt.monotonic + o.timing.retryPeriodMillis, o.retryAt)
  const reason = `leading in term ${tenure.number}`
  if (now.monotonic < due) return { actions: [], wakeAt: Math.min(due, end), reason }
  const record = renewed(
    { holderIdentity: o.identity, acquireTime: tenure.acquireTime, leaseTransitions: tenure.number },
    durationSeconds(o),
    now.wall,
  )
  return {
    actions: [{ kind: 'write', purpose: 'renew', record: coordinated(o, record), version: tenure.version }],
    reason,
  }
}

function asEnding(o: Observation, tenure: Tenure, now: Instant, end: number): Decision {
  const what = `term ${tenure.number} is ending (${tenure.ending})`
  if (o.working) return { actions: [], wakeAt: end, reason: `${what}: waiting for its work` }
  if (o.doubt) return request(o, now, { kind: 'read' }, end, `${what}: looking whether there is something to release`)
  const record = coordinated(o, released(tenure.number, now.wall))
  return request(
    o,
    now,
    { kind: 'write', purpose: 'release', record, version: tenure.version },
    end,
    `${what}: releasing`,
  )
}

function asFollower(o: Observation, now: Instant): Decision {
  if (o.intent === 'withdrawn' && o.attempts.length === 0) return { actions: [], reason: 'withdrawn' }
  if (!o.sight || o.doubt) return request(o, now, { kind: 'read' }, Infinity, 'looking who leads')
  if (o.intent === 'withdrawn') return poll(o, now, Infinity, 'withdrawn, but a write may still be carried out')
  if (o.working) return { actions: [], reason: 'waiting for the work of the last term' }
  if (o.intent === 'paused') return poll(o, now, Infinity, 'paused')
  const { at, reason } = freeAt(o, o.sight)
  const acquireAt = Math.max(at, o.standBackUntil)
  if (now.monotonic < acquireAt) return poll(o, now, acquireAt, acquireAt > at ? `${reason}, standing back` : reason)
  const record = coordinated(o, acquired(o.identity, durationSeconds(o), o.lastNumber, now.wall))
  const version = o.sight.kind === 'absent' ? undefined : o.sight.version
  return request(o, now, { kind: 'write', purpose: 'acquire', record, version }, Infinity, `acquiring: ${reason}`)
}

/** The monotonic time from which on the lock may be taken. */
function freeAt(o: Observation, sight: Sight): { at: number; reason: string } {
  if (sight.kind === 'absent') return absentFreeAt(o)
  if (sight.refused !== undefined) return { at: Infinity, reason: sight.refused }
  if (o.rules.coordinated) return namedAt(o, sight.record)
  if (isReleased(sight.record)) return { at: -Infinity, reason: 'the lock is free' }
  // Our own name from before: of a term of ours that is over, or of this identity's last process. Whoever shares an
  // identity between living processes has no election at all, so there is nobody to wait for (client-go's rule).
  if (sight.record.holderIdentity === o.identity) return { at: -Infinity, reason: 'the holder is an earlier self' }
  return { at: sight.since + silenceMillis(o, sight.record), reason: `${sight.record.holderIdentity} leads` }
}

function absentFreeAt({ rules }: Observation): { at: number; reason: string } {
  if (rules.coordinated) return { at: Infinity, reason: 'the coordinator has not made the lock object yet' }
  if (!rules.mayCreate) return { at: Infinity, reason: 'there is no object to lock, and it is not ours to create' }
  return { at: -Infinity, reason: 'there is no lock object yet' }
}

/** A coordinated lock is never free: who is named on it may take it, and nobody else, however silent its holder is. */
function namedAt(o: Observation, { holderIdentity, preferredHolder }: LeaseRecord): { at: number; reason: string } {
  if (holderIdentity !== o.identity) {
    return { at: Infinity, reason: `waiting to be named: ${holderIdentity || 'nobody'} leads` }
  }
  if (preferredHolder) return { at: Infinity, reason: `${preferredHolder} is to lead next` }
  return { at: -Infinity, reason: 'the coordinator has named us' }
}

/** The strategy on a coordinated lock is its coordinator's, and stays; any other lock has none. */
function coordinated({ rules, sight }: Observation, record: LeaseRecord): LeaseRecord {
  const strategy = rules.coordinated && sight?.kind === 'record' ? sight.record.strategy : undefined
  return strategy === undefined ? record : { ...record, strategy }
}

/**
 * How long a holder must be silent to count as gone: what its own record says, not what we are set to. A holder that
 * says nothing (null or 0, as some electors write) gets our own duration: to wait too long costs time, to take at
 * once, as client-go does on its second try, may make two leaders.
 */
function silenceMillis(o: Observation, record: LeaseRecord): number {
  const millis = record.leaseDurationSeconds > 0 ? record.leaseDurationSeconds * 1000 : o.timing.leaseDurationMillis
  return millis + unseenMillis(record)
}

/**
 * client-go writes whole seconds into annotations. Two renewals of one second are the same text then, so the last one may
 * be up to a second younger than it looks.
 */
function unseenMillis({ renewTime }: LeaseRecord): number {
  return renewTime !== undefined && isWholeSeconds(renewTime) ? 1000 : 0
}

/**
 * Waits until `until`, which is yet to come, and meanwhile reads when nothing was heard for longer than the renewals of a live leader are
 * apart. With a watch that works this never happens while somebody leads; it covers locks without one and watches
 * that went silent.
 */
function poll(o: Observation, now: Instant, until: number, reason: string): Decision {
  const pollAt = (o.heardAt ?? now.monotonic) + o.timing.retryPeriodMillis * (JITTER_FACTOR + o.phase)
  if (now.monotonic >= pollAt) return request(o, now, { kind: 'read' }, until, reason)
  return { actions: [], wakeAt: Math.min(pollAt, until), reason }
}

/** Does `action` as soon as requests may be sent again, but looks at the time at `limit` anyway. */
function request(o: Observation, now: Instant, action: Action, limit: number, reason: string): Decision {
  if (now.monotonic >= o.retryAt) return { actions: [action], reason }
  return { actions: [], wakeAt: Math.min(o.retryAt, limit), reason }
}

const durationSeconds = (o: Observation): number => o.timing.leaseDurationMillis / 1000
