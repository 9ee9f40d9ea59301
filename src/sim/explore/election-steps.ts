import type { Instant, Observation } from '../../election/observation.ts'
import { carryOut, inShort, isHopeless } from './election-register.ts'
import { answered, arrival, requestSteps } from './election-requests.ts'
import type { ElectionRules } from './election-rules.ts'
import { tell } from './election-tell.ts'
import { timeSteps } from './election-time.ts'
import {
  replacing,
  restarted,
  spend,
  type Candidate,
  type Election,
  type ElectionBudget,
  type ElectionStep,
} from './election-world.ts'

/** Every world that one step leads to, with the step in words. */
export function* electionSteps(world: Election, rules: ElectionRules): Generator<ElectionStep> {
  for (const [words, after] of slowSteps(world, rules)) {
    const answered = rules.promptWrites ? settledWrites(after, rules) : after
    yield [words, rules.promptWork ? settledWork(answered, rules) : answered]
  }
}

function settledWrites(world: Election, rules: ElectionRules): Election {
  return world.candidates.reduce<Election>((at, _, index) => {
    const { sent } = at.candidates[index]!
    if (!sent) return at
    const [, carried] = arrival(at, index, at.candidates[index]!, sent, rules)
    const after = carried.candidates[index]!
    return answered(carried, index, after, sent, after.sent!.answer!, rules)
  }, world)
}

function settledWork(world: Election, { omission }: ElectionRules): Election {
  return world.candidates.reduce<Election>((at, { work }, index) => {
    const { o } = at.candidates[index]!
    if (!work || !isOver(o, work)) return at
    return tell(at, index, (now) => ({ kind: 'returned', at: now }), { work: undefined }, omission)
  }, world)
}

function* slowSteps(world: Election, rules: ElectionRules): Generator<ElectionStep> {
  for (const [index, candidate] of world.candidates.entries()) {
    yield* requestSteps(world, index, candidate, rules)
    yield* watchSteps(world, index, candidate, rules)
    yield* workSteps(world, index, candidate, rules)
    yield* processSteps(world, index, candidate)
  }
  yield* lateSteps(world, rules)
  yield* hostileSteps(world)
  yield* timeSteps(world, rules)
}

function* watchSteps(
  world: Election,
  index: number,
  { name, watch }: Candidate,
  { omission }: ElectionRules,
): Generator<ElectionStep> {
  if (!watch) return
  const { told, arriving } = watch
  const candidate = world.candidates[index]!
  if (arriving !== undefined) {
    const change = { watch: { told: arriving, arriving: undefined } }
    yield [
      `the watch tells ${name} of ${inShort(arriving)}`,
      tell(world, index, (at) => ({ kind: 'watched', at, found: arriving }), change, omission),
    ]
  } else if (told !== world.stored) {
    const sending = { ...watch, arriving: world.stored }
    yield [
      `the watch sends ${name} ${inShort(world.stored)}`,
      replacing(world, index, { ...candidate, watch: sending }),
    ]
  }
  if (world.budget.cuts > 0) {
    const after = { ...world, ...spend(world, 'cuts') }
    yield [
      `the watch of ${name} ends`,
      tell(after, index, (at) => ({ kind: 'watching', at, open: false }), { watch: undefined }, omission),
    ]
  }
}

function* workSteps(
  world: Election,
  index: number,
  candidate: Candidate,
  { omission }: ElectionRules,
): Generator<ElectionStep> {
  const { name, o, work } = candidate
  const tellOf = (kind: 'returned', item?: keyof ElectionBudget): Election =>
    tell(
      { ...world, ...(item ? spend(world, item) : {}) },
      index,
      (at) => ({ kind, at }),
      { work: undefined },
      omission,
    )
  if (!work) return
  if (isOver(o, work)) yield [`the work of ${name} returns`, tellOf('returned')]
  if (!isOver(o, work) && world.budget.returns > 0) yield [`the work of ${name} is done`, tellOf('returned', 'returns')]
  if (!isOver(o, work) && world.budget.stepDowns > 0) {
    const after = { ...world, ...spend(world, 'stepDowns') }
    const end = (at: Instant) => ({ kind: 'end', at, reason: 'stepDown' }) as const
    yield [`${name} is asked to step down`, tell(after, index, end, {}, omission)]
  }
}

function isOver({ tenure }: Observation, { token }: NonNullable<Candidate['work']>): boolean {
  return !tenure || tenure.ending !== undefined || tenure.token !== token
}

function* processSteps(world: Election, index: number, candidate: Candidate): Generator<ElectionStep> {
  const { budget, late } = world
  const { name, sent, now } = candidate
  if (budget.crashes > 0) {
    const orphaned = sent?.write && sent.answer === undefined ? [...late, sent.write] : late
    const after = { ...world, ...spend(world, 'crashes'), late: orphaned }
    yield [`${name} is killed and started again`, replacing(after, index, restarted(candidate))]
  }
  if (budget.wallSteps > 0) {
    for (const seconds of [-3600, 1, 3600]) {
      const set = { ...candidate, now: { ...now, wall: now.wall + seconds * 1000 } }
      yield [
        `the wall clock of ${name} is set by ${seconds} s`,
        replacing({ ...world, ...spend(world, 'wallSteps') }, index, set),
      ]
    }
  }
}

function* lateSteps(world: Election, { omission }: ElectionRules): Generator<ElectionStep> {
  for (const write of world.late) {
    if (isHopeless(world, write) && omission === undefined) continue
    const rest = { ...world, late: world.late.filter((other) => other !== write) }
    const { world: after, answer } = carryOut(rest, write, omission)
    const words = `the server ${answer === 'conflict' ? 'refuses' : 'carries out'} a late write of ${write.by}`
    yield [words, after]
  }
}

function* hostileSteps(world: Election): Generator<ElectionStep> {
  const { stored, serial, budget } = world
  if (stored === 'absent') return
  if (budget.touches > 0) {
    const touched = { ...stored, version: String(serial) }
    yield ['somebody annotates the lock', { ...world, ...spend(world, 'touches'), stored: touched, serial: serial + 1 }]
  }
  if (budget.deletions > 0) {
    const past = { ...world.past, isDeleted: true }
    yield [
      'somebody deletes the lock',
      { ...world, ...spend(world, 'deletions'), stored: 'absent', serial: serial + 1, past },
    ]
  }
}
