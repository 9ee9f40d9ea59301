import { decide, type Action } from '../../election/decide.ts'
import type { Attempt, Instant, Observation } from '../../election/observation.ts'
import { carryOut, isHopeless } from './election-register.ts'
import { tell } from './election-tell.ts'
import {
  instantOf,
  leads,
  replacing,
  restarted,
  spend,
  type Candidate,
  type Election,
  type ElectionBudget,
  type ElectionOmission,
  type ElectionStep,
  type Sent,
} from './election-world.ts'

export interface ElectionRules {
  /** Writes take no time. */
  readonly promptWrites?: boolean
  /** Reads take no time. */
  readonly promptReads?: boolean
  /** Work returns as soon as its term is over. */
  readonly promptWork?: boolean
  /** A process may be stopped between what it decides and what it sends. */
  readonly hesitant?: boolean
  readonly omission?: ElectionOmission
}

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

function* requestSteps(
  world: Election,
  index: number,
  candidate: Candidate,
  rules: ElectionRules,
): Generator<ElectionStep> {
  const { name, sent, decided } = candidate
  if (!sent) {
    const actions = decided ?? due(world, candidate, rules.omission)
    if (actions.length === 0) return
    const what = actions.map(inWords).join(' and ')
    if (rules.hesitant && !decided)
      yield [
        `${name} decides to ${what}`,
        replacing({ ...world, serial: world.serial + 1 }, index, { ...candidate, decided: actions }),
      ]
    else yield [`${name}: ${what}`, send(world, index, actions, rules)]
    return
  }
  if (sent.answer === undefined) yield arrival(world, index, candidate, sent, rules)
  else yield [`${name} has the answer`, answered(world, index, candidate, sent, sent.answer, rules)]
  if (world.budget.givenUp > 0) yield givingUp(world, index, candidate, sent, rules)
}

/** The digits below the millisecond are drawn in the shell around `decide`, so that no two writes are the same text. */
function due(world: Election, candidate: Candidate, omission?: ElectionOmission): readonly Action[] {
  const { monotonic, wall } = instantOf(candidate, omission)
  return decide(misjudged(candidate, omission), { monotonic, wall: wall + world.serial / 1000 }).actions
}

/** How things look to an elector that forgets a rule. */
function misjudged({ o, now }: Candidate, omission?: ElectionOmission): Observation {
  const { sight } = o
  if (sight?.kind !== 'record') return o
  if (omission === 'trustedRenewTime') {
    const since = now.monotonic - (now.wall - Date.parse(sight.record.renewTime ?? ''))
    return { ...o, sight: { ...sight, since } }
  }
  if (omission === 'ownDuration') {
    return {
      ...o,
      sight: { ...sight, record: { ...sight.record, leaseDurationSeconds: o.timing.leaseDurationMillis / 1000 } },
    }
  }
  return o
}

function send(
  world: Election,
  index: number,
  actions: readonly Action[],
  { omission, promptReads }: ElectionRules,
): Election {
  return actions.reduce<Election>((at, action) => {
    const candidate = { ...at.candidates[index]!, decided: undefined }
    const startedAt = instantOf(candidate, omission)
    const told = (event: Parameters<typeof tell>[2], change: Partial<Candidate>): Election =>
      tell(at, index, event, { decided: undefined, ...change }, omission)
    switch (action.kind) {
      case 'tick':
        return told((now) => ({ kind: 'tick', at: now }), {})
      case 'watch':
        return told((now) => ({ kind: 'watching', at: now, open: true }), {
          watch: { told: undefined, arriving: undefined },
        })
      case 'read':
        if (promptReads) return told((now) => ({ kind: 'read', at: now, startedAt, found: at.stored }), {})
        return replacing(at, index, { ...candidate, sent: { startedAt } })
      case 'write': {
        const { purpose, record, version } = action
        const attempt: Attempt = { purpose, record, startedAt }
        const { heard, name: by, now } = candidate
        const silence = heard && heard.found.version === version ? silenceOf(heard, now) : 0
        const write = { by, attempt, version, silence }
        return {
          ...told((now) => ({ kind: 'sent', at: now, attempt }), { sent: { startedAt, write } }),
          serial: at.serial + 1,
        }
      }
    }
  }, world)
}

/** In milliseconds; longer than what the record asks for tells no more. */
function silenceOf({ found, at }: NonNullable<Candidate['heard']>, { monotonic }: Instant): number {
  return Math.min(monotonic - at, found.record.leaseDurationSeconds * 1000)
}

