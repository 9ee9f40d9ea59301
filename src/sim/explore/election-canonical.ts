import type { Action } from '../../election/decide.ts'
import type { Attempt, Instant, Observation, Tenure } from '../../election/observation.ts'
import type { LeaseRecord, Versioned } from '../../election/record.ts'
import { JITTER_FACTOR } from '../../election/timing.ts'
import { isHopeless } from './election-register.ts'
import type { Candidate, Election, Sent, Write } from './election-world.ts'

/**
 * Elections that differ only in names are one. Of versions the order is kept, of the texts of times only which are the
 * same, of leaseTransitions the distance from the present one, and of every instant its age by the clock of its candidate,
 * no longer than any rule asks for. So a world for which time never ends has an end. Candidates with the same clock are
 * interchangeable.
 */
export function canonical(world: Election): string {
  const order = world.candidates
    .map((candidate, index) => ({
      index,
      key: `${candidate.gains.join()} ${candidateKey(candidate, blind(world, candidate))}`,
    }))
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.index - b.index))
    .map(({ index }) => world.candidates[index]!)
  const names = namesIn(world, order)
  const { stored, late, budget, past } = world
  const parts = [
    foundKey(stored, names),
    names.version(past.token),
    names.version(past.bornAt),
    Number(past.isDeleted),
    Object.values(budget).join(','),
    ...order.map((candidate) => `${candidate.gains.join()} ${candidateKey(candidate, names)}`),
    ...late
      .filter((write) => !isHopeless(world, write))
      .map((write) => writeKey(write, names))
      .toSorted(),
  ]
  return parts.join(';')
}

/** How the names of one world are told apart. */
interface Names {
  isHopeless(write: Pick<Write, 'version'>): boolean
  /** Whoever has sent something will have its answer. */
  readonly isPatient: boolean
  holder(identity: string): number
  version(version: string | undefined): number
  text(time: string | undefined): number
  number(transitions: number | undefined): number
}

function namesIn(world: Election, order: readonly Candidate[]): Names {
  const places = new Map(order.map(({ name }, index) => [name, index]))
  const versions = [...new Set(versionsIn(world))].toSorted((a, b) => a - b)
  const ranks = new Map(versions.map((version, rank) => [version, rank]))
  const texts = new Map<string, number>()
  return {
    isHopeless: (write) => isHopeless(world, write),
    isPatient: world.budget.givenUp <= 0,
    holder: (identity) => places.get(identity) ?? -1,
    version: (version) => (version === undefined ? -1 : ranks.get(Number(version))!),
    text: (time) => {
      if (time === undefined) return -1
      const known = texts.get(time) ?? texts.size
      texts.set(time, known)
      return known
    },
    number: numbersFrom(world),
  }
}

/** Enough to bring candidates into an order that does not depend on what they are called. */
function blind(world: Election, { name }: Candidate): Names {
  const { stored, budget } = world
  const present = versionOf(stored)
  return {
    isHopeless: (write) => isHopeless(world, write),
    isPatient: budget.givenUp <= 0,
    holder: (identity) => (identity === name ? 1 : identity === '' ? -1 : 0),
    version: (version) => (version === undefined ? -1 : version === present ? 1 : 0),
    text: () => 0,
    number: () => 0,
  }
}

/**
 * A number only matters in a write that succeeds, so by one who has seen the present version, unless the object is deleted.
 */
function numbersFrom({ stored, budget, past }: Election): Names['number'] {
  const isAbsolute = stored === 'absent' || budget.deletions > 0 || past.isDeleted
  const base = isAbsolute ? 0 : stored.record.leaseTransitions
  return (number) => (isAbsolute ? (number ?? -1) : Math.max((number ?? -1) - base, -3))
}

function versionsIn(world: Election): readonly number[] {
  const { stored, late, past, candidates } = world
  const named = (write: Write | undefined): string | undefined =>
    write && !isHopeless(world, write) ? write.version : undefined
  const all = [past.token, past.bornAt, ...late.map(named), versionOf(stored)]
  for (const { o, decided = [], sent, watch, heard, work } of candidates) {
    const { sight, tenure } = o
    all.push(o.newestVersion, tenure?.token, tenure?.version, heard?.found.version, work?.token)
    all.push(sight?.kind === 'record' ? sight.version : undefined, named(sent?.write))
    all.push(
      ...decided.map((action) => (action.kind === 'write' && !isHopeless(world, action) ? action.version : undefined)),
    )
    all.push(versionOf(sent?.answer), versionOf(watch?.told), versionOf(watch?.arriving))
  }
  return all.filter((version) => version !== undefined).map(Number)
}

function versionOf(found: Versioned | 'absent' | 'conflict' | undefined): string | undefined {
  return typeof found === 'object' ? found.version : undefined
}

