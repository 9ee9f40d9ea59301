import type { Outcome } from './run.ts'
import type { Plan } from './plan.ts'

/** What happened, for people: one line each, true time first. */
export function story(plan: Plan, { lines, violations }: Outcome): string {
  const width = Math.max(0, ...lines.map(({ who }) => who.length))
  const told = lines.map(({ at, who, what }) => `${seconds(at)}  ${who.padEnd(width)}  ${what}`)
  const broken = violations.map(({ rule, text }) => `${rule} is broken: ${text}`)
  const operators = plan.operators.map(
    ({ name, clock, election }) =>
      `${name}: ${election ? `elected for ${election.leaseDurationSeconds} s` : 'always acts'}, clock × ${clock.rate.toFixed(2)}`,
  )
  const slots = plan.slots.map(({ name, groups }) => `${name} of ${groups.join(' and ')}`)
  return [...operators, `pods: ${slots.join(', ')}`, '', ...told, '', ...broken].join('\n')
}

function seconds(millis: number): string {
  return `${(millis / 1000).toFixed(3).padStart(10)} s`
}
