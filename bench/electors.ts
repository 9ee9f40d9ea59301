/** The library's elector beside client-go's: how soon the next one leads, and what they ask of the API server meanwhile. */
import { sleepUntil, systemClock as clock } from '../src/clock.ts'
import { type Lease, Leases } from '../src/kube/objects.ts'
import { Candidates } from '../e2e/candidates/candidate.ts'
import { monotonicMillis } from '../e2e/candidates/line.ts'
import { openScratch } from '../e2e/controlplane/scratch.ts'
import { CandidateGroup } from './candidate-group.ts'
import { type Commits, watchCommits } from './commits.ts'
import { type Figure, atMost, single, spread } from './figure.ts'
import { type LeaseFloor, openLeaseFloor } from './lease-floor.ts'
import { type Side, TIMING, openSides } from './side.ts'
import type { Stage } from './stage.ts'

/** They take turns, so that each rests for long. */
const GROUPS = 25
/** Longer than an idle connection is kept: candidates stand by for hours. */
const REST_MILLIS = 31_000
/** In each group as many leaders are killed, one after the other, until one candidate is left. */
const CRASHES = 2
const HAND_OVER_GOAL = { median: 10, p99: 50 }
const CRASH_GOAL_MILLIS = TIMING.leaseDurationSeconds * 1_000 + 50
const WRITES_GOAL_PER_SECOND = 0.5

/** @param handOvers of each side, by SIGTERM */
export async function measureElectors(stage: Stage, handOvers: number): Promise<Figure[]> {
  await using floor = await openLeaseFloor(stage)
  const figures: Figure[] = []
  for (const side of await openSides(stage)) figures.push(...(await measureSide(stage, side, { handOvers, floor })))
  return figures
}

interface SideOptions {
  readonly handOvers: number
  readonly floor: LeaseFloor
}

async function measureSide(stage: Stage, side: Side, { handOvers, floor }: SideOptions): Promise<Figure[]> {
  await using scratch = await openScratch()
  await using commits = await watchCommits(stage.observer, Leases, side.namespace)
  const renewals = followRenewals(commits)
  const candidates = new Candidates(scratch, side)
  const count = Math.min(GROUPS, handOvers)
  const groups = Array.from({ length: count }, (_, index) => new CandidateGroup(candidates, side, `db-${index}`))
  for (const [index, group] of groups.entries()) {
    stage.progress.update(`${side.kind}: groups of three candidates: ${index} of ${count}`)
    await group.fill()
  }
  const requests = await measureRequests(stage, side, groups)
  const handedOver = await measureHandOvers(stage, side, groups, { handOvers, floor })
  return [...handedOver, ...(await measureCrashes(stage, side, groups, renewals)), ...requests]
}

/** What a group at rest asks for, on average over all. */
async function measureRequests(stage: Stage, side: Side, groups: readonly CandidateGroup[]): Promise<Figure[]> {
  const seconds = REST_MILLIS / 1_000
  stage.progress.say(`${side.kind}: ${groups.length} groups of three candidates at rest, ${seconds} s`)
  await stage.audit.skip()
  await sleepUntil(clock, clock.now() + REST_MILLIS, stage.signal)
  const requests = (await stage.audit.requests()).filter(({ namespace }) => namespace === side.namespace)
  const rate = (verbs: readonly string[]): number =>
    requests.filter(({ verb }) => verbs.includes(verb)).length / seconds / groups.length
  const figure = (what: string, value: number, limit: number): Figure => ({
    what: `${side.kind}, three candidates at rest: ${what}`,
    unit: 'requests/s',
    value: single(value),
    ...(side.kind === 'leadergroup' ? { goal: atMost(value, limit, 'requests/s') } : {}),
  })
  return [
    figure('PUT', rate(['update']), WRITES_GOAL_PER_SECOND),
    figure('GET, lists among them', rate(['get', 'list']), 0),
  ]
}

/** One after the other where milliseconds count; all at once where a poll takes seconds. */
async function measureHandOvers(
  stage: Stage,
  side: Side,
  groups: readonly CandidateGroup[],
  { handOvers, floor }: SideOptions,
): Promise<Figure[]> {
  const samples: number[] = []
  const floors: number[] = []
  const polls = side.kind !== 'leadergroup'
  for (let round = 0; samples.length < handOvers; round++) {
    const those = groups.slice(0, handOvers - samples.length)
    stage.progress.update(`${side.kind}: hand-overs: ${samples.length} of ${handOvers}`)
    if (polls) samples.push(...(await Promise.all(those.map((group) => group.handOver()))))
    for (const group of polls ? [] : those) {
      const rested = group.atRestSince + REST_MILLIS - monotonicMillis()
      await sleepUntil(clock, clock.now() + Math.max(rested, 0), stage.signal)
      floors.push(await floor.measure())
      samples.push(await group.handOver())
      await group.fill()
    }
    for (const group of polls ? those : []) await group.fill()
  }
  stage.progress.say(`${side.kind}: ${handOvers} hand-overs`)
  const value = spread(samples)
  const what = `${side.kind}, SIGTERM → the next leader’s work starts`
  if (polls) return [{ what, unit: 'ms', value }]
  const { median, p99 } = HAND_OVER_GOAL
  const goal = {
    text: `median ≤ ${median} ms, p99 ≤ ${p99} ms`,
    reached: value.median <= median && value.p99! <= p99,
  }
  return [{ what, unit: 'ms', value, floor: spread(floors), goal }]
}

async function measureCrashes(
  stage: Stage,
  side: Side,
  groups: readonly CandidateGroup[],
  renewals: Renewals,
): Promise<Figure[]> {
  const samples: number[] = []
  for (let round = 0; round < CRASHES; round++) {
    stage.progress.update(`${side.kind}: crashes: ${samples.length} of ${CRASHES * groups.length}`)
    const crashes = groups.map(async (group, index) => {
      // Anywhere between two renewals.
      const phase = (index / groups.length) * TIMING.retryPeriodSeconds * 1_000
      await sleepUntil(clock, clock.now() + phase, stage.signal)
      const { last, next } = await group.crash()
      return next.fromMillis - renewals(group.lease, last)
    })
    samples.push(...(await Promise.all(crashes)))
  }
  stage.progress.say(`${side.kind}: ${samples.length} crashes`)
  const value = spread(samples)
  const reached = value.max! <= CRASH_GOAL_MILLIS
  return [
    {
      what: `${side.kind}, SIGKILL: the last renewal’s commit → the next leader’s work starts`,
      unit: 'ms',
      value,
      ...(side.kind === 'leadergroup' ? { goal: { text: `max ≤ ${CRASH_GOAL_MILLIS} ms`, reached } } : {}),
    },
  ]
}

/** When a holder's last write was seen, on the candidates' clock. */
type Renewals = (lease: string, holder: string) => number

function followRenewals(commits: Commits<Lease>): Renewals {
  const apart = monotonicMillis() - clock.now()
  const seen = new Map<string, number>()
  const key = (lease: string, holder: string): string => `${lease} ${holder}`
  commits.on(({ at, object: { metadata, spec } }) =>
    seen.set(key(metadata.name, spec?.holderIdentity ?? ''), at + apart),
  )
  return (lease, holder) => {
    const at = seen.get(key(lease, holder))
    if (at === undefined) throw new Error(`${holder} never wrote ${lease}`)
    return at
  }
}
