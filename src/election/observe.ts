import {
  endByTime,
  remainingMillis,
  type Attempt,
  type EndReason,
  type Instant,
  type Observation,
  type Sight,
  type Tenure,
} from './observation.ts'
import { isReleased, isSameTerm, isSameWrite, type Versioned } from './record.ts'
import { standBackMillis } from './timing.ts'
import { isNewer } from './version.ts'

/**
 * Theory of operation.
 *
 * A term begins with a write that succeeded and ends by whatever comes first: its deadline, or any sign that the lock
 * is no longer as the term's last write left it. All ends happen here, in the fold, and not in `decide`: a sign that
 * arrives while a request hangs must not wait for that request.
 *
 * The rules that keep two apart:
 * - A term lasts renewDeadline from the *start* of a write; a follower counts leaseDuration from the *arrival* of the
 *   version which that write made. So the term's end comes first by at least leaseDuration − renewDeadline, less what
 *   the two clocks' rates differ.
 * - Time is looked at before anything is folded: what was over stays over, whatever news comes late.
 * - A write whose fate is unknown is remembered. The lock found exactly as that write would have left it is ours, as
 *   of that write's start; a lock that moved on in another way means the write can never take effect any more, because
 *   it names a version that is gone.
 * - Words about the lock may come in any order (a watch runs beside the requests), so an older version never replaces
 *   a newer one. Only a read that began after everything else was heard is believed whatever it says.
 */
export type Event =
  /** The clock was looked at. */
  | { readonly kind: 'tick'; readonly at: Instant }
  | { readonly kind: 'read'; readonly at: Instant; readonly startedAt: Instant; readonly found: Versioned | 'absent' }
  | { readonly kind: 'watched'; readonly at: Instant; readonly found: Versioned | 'absent' }
  /** A watch is open, or is no more. */
  | { readonly kind: 'watching'; readonly at: Instant; readonly open: boolean }
  /** A write is about to leave. */
  | { readonly kind: 'sent'; readonly at: Instant; readonly attempt: Attempt }
  | { readonly kind: 'wrote'; readonly at: Instant; readonly attempt: Attempt; readonly found: Versioned }
  /** The write did not happen: the lock is not at the version it named. */
  | { readonly kind: 'conflict'; readonly at: Instant; readonly attempt: Attempt }
  /** No answer that tells what happened. The server may have asked to be left alone for a while. */
  | { readonly kind: 'failed'; readonly at: Instant; readonly startedAt: Instant; readonly retryAfterMillis?: number }
  /** The term's end is asked for, by its holder. */
  | { readonly kind: 'end'; readonly at: Instant; readonly reason: EndReason }
  /** Others shall come first for a while, counted from when they can: now, or when the work of the term has returned. */
  | { readonly kind: 'standBack'; readonly at: Instant; readonly millis: number }
  | { readonly kind: 'returned'; readonly at: Instant }
  | { readonly kind: 'intent'; readonly at: Instant; readonly intent: Observation['intent'] }

/** Folds one event into what is known. Never throws; an event that says nothing new changes nothing of weight. */
export function observe(before: Observation, event: Event): Observation {
  return fold(expire(before, event.at), event)
}

function expire(o: Observation, now: Instant): Observation {
  const reason = endByTime(o, now)
  const attempts = o.attempts.filter(
    (attempt) => now.monotonic - attempt.startedAt.monotonic < o.timing.renewDeadlineMillis,
  )
  const pruned = attempts.length === o.attempts.length ? o : { ...o, attempts }
  return reason ? lose(pruned, reason) : limit(pruned, now)
}

/** Not an end by time: nobody else leads yet, so the work may take until the deadline to return. */
function limit(o: Observation, now: Instant): Observation {
  if (!o.tenure || o.tenure.ending || now.monotonic < o.tenure.limitAt) return o
  return end(standBack(o, now, standBackMillis(o.timing)), 'limit')
}

function standBack(o: Observation, { monotonic }: Instant, millis: number): Observation {
  return { ...o, standBackUntil: monotonic + millis, standBackMillis: o.working ? millis : 0 }
}

function fold(o: Observation, event: Event): Observation {
  switch (event.kind) {
    case 'tick':
      return o
    case 'read':
      return read(o, event)
    case 'watched':
      return watched(o, event)
    case 'watching':
      return watching(o, event)
    case 'sent':
      return { ...o, attempts: [...o.attempts, event.attempt] }
    case 'wrote':
      return wrote(o, event)
    case 'conflict':
      return conflict(o, event)
    case 'failed':
      return failed(o, event)
    case 'end':
      return end(o, event.reason)
    case 'standBack':
      return standBack(o, event.at, event.millis)
    case 'returned':
      return returned(o, event.at)
    case 'intent':
      return event.intent === 'contend'
        ? { ...o, intent: event.intent }
        : end({ ...o, intent: event.intent }, event.intent === 'paused' ? 'stepDown' : 'aborted')
  }
}

