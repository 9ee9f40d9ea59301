import type { ElectionRules } from './election-rules.ts'
import { tell } from './election-tell.ts'
import { leads, spend, type Election, type ElectionOmission, type ElectionStep } from './election-world.ts'

/** All clocks go on, each by as much as it likes within its bounds. */
export function* timeSteps(world: Election, rules: ElectionRules): Generator<ElectionStep> {
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
