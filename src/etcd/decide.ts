import type { Instant } from '../election/observation.ts'
import type { Found } from './etcd-key.ts'
import { heldUntil, remainingMillis, renewAt, type Holding, type Observation } from './observation.ts'

export type Action =
  /** Follows the key from this revision of the store on. */
  | { readonly kind: 'watch'; readonly from: bigint }
  | { readonly kind: 'read' }
  /** Writes the key, as it was seen, with a lease of its own. */
  | { readonly kind: 'acquire'; readonly seen: Found | 'absent' }
  /** Takes the key over that bears our value already, with what is left of its lease. */
  | { readonly kind: 'adopt'; readonly seen: Found; readonly lease: string }
  | { readonly kind: 'renew'; readonly lease: string }
  | { readonly kind: 'release'; readonly leases: readonly string[] }
  /** Time has ended what was held: look at the clock. */
  | { readonly kind: 'tick' }

export interface Decision {
  readonly actions: readonly Action[]
  /** Monotonic time of the next look; absent when only an event can change the decision. */
  readonly wakeAt?: number
  readonly reason: string
}

/** What one leaser has to do about its key. Pure, total, idempotent; one request at a time, a watch beside it. */
export function decide(o: Observation, now: Instant): Decision {
  if (o.intent === 'release') return releasing(o, now)
  if (o.holding && remainingMillis(o, o.holding, now) <= 0) return { actions: [{ kind: 'tick' }], reason: 'too late' }
  if (o.loss) return { actions: [], reason: `lost: ${o.loss}` }
  if (o.intent === 'idle') return { actions: [], reason: 'not contending' }
  const next = o.holding ? holding(o, o.holding, now) : following(o, now)
  if (o.watching || !o.sight) return next
  const watch: Action = { kind: 'watch', from: o.sight.revision + 1n }
  if (now.monotonic >= o.watchAt) return { ...next, actions: [watch, ...next.actions] }
  return { ...next, wakeAt: Math.min(next.wakeAt ?? Infinity, o.watchAt) }
}

/** Ends when nothing is left to release, or has failed so often that only etcd can end it, when the ttl is over. */
export const isReleased = (o: Observation): boolean => o.leases.length === 0 || o.failedReleases >= o.timing.maxRetries

function releasing(o: Observation, now: Instant): Decision {
  if (isReleased(o)) return { actions: [], reason: 'released' }
  return request(o, now, { kind: 'release', leases: o.leases }, Infinity, 'releasing')
}

function holding(o: Observation, held: Holding, now: Instant): Decision {
  const end = heldUntil(o, held)
  const due = renewAt(o, held)
  if (now.monotonic < due) return { actions: [], wakeAt: due, reason: `holding at revision ${held.modRevision}` }
  return request(o, now, { kind: 'renew', lease: held.lease }, end, `renewing at revision ${held.modRevision}`)
}

function following(o: Observation, now: Instant): Decision {
  if (!o.sight) return request(o, now, { kind: 'read' }, Infinity, 'looking who holds the key')
  const { found } = o.sight
  if (found === 'absent') return request(o, now, { kind: 'acquire', seen: found }, Infinity, 'the key is free')
  if (found.value === o.value) {
    const { lease } = found
    const action: Action =
      lease === undefined ? { kind: 'acquire', seen: found } : { kind: 'adopt', seen: found, lease }
    return request(o, now, action, Infinity, 'the value is ours already')
  }
  // A watch that works makes this rare; one that went silent must not keep us from ever acquiring.
  const pollAt = Math.max(o.heardAt + o.timing.ttlMillis, o.retryAt)
  const reason = `${found.value} holds the key`
  return now.monotonic >= pollAt ? { actions: [{ kind: 'read' }], reason } : { actions: [], wakeAt: pollAt, reason }
}

/** Does `action` as soon as requests may be sent again, but looks at the time at `limit` anyway. */
function request(o: Observation, now: Instant, action: Action, limit: number, reason: string): Decision {
  if (now.monotonic >= o.retryAt) return { actions: [action], reason }
  return { actions: [], wakeAt: Math.min(o.retryAt, limit), reason }
}