function arrival(
  world: Election,
  index: number,
  candidate: Candidate,
  sent: Sent,
  { omission }: ElectionRules,
): ElectionStep {
  const { name } = candidate
  if (!sent.write) {
    const words = `the server answers ${name} with ${inShort(world.stored)}`
    return [words, replacing(world, index, { ...candidate, sent: { ...sent, answer: world.stored } })]
  }
  const { world: after, answer } = carryOut(world, sent.write, omission)
  const words = `the server ${answer === 'conflict' ? 'refuses' : 'carries out'} the write of ${name}`
  return [words, replacing(after, index, { ...candidate, sent: { ...sent, answer } })]
}

function answered(
  world: Election,
  index: number,
  candidate: Candidate,
  { startedAt, write }: Sent,
  answer: NonNullable<Sent['answer']>,
  { omission }: ElectionRules,
): Election {
  const idle = { sent: undefined }
  if (answer === 'conflict') {
    return tell(world, index, (at) => ({ kind: 'conflict', at, attempt: write!.attempt }), idle, omission)
  }
  if (!write) return tell(world, index, (at) => ({ kind: 'read', at, startedAt, found: answer }), idle, omission)
  if (answer === 'absent') throw new Error(`${candidate.name}: a write is answered with nothing`)
  return tell(world, index, (at) => ({ kind: 'wrote', at, attempt: write.attempt, found: answer }), idle, omission)
}

function givingUp(
  world: Election,
  index: number,
  { name }: Candidate,
  sent: Sent,
  { omission }: ElectionRules,
): ElectionStep {
  const { startedAt, write, answer } = sent
  const late = write && answer === undefined ? [...world.late, write] : world.late
  const after = { ...world, ...spend(world, 'givenUp'), late }
  return [
    `${name} gives up waiting`,
    tell(after, index, (at) => ({ kind: 'failed', at, startedAt }), { sent: undefined }, omission),
  ]
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

/** All clocks go on, each by as much as it likes within its bounds. */
function* timeSteps(world: Election, rules: ElectionRules): Generator<ElectionStep> {
  const { budget, candidates } = world
  if (budget.ticks <= 0) return
  const after = { ...world, ...spend(world, 'ticks') }
  for (const gains of products(candidates.map((each) => each.gains))) {
    yield ['time passes', passed(after, gains, rules)]
    if (budget.sleeps > 0) {
      for (const [sleeper, { name }] of candidates.entries()) {
        yield [
          `time passes, and ${name} sleeps`,
          passed({ ...after, ...spend(after, 'sleeps') }, gains, rules, sleeper),
        ]
      }
    }
  }
}

function passed(world: Election, gains: readonly number[], { omission }: ElectionRules, sleeper?: number): Election {
  const aged = world.candidates.map((candidate, index) => {
    const { monotonic, wall } = candidate.now
    const gain = gains[index]!
    return { ...candidate, now: { monotonic: monotonic + (index === sleeper ? 0 : gain), wall: wall + gain } }
  })
  return looked({ ...world, candidates: aged }, omission)
}

/**
 * Where wall clocks are never set and nobody sleeps, a term that is over by time stays so until somebody looks, and every
 * event makes the candidate look first. So to look at once makes no difference, but fewer worlds.
 */
function looked(world: Election, omission?: ElectionOmission): Election {
  const { sleeps, wallSteps } = world.budget
  if (sleeps > 0 || wallSteps > 0 || omission !== undefined) return world
  return world.candidates.reduce(
    (at, candidate, index) =>
      candidate.o.tenure && !leads({ ...candidate, o: { ...candidate.o, working: true } })
        ? tell(at, index, (now) => ({ kind: 'tick', at: now }), {})
        : at,
    world,
  )
}

function products(choices: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return choices.reduce<readonly (readonly number[])[]>(
    (all, each) => all.flatMap((some) => each.map((one) => [...some, one])),
    [[]],
  )
}

function inWords(action: Action): string {
  if (action.kind !== 'write') return action.kind
  return `${action.purpose} term ${action.record.leaseTransitions}`
}

function inShort(found: Election['stored']): string {
  if (found === 'absent') return 'no lock'
  const { holderIdentity, leaseTransitions } = found.record
  return `${holderIdentity || 'nobody'} in term ${leaseTransitions}`
}
