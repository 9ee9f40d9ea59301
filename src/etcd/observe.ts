import type { Instant } from '../election/observation.ts'
import type { Sighting } from './etcd-key.ts'
import type { Loss } from './lease-lost-error.ts'
import { firstObservation, remainingMillis, retryMillis, type Holding, type Observation } from './observation.ts'

/**
 * Theory of operation.
 *
 * What is held is a key that was written with a compare-and-swap, and that lives with a lease which etcd ends after its
 * ttl. It is ours for as long as the key bears the revision of that write, and at most for a share of the ttl from the
 * *start* of the last request that renewed the lease. All ends happen here: a sign that comes while a request hangs
 * must not wait for it.
 *
 * - Time is looked at before anything is folded: what was over stays over, whatever news comes late.
 * - A renewal alone proves nothing about the key, which can be deleted or overwritten while the lease lives on. So it
 *   counts only together with a linearizable read, begun after it, that shows the key as our write left it.
 * - A write whose answer was lost can take effect only while its lease lives, and the lease is remembered. Found on the
 *   key it is ours to take over; to release is to end every lease that was granted.
 * - Words about the key come out of order (a watch runs beside the requests), so an older revision never replaces a
 *   newer one, unless a read begun after everything else was heard tells it: then the store was put back to a backup.
 */
export type Event =
  | { readonly kind: 'tick'; readonly at: Instant }
  | { readonly kind: 'contend'; readonly at: Instant }
  /** Whatever is held is not renewed any more. */
  | { readonly kind: 'idle'; readonly at: Instant }
  | { readonly kind: 'release'; readonly at: Instant }
  /** A lease was granted, or found on a key of ours. */
  | { readonly kind: 'leased'; readonly at: Instant; readonly lease: string }
  /** A lease is there no more. */
  | { readonly kind: 'ended'; readonly at: Instant; readonly lease: string }
  | { readonly kind: 'saw'; readonly at: Instant; readonly startedAt?: Instant; readonly sighting: Sighting }
  /** A swap succeeded; its key lives with `holding.lease`. */
  | { readonly kind: 'swapped'; readonly at: Instant; readonly holding: Holding }
  /** Renewed by a request that began at `startedAt`, and then read: `saw` was folded in between. */
  | { readonly kind: 'renewed'; readonly at: Instant; readonly startedAt: Instant; readonly ttlMillis: number }
  | { readonly kind: 'failed'; readonly at: Instant }
  | { readonly kind: 'watching'; readonly at: Instant; readonly open: boolean }

export function observe(before: Observation, event: Event): Observation {
  const o = endByTime(before, event.at)
  switch (event.kind) {
    case 'tick':
      return o
    case 'contend':
      return { ...firstObservation(o.value, o.timing), leases: o.leases, intent: 'hold' }
    case 'idle':
      return o.intent === 'hold' ? { ...o, intent: 'idle' } : o
    case 'release':
      return { ...o, intent: 'release', holding: undefined, failedReleases: 0, retryAt: -Infinity }
    case 'leased':
      return o.leases.includes(event.lease) ? o : { ...o, leases: [...o.leases, event.lease] }
    case 'ended':
      return ended(o, event.lease)
    case 'saw':
      return saw(o, event)
    case 'swapped':
      return swapped(o, event)
    case 'renewed':
      return renewed(o, event)
    case 'failed':
      return failed(o, event.at)
    case 'watching':
      return event.open ? { ...o, watching: true } : unwatched(o, event.at)
  }
}

function endByTime(o: Observation, at: Instant): Observation {
  if (!o.holding || o.intent === 'release' || remainingMillis(o, o.holding, at) > 0) return o
  return lose(o, 'deadline')
}

function lose(o: Observation, loss: Loss): Observation {
  return { ...o, holding: undefined, loss }
}

function ended(o: Observation, lease: string): Observation {
  const leases = o.leases.filter((each) => each !== lease)
  const next = { ...o, leases }
  return o.holding?.lease === lease ? lose(next, 'revoked') : next
}

function saw(o: Observation, { at, startedAt, sighting }: Extract<Event, { kind: 'saw' }>): Observation {
  const isNewest = startedAt !== undefined && startedAt.monotonic > o.heardAt
  if (o.sight && sighting.revision < o.sight.revision && !isNewest) return o
  const next = { ...o, sight: sighting, heardAt: at.monotonic }
  const loss = o.holding && lossOf(o, o.holding, sighting)
  return loss ? lose(next, loss) : next
}

function lossOf(o: Observation, holding: Holding, { revision, found }: Sighting): Loss | undefined {
  // From before our write, by the watch: it can't know of it.
  if (revision < BigInt(holding.modRevision)) return undefined
  if (found === 'absent') return 'revoked'
  if (found.modRevision === holding.modRevision) return undefined
  return found.value === o.value ? 'changed' : 'taken'
}

function swapped(o: Observation, { at, holding }: Extract<Event, { kind: 'swapped' }>): Observation {
  const found = { value: o.value, modRevision: holding.modRevision, lease: holding.lease }
  const revision = BigInt(holding.modRevision)
  // The watch was faster, and has told already what became of our write.
  if (o.sight && o.sight.revision > revision && lossOf(o, holding, o.sight)) return o
  const sight = o.sight && o.sight.revision > revision ? o.sight : { revision, found }
  const next = { ...o, sight, heardAt: at.monotonic }
  const isTooLate = o.intent !== 'hold' || o.loss !== undefined || remainingMillis(o, holding, at) <= 0
  return isTooLate ? next : { ...next, holding, retryAt: -Infinity }
}

function renewed(o: Observation, { startedAt, ttlMillis }: Extract<Event, { kind: 'renewed' }>): Observation {
  if (!o.holding) return o
  return { ...o, holding: { ...o.holding, renewedAt: startedAt, ttlMillis }, retryAt: -Infinity }
}

/** After a failure nothing is known that a new try could rest on: a follower looks again first. */
function failed(o: Observation, at: Instant): Observation {
  const retryAt = at.monotonic + pause(o)
  if (o.intent === 'release') return { ...o, retryAt, failedReleases: o.failedReleases + 1 }
  return { ...o, retryAt, sight: o.holding ? o.sight : undefined }
}

/** What a follower knew may be long past: it looks again, and follows from there. */
function unwatched(o: Observation, at: Instant): Observation {
  const sight = o.holding ? o.sight : undefined
  return { ...o, watching: false, watchAt: at.monotonic + pause(o), sight }
}

function pause(o: Observation): number {
  if (o.intent === 'release') return o.timing.minimumRetryMillis
  return o.holding ? retryMillis(o.timing) : o.timing.pauseMillis
}
