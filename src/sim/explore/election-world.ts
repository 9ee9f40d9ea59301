import type { Action } from '../../election/decide.ts'
import {
  endByTime,
  firstObservation,
  type Attempt,
  type Instant,
  type Observation,
} from '../../election/observation.ts'
import type { Versioned } from '../../election/record.ts'
import { isNewer } from '../../election/version.ts'
import { inMillis, type TimingSeconds } from '../../election/timing.ts'

/**
 * An election small enough to be explored whole: candidates that run the real `observe` and `decide`, one lock object that
 * checks versions, and all that may come between them. Nothing is ever urgent: whatever a candidate could do, its clock
 * may go on first, so every pause of a process and every delay of a request is among the interleavings.
 */
export interface Election {
  readonly candidates: readonly Candidate[]
  readonly stored: Versioned | 'absent'
  /** Writes for whose answer nobody waits any more. Each may still be carried out, at any time or never. */
  readonly late: readonly Write[]
  readonly budget: ElectionBudget
  /** Source of versions and of the digits that tell two writes of one instant apart. */
  readonly serial: number
  readonly past: Past
  /** What the last step broke. */
  readonly violation?: string
}

/** How often each of these may still happen. */
export type ElectionBudget = Readonly<Record<keyof typeof NO_FAULTS, number>>

export const NO_FAULTS = {
  /** Time passes. Infinity: for ever. */
  ticks: Infinity,
  /** A request is given up before its answer is there. */
  givenUp: 0,
  /** A process ends, and one of the same identity begins. */
  crashes: 0,
  /** The work of a term returns before it has to. */
  returns: 0,
  /** A leader is asked to step down. */
  stepDowns: 0,
  /** Somebody else writes on the lock object, and leaves the record as it is. */
  touches: 0,
  /** Somebody deletes the lock object. */
  deletions: 0,
  /** A machine sleeps while time passes: its monotonic clock stands still. */
  sleeps: 0,
  /** A wall clock is set. */
  wallSteps: 0,
  /** A watch ends. */
  cuts: 0,
}

export interface Candidate {
  readonly name: string
  /** How much its monotonic clock may gain while a tick passes, in milliseconds. */
  readonly gains: readonly number[]
  readonly now: Instant
  readonly o: Observation
  /** Decided a while ago and not sent yet: the process was stopped in between. */
  readonly decided: readonly Action[] | undefined
  readonly sent: Sent | undefined
  readonly watch: Watch | undefined
  /** The work of a term that really runs, and its term. */
  readonly work: { readonly token: string; readonly number: number } | undefined
  /** The newest word of the lock that has reached this process, whatever it made of it. */
  readonly heard: { readonly found: Versioned; readonly at: number } | undefined
}

/** A request under way, which no other of this candidate overtakes. */
export interface Sent {
  readonly startedAt: Instant
  /** Absent: it reads. */
  readonly write?: Write
  /** The server's, on its way back. */
  readonly answer?: Answer
}

export type Answer = Versioned | 'absent' | 'conflict'

export interface Write {
  readonly by: string
  readonly attempt: Attempt
  /** Of the object that it may replace. */
  readonly version: string | undefined
  /** For how long its sender had seen that version unchanged, in milliseconds of its clock. */
  readonly silence: number
}

/** Tells of states that come one after the other, some left out, late by as much as one likes. */
export interface Watch {
  readonly told: Versioned | 'absent' | undefined
  readonly arriving: Versioned | 'absent' | undefined
}

/** What of the past the invariants are about. */
export interface Past {
  /** The newest token that a term began with. */
  readonly token: string | undefined
  /** How many began. */
  readonly terms: number
  /** Version with which the lock object was created again, after a deletion. */
  readonly bornAt: string | undefined
  readonly isDeleted: boolean
}

export type ElectionStep = readonly [words: string, world: Election]