function returned(o: Observation, at: Instant): Observation {
  const standBackUntil = Math.max(o.standBackUntil, at.monotonic + o.standBackMillis)
  return end({ ...o, working: false, standBackUntil, standBackMillis: 0 }, 'done')
}

function read(o: Observation, event: Extract<Event, { kind: 'read' }>): Observation {
  const settled = { ...o, doubt: false }
  const isNewest = o.heardAt === undefined || o.heardAt < event.startedAt.monotonic
  // A watch has told something since the read began: the read may be the older of the two.
  if (!isNewest && !isNews(event.found, o)) return settled
  return see(settled, event.found, event.at)
}

function watched(o: Observation, { at, found }: Extract<Event, { kind: 'watched' }>): Observation {
  if (found !== 'absent') return isNews(found, o) ? see(o, found, at) : { ...o, heardAt: at.monotonic }
  // A deletion carries no version, so it may be one of before our own create: too little to end a term on.
  if (o.tenure || o.attempts.length > 0) return { ...o, doubt: true }
  return see(o, found, at)
}

function watching(o: Observation, { at, open }: Extract<Event, { kind: 'watching' }>): Observation {
  if (open) return { ...o, watch: 'open' }
  return { ...o, watch: 'closed', watchAgainAt: at.monotonic + o.timing.retryPeriodMillis * (1 + o.phase) }
}

function wrote(o: Observation, { at, attempt, found }: Extract<Event, { kind: 'wrote' }>): Observation {
  const settled = { ...withoutAttempt(o, attempt), conflicts: 0 }
  if (isNews(found, o)) return adopt(withSight(settled, found, at), attempt, found, at)
  // A watch was faster than this reply. With this very version it has been recognised; with a newer one the term is
  // over before it began, or has ended.
  return { ...settled, heardAt: at.monotonic }
}

function conflict(o: Observation, { at, attempt }: Extract<Event, { kind: 'conflict' }>): Observation {
  const conflicts = o.conflicts + 1
  const known = {
    ...withoutAttempt(o, attempt),
    conflicts,
    doubt: true,
    retryAt: at.monotonic + conflictBackoffMillis(o, conflicts),
  }
  // A write of ours whose answer was lost may be what stands in the way: only a read can tell. Without one, the lock
  // is somebody else's work. While releasing, it is read as well: metadata may have changed, which loses nothing.
  // So it is where a coordinator may have written who shall lead next.
  const mayBeOurs = known.attempts.length > 0 || (o.tenure?.ending !== undefined && !o.working) || o.rules.coordinated
  return mayBeOurs ? known : lose(known, 'changed')
}

/** The first time at once; then longer and longer, for a lock that somebody writes all the time. */
function conflictBackoffMillis(o: Observation, conflicts: number): number {
  if (conflicts <= 1) return 0
  return Math.min(o.timing.retryPeriodMillis, 10 * 2 ** Math.min(conflicts, 20)) * (0.5 + o.phase / 2)
}

function failed(o: Observation, event: Extract<Event, { kind: 'failed' }>): Observation {
  const { at, startedAt, retryAfterMillis = 0 } = event
  // A leader tries again every period, for it has a deadline; followers spread out.
  const period = o.timing.retryPeriodMillis * (o.tenure ? 1 : 1 + o.phase)
  const asked = Math.min(retryAfterMillis, patienceMillis(o, at))
  const retryAt = Math.max(at.monotonic + asked, startedAt.monotonic + period)
  // No need to read before a lost write is tried again: if it was carried out, the next one meets a conflict.
  return { ...o, retryAt }
}

/**
 * A server that is overloaded says when to come back. A leader must not lose its term over that while the server may have
 * recovered, nor a follower miss a free lock for longer than a crash would cost.
 */
function patienceMillis(o: Observation, now: Instant): number {
  return o.tenure ? remainingMillis(o, o.tenure, now) / 2 : o.timing.leaseDurationMillis
}

/** The holder's own wish: it keeps what it has until its work has returned or the deadline comes. */
function end(o: Observation, reason: EndReason): Observation {
  if (!o.tenure || o.tenure.ending) return o
  return { ...o, tenure: { ...o.tenure, ending: reason } }
}

