import { endByTime, type Attempt, type Instant, type Observation } from '../../election/observation.ts'
import { observe, type Event } from '../../election/observe.ts'
import { isNewer } from '../../election/version.ts'
import {
  instantOf,
  isOfThisLock,
  replacing,
  type Candidate,
  type Election,
  type ElectionOmission,
} from './election-world.ts'

/** Folds an event into what a candidate knows, and says what must never come of it. */
export function tell(
  world: Election,
  index: number,
  told: (at: Instant) => Event,
  change: Partial<Candidate>,
  omission?: ElectionOmission,
): Election {
  const before = { ...world.candidates[index]!, ...change }
  const at = instantOf(before, omission)
  const event = told(at)
  const o = folded(before.o, event, omission)
  const violation = resumed(before.o, o, at)
  const after = { ...before, o, heard: heardIn(before, event) }
  return begun(violation ? { ...world, violation } : world, index, before, after)
}

/** A term begins when its number and token are known, and its work with it. */
function begun(world: Election, index: number, before: Candidate, after: Candidate): Election {
  const { tenure, working } = after.o
  const { past } = world
  if (!tenure || tenure.token === before.o.tenure?.token) return replacing(world, index, after)
  const isAgain = past.token !== undefined && !isNewer(tenure.token, past.token) && isOfThisLock(world, tenure)
  const violation = isAgain
    ? `a term of ${after.name} begins with a token that is not above all before`
    : working && before.work
      ? `a term of ${after.name} begins beside the work of its last one`
      : world.violation
  const work = working ? { token: tenure.token, number: tenure.number } : after.work
  const known = { ...world, past: { ...past, token: tenure.token, terms: past.terms + 1 } }
  return replacing(violation ? { ...known, violation } : known, index, { ...after, work })
}

/** What was over stays over, whatever news comes late. */
function resumed(before: Observation, after: Observation, at: Instant): string | undefined {
  if (!before.tenure || after.tenure?.token !== before.tenure.token) return undefined
  if (!endByTime(before, at) || endByTime(after, at)) return undefined
  return `a term of ${after.identity} that was over goes on`
}

function heardIn({ heard, now }: Candidate, event: Event): Candidate['heard'] {
  const found = 'found' in event && event.found !== 'absent' ? event.found : undefined
  if (!found || (heard && !isNewer(found.version, heard.found.version))) return heard
  return { found, at: now.monotonic }
}

function folded(before: Observation, event: Event, omission?: ElectionOmission): Observation {
  switch (omission) {
    case 'deadlineFromResponse':
      return event.kind === 'wrote' ? observe(before, answeredNow(event)) : observe(before, event)
    case 'lateNews':
      return event.kind === 'wrote'
        ? observe(before, { ...event, at: event.attempt.startedAt })
        : observe(before, event)
    case 'silenceFromRequest':
      return event.kind === 'read' ? silentSince(observe(before, event), before, event) : observe(before, event)
    case 'ownName':
      return event.kind === 'read' ? takenForOwn(observe(before, event), event) : observe(before, event)
    case 'workForgotten':
      return overlooked(observe(before, event), event)
    case 'signsIgnored':
      return unimpressed(before, observe(before, event))
    case 'noVersion':
    case 'noWallCheck':
    case 'ownDuration':
    case 'releaseUnchecked':
    case 'trustedRenewTime':
    case 'wallClock':
    case undefined:
      return observe(before, event)
  }
}

const answeredNow = (event: Extract<Event, { kind: 'wrote' }>): Event => {
  return { ...event, attempt: { ...event.attempt, startedAt: event.at } }
}

/** The silence of a version that was just read counts from before it was there, perhaps. */
function silentSince(
  o: Observation,
  before: Observation,
  { startedAt }: Extract<Event, { kind: 'read' }>,
): Observation {
  if (o.sight?.kind !== 'record' || o.sight === before.sight) return o
  return { ...o, sight: { ...o.sight, since: startedAt.monotonic } }
}

/** Whoever finds its own name on the lock believes that it leads. */
function takenForOwn(o: Observation, { at, startedAt, found }: Extract<Event, { kind: 'read' }>): Observation {
  if (o.tenure || found === 'absent' || found.record.holderIdentity !== o.identity) return o
  const attempt: Attempt = { purpose: 'acquire', record: found.record, startedAt }
  return observe({ ...o, newestVersion: undefined }, { kind: 'wrote', at, attempt, found })
}

/** The work counts as returned as soon as it is told to. */
function overlooked(o: Observation, { at }: Event): Observation {
  return o.working && (!o.tenure || o.tenure.ending) ? observe(o, { kind: 'returned', at }) : o
}

/** A term lasts until its deadline, whatever is seen of the lock. */
function unimpressed(before: Observation, after: Observation): Observation {
  const { reason } = after.lastEnd ?? {}
  const isSign = before.tenure && !after.tenure && (reason === 'taken' || reason === 'changed')
  return isSign ? { ...after, tenure: before.tenure } : after
}