/** The least that the rules allow: whole seconds, and a leaseDuration that 1 + clockDrift exhausts. */
export const TIMING: TimingSeconds = {
  leaseDurationSeconds: 6,
  renewDeadlineSeconds: 4,
  retryPeriodSeconds: 2,
  clockDrift: 0.5,
}

/** One tick by the slowest clock and by the fastest that TIMING allows beside it. */
export const SLOW = 2000
export const FAST = 3000

export interface ElectionBeginning {
  readonly gains: readonly (readonly number[])[]
  readonly budget?: Partial<ElectionBudget>
  readonly timings?: readonly TimingSeconds[]
  readonly canWatch?: boolean
  /** Wall clocks are so far apart. */
  readonly wallOffsets?: readonly number[]
}

export function firstElection({
  gains,
  budget,
  timings = [],
  canWatch,
  wallOffsets = [],
}: ElectionBeginning): Election {
  const candidates = gains.map((each, index): Candidate => {
    const name = 'abc'[index]!
    return {
      ...newProcess(name, timings[index] ?? TIMING, canWatch ?? false),
      name,
      gains: each,
      now: { monotonic: 0, wall: NOON + (wallOffsets[index] ?? 0) },
    }
  })
  const past = { token: undefined, terms: 0, bornAt: undefined, isDeleted: false }
  return { candidates, stored: 'absent', late: [], budget: { ...NO_FAULTS, ...budget }, serial: 1, past }
}

const NOON = Date.parse('2026-01-01T12:00:00Z')

export type NewProcess = Pick<Candidate, 'o' | 'decided' | 'sent' | 'watch' | 'work' | 'heard'>

function newProcess(identity: string, timing: TimingSeconds, canWatch: boolean): NewProcess {
  const o = firstObservation({ identity, timing: inMillis(timing), phase: 0, canWatch })
  return { o, decided: undefined, sent: undefined, watch: undefined, work: undefined, heard: undefined }
}

/** The process of a candidate ends, and another one begins under its name. */
export function restarted(candidate: Candidate): Candidate {
  const { identity, timing, phase, watch } = candidate.o
  const o = firstObservation({ identity, timing, phase, canWatch: watch !== 'none' })
  return { ...candidate, o, decided: undefined, sent: undefined, watch: undefined, work: undefined, heard: undefined }
}

/** A rule left out, to show that the exploration would notice. */
export type ElectionOmission =
  | 'noVersion'
  | 'releaseUnchecked'
  | 'deadlineFromResponse'
  | 'wallClock'
  | 'noWallCheck'
  | 'silenceFromRequest'
  | 'trustedRenewTime'
  | 'ownDuration'
  | 'ownName'
  | 'lateNews'
  | 'workForgotten'
  | 'signsIgnored'

/** The clocks as this candidate reads them. */
export function instantOf({ now }: Candidate, omission?: ElectionOmission): Instant {
  if (omission === 'wallClock') return { monotonic: now.wall, wall: now.wall }
  if (omission === 'noWallCheck') return { monotonic: now.monotonic, wall: now.monotonic }
  return now
}

/** Its term has work to do and its deadline has not passed. */
export function leads(candidate: Candidate, omission?: ElectionOmission): boolean {
  const { o } = candidate
  return o.tenure !== undefined && o.working && !endByTime(o, instantOf(candidate, omission))
}

/**
 * Who deletes the lock under a leader sets it free for others, and the leader learns of it only by the next word of the lock.
 * No rule of an elector can help that: what it does is older by its token.
 */
export function isOfThisLock({ past }: Election, { token }: { readonly token: string }): boolean {
  return !past.isDeleted || (past.bornAt !== undefined && !isNewer(past.bornAt, token))
}

export function spend(world: Election, item: keyof ElectionBudget): Pick<Election, 'budget'> {
  return { budget: { ...world.budget, [item]: world.budget[item] - 1 } }
}

export function replacing(world: Election, index: number, candidate: Candidate): Election {
  return { ...world, candidates: world.candidates.map((other, at) => (at === index ? candidate : other)) }
}