function lose(o: Observation, reason: EndReason): Observation {
  if (!o.tenure) return o
  return { ...o, tenure: undefined, lastEnd: { token: o.tenure.token, reason } }
}

/** Takes in what the lock is now. */
function see(o: Observation, found: Versioned | 'absent', at: Instant): Observation {
  if (found === 'absent') {
    return { ...lose(o, 'changed'), sight: { kind: 'absent' }, heardAt: at.monotonic }
  }
  if (o.sight?.kind === 'record' && o.sight.version === found.version) return { ...o, heardAt: at.monotonic }
  const seen = withSight(o, found, at)
  const attempt = o.attempts.find((candidate) => isSameWrite(candidate.record, found.record))
  if (attempt) return adopt(seen, attempt, found, at)
  // Whatever was still under way named a version that is gone.
  const stranger = { ...seen, attempts: [] }
  return o.tenure ? challenged(stranger, o.tenure, found) : stranger
}

/** The lock was changed under a term, and not by a write of the term. */
function challenged(o: Observation, tenure: Tenure, found: Versioned): Observation {
  const ours = isSameTerm({ ...tenure, holderIdentity: o.identity, leaseTransitions: tenure.number }, found.record)
  // Nothing is led any more, only the release is due: that the holder is still this term is enough for it.
  if (ours && tenure.ending && !o.working && !found.refused) {
    return { ...o, tenure: { ...tenure, version: found.version } }
  }
  if (ours && o.rules.coordinated && !found.refused) return steered(o, tenure, found)
  const isTaken = !isReleased(found.record) && found.record.holderIdentity !== o.identity
  return lose(o, isTaken ? 'taken' : 'changed')
}

/** The coordinator has written on our term, perhaps that another shall lead next: then the work ends, and we release. */
function steered(o: Observation, tenure: Tenure, { record, version }: Versioned): Observation {
  const followed = { ...o, tenure: { ...tenure, version } }
  return record.preferredHolder ? end(followed, 'preferred') : followed
}

/** A write of ours took effect. */
function adopt(o: Observation, attempt: Attempt, found: Versioned, at: Instant): Observation {
  const settled = { ...o, attempts: [] }
  switch (attempt.purpose) {
    case 'acquire':
      return begin(settled, attempt, found, at)
    case 'renew':
      if (!isRenewalOf(o.tenure, attempt)) return settled
      return { ...settled, tenure: { ...o.tenure, version: found.version, renewedAt: attempt.startedAt } }
    case 'release':
      return lose(settled, o.tenure?.ending ?? 'done')
  }
}

function isRenewalOf(tenure: Tenure | undefined, { record }: Attempt): tenure is Tenure {
  return tenure?.number === record.leaseTransitions && tenure.acquireTime === record.acquireTime
}

function begin(o: Observation, attempt: Attempt, found: Versioned, at: Instant): Observation {
  const tenure: Tenure = {
    number: attempt.record.leaseTransitions,
    token: found.version,
    acquireTime: attempt.record.acquireTime ?? '',
    version: found.version,
    renewedAt: attempt.startedAt,
    limitAt: at.monotonic + o.termLimitMillis,
    ending: undefined,
  }
  const begun = { ...o, tenure }
  // The answer may have taken so long that the term is over: then it never was, and no work starts.
  if (endByTime(begun, at)) return o
  // It is not wanted any more: no work starts, and what is left to do is to release it.
  if (o.intent === 'withdrawn') return end(begun, 'aborted')
  if (o.intent === 'paused' || at.monotonic < o.standBackUntil) return end(begun, 'stepDown')
  return { ...begun, working: true }
}

function withSight(o: Observation, found: Versioned, at: Instant): Observation {
  const { record, version, refused } = found
  const sight: Sight = { kind: 'record', record, version, refused, since: at.monotonic }
  const isForeign = !isReleased(record) && record.holderIdentity !== o.identity
  return {
    ...o,
    sight,
    newestVersion: version,
    lastNumber: record.leaseTransitions,
    heardAt: at.monotonic,
    // Another one was faster: that settles the race that the conflicts came from.
    conflicts: isForeign ? 0 : o.conflicts,
  }
}

function withoutAttempt(o: Observation, attempt: Attempt): Observation {
  return { ...o, attempts: o.attempts.filter((other) => other !== attempt) }
}

function isNews(found: Versioned | 'absent', o: Observation): boolean {
  return found !== 'absent' && (o.newestVersion === undefined || isNewer(found.version, o.newestVersion))
}
