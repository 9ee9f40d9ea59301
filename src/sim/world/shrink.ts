import type { Plan } from './plan.ts'
import { run, type Outcome, type RunOptions } from './run.ts'

/** Runs that are spent on making a plan shorter. */
const MOST_RUNS = 600

/**
 * The shortest plan found that still breaks one of the rules: events are left out, half of them first, one by one last;
 * then operators, pods and groups. (Zeller's ddmin.)
 */
export async function shrink(
  plan: Plan,
  failing: Outcome,
  options: RunOptions = {},
  goesOn: () => boolean = () => true,
): Promise<Plan> {
  const rules = new Set(failing.violations.map(({ rule }) => rule))
  let left = MOST_RUNS
  const fails = async (candidate: Plan): Promise<boolean> => {
    if (left-- <= 0 || !goesOn()) return false
    const { violations } = await run(candidate, options)
    return violations.some(({ rule }) => rules.has(rule))
  }
  let shortest = await withoutParts(plan, 'events', fails)
  for (const part of ['operators', 'slots', 'groups'] as const) shortest = await withoutParts(shortest, part, fails, 1)
  shortest = await withoutParts(shortest, 'events', fails, 1)
  return sooner(shortest, fails)
}

async function withoutParts(
  plan: Plan,
  part: 'events' | 'operators' | 'slots' | 'groups',
  fails: (candidate: Plan) => Promise<boolean>,
  size = Math.ceil(plan[part].length / 2),
): Promise<Plan> {
  let shortest = plan
  for (let chunk = Math.max(size, 1); ; chunk = Math.ceil(chunk / 2)) {
    for (let start = 0; start < shortest[part].length;) {
      const kept = shortest[part].toSpliced(start, chunk)
      const candidate: Plan = { ...shortest, [part]: kept }
      if (kept.length > 0 || part === 'events' ? await fails(candidate) : false) shortest = candidate
      else start += chunk
    }
    if (chunk === 1) return shortest
  }
}

/** Nothing happens after the last event: the calm can come at once. */
async function sooner(plan: Plan, fails: (candidate: Plan) => Promise<boolean>): Promise<Plan> {
  const calmAt = Math.max(0, ...plan.events.map(({ at }) => at)) + 1_000
  const candidate = { ...plan, calmAt }
  return calmAt < plan.calmAt && (await fails(candidate)) ? candidate : plan
}
