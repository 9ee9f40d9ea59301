import { decide, type Action } from '../../election/decide.ts'
import type { Attempt, Instant, Observation } from '../../election/observation.ts'
import { carryOut, inShort } from './election-register.ts'
import type { ElectionRules } from './election-rules.ts'
import { tell } from './election-tell.ts'
import {
  instantOf,
  replacing,
  spend,
  type Candidate,
  type Election,
  type ElectionOmission,
  type ElectionStep,
  type Sent,
} from './election-world.ts'

/** What becomes of a request: it is sent, it arrives, its answer does, nobody waits for it any more. */
export function* requestSteps(
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

/** The server carries it out. */
export function arrival(
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

export function answered(
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

function inWords(action: Action): string {
  if (action.kind !== 'write') return action.kind
  return `${action.purpose} term ${action.record.leaseTransitions}`
}