function candidateKey(candidate: Candidate, names: Names): string {
  const { o, now, decided, sent, watch, work, heard } = candidate
  const { timing } = o
  const isWaiting = sent !== undefined && names.isPatient && o.watch === 'none'
  const poll = timing.retryPeriodMillis * (JITTER_FACTOR + o.phase)
  return [
    o.intent[0],
    sightKey(candidate, names),
    names.version(o.newestVersion),
    lastNumberKey(o, names),
    age(o.heardAt, now, names.isPatient && o.watch === 'none' && willRead(candidate) ? 1 : poll),
    Number(o.doubt),
    o.attempts
      .filter((attempt) => !isWaiting || attempt !== sent.write?.attempt)
      .map((attempt) => attemptKey(attempt, candidate, names))
      .join('+'),
    o.tenure && tenureKey(o.tenure, candidate, names),
    Number(o.working),
    left(o.retryAt, now),
    o.conflicts,
    left(o.standBackUntil, now),
    o.standBackMillis,
    o.watch,
    left(o.watchAgainAt, now),
    decided?.map((action) => actionKey(action, names)),
    sent && sentKey(sent, candidate, names),
    watch && `${foundKey(watch.told, names)}/${foundKey(watch.arriving, names)}`,
    work && `${names.version(work.token)}/${names.number(work.number)}`,
    heard &&
      `${names.version(heard.found.version)}/${termKey(heard.found.record, names)}/${age(heard.at, now, timing.leaseDurationMillis)}`,
  ].join('|')
}

/** Without one, nothing but a first record can be written, which is refused where there is one already. */
function lastNumberKey({ sight, lastNumber }: Observation, names: Names): number | string {
  return !sight || (lastNumber === undefined && names.isPatient) ? '' : names.number(lastNumber)
}

function actionKey(action: Action, names: Names): string {
  if (action.kind !== 'write') return action.kind
  if (names.isHopeless(action)) return 'hopeless'
  return `${action.purpose}${recordKey(action.record, names)}${names.version(action.version)}`
}

/** Before anything is decided by when the lock was last heard of, a read tells of it anew; only the order of the two matters. */
function willRead({ o, sent }: Candidate): boolean {
  return sent ? sent.write !== undefined || isNewest(o, sent) : o.doubt
}

function isNewest({ heardAt }: Observation, { startedAt }: Sent): boolean {
  return heardAt === undefined || heardAt < startedAt.monotonic
}

function sightKey({ o: { sight, timing }, now }: Candidate, names: Names): string {
  if (sight?.kind !== 'record') return sight?.kind ?? ''
  const longest = Math.max(timing.leaseDurationMillis, sight.record.leaseDurationSeconds * 1000)
  return `${names.version(sight.version)}/${recordKey(sight.record, names)}/${age(sight.since, now, longest)}`
}

function tenureKey(tenure: Tenure, { o, now }: Candidate, names: Names): string {
  const { number, token, acquireTime, version, renewedAt, ending } = tenure
  const ends = [names.number(number), names.version(token), names.text(acquireTime), names.version(version), ending]
  return `${ends.join('/')}/${startKey(renewedAt, now, o)}`
}

/** Also tells whether it is the write that is under way now. */
function attemptKey(attempt: Attempt, { o, now, sent }: Candidate, names: Names): string {
  const isSent = attempt === sent?.write?.attempt
  return `${attempt.purpose}${recordKey(attempt.record, names)}/${startKey(attempt.startedAt, now, o)}/${isSent}`
}

/** Of a request, or of the write that a term counts from: its age, and what the wall clock has gained since. */
function startKey(at: Instant, now: Instant, { timing }: Observation): string {
  const millis = now.monotonic - at.monotonic
  return `${Math.min(millis, timing.renewDeadlineMillis)}+${now.wall - at.wall - millis}`
}

/**
 * A write that will be refused, or was, tells nothing, unless its sender gives up waiting and must remember it; and a read
 * that is sure to be answered may be as old as it likes.
 */
function sentKey({ startedAt, write, answer }: Sent, { o, now }: Candidate, names: Names): string {
  const isCertain = names.isPatient && o.watch === 'none'
  const start = startKey(startedAt, now, o)
  if (!write) {
    const found = answer === 'conflict' ? undefined : answer
    return `${isCertain ? '' : start}read${Number(isNewest(o, { startedAt }))}/${foundKey(found, names)}`
  }
  if (answer === 'conflict' || (answer === undefined && names.isHopeless(write))) {
    return `${isCertain ? '' : start}${answer ?? 'hopeless'}`
  }
  return `${start}/${writeKey(write, names)}/${foundKey(answer, names)}`
}

function writeKey({ by, attempt, version, silence }: Write, names: Names): string {
  const { purpose, record } = attempt
  return `${names.holder(by)}${purpose}${recordKey(record, names)}${names.version(version)}/${silence}`
}

function foundKey(found: Versioned | 'absent' | undefined, names: Names): string {
  if (found === undefined || found === 'absent') return found ?? ''
  return `${names.version(found.version)}${recordKey(found.record, names)}`
}

function recordKey(record: LeaseRecord, names: Names): string {
  return `${termKey(record, names)},${names.text(record.renewTime)},${record.leaseDurationSeconds}`
}

function termKey({ holderIdentity, acquireTime, leaseTransitions }: LeaseRecord, names: Names): string {
  return `${names.holder(holderIdentity)},${names.text(acquireTime)},${names.number(leaseTransitions)}`
}

function age(at: number | undefined, { monotonic }: Instant, longest: number): number {
  return at === undefined ? -1 : Math.min(monotonic - at, longest)
}

function left(until: number, { monotonic }: Instant): number {
  return Math.max(until - monotonic, 0)
}
