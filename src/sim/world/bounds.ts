import type { Bounds } from '../invariants/liveness.ts'
import type { Plan } from './plan.ts'

/** A watch on a connection that is dead is given up after that, and until then its operator writes what is no longer true. */
export const SILENCE_MILLIS = 90_000

/**
 * How soon all is well once faults end. A dead connection is found out after 90 s of silence, by the slowest clock; a watch that
 * has failed again and again waits for 30 s; who takes or deletes a Lease again and again is answered after a minute; an
 * operators' Lease runs out, and the next one may do so again.
 */
export function boundsOf(plan: Plan): Bounds {
  const { operators, slots } = plan
  const leases = [...operators.map(({ election }) => election), ...slots.map(({ candidate }) => candidate?.timing)]
  const lease = Math.max(...leases.map((timing) => timing?.leaseDurationSeconds ?? 0))
  const slowestRate = slowestRateOf(plan)
  return { recoveryMillis: (SILENCE_MILLIS + 30_000 + 60_000 + 3 * lease * 1000) / slowestRate, slowestRate }
}

export function slowestRateOf({ operators, slots }: Plan): number {
  const clocks = [...operators, ...slots].map(({ clock }) => clock)
  const spares = slots.flatMap(({ spareClock }) => (spareClock ? [spareClock] : []))
  return Math.min(...[...clocks, ...spares].map(({ rate }) => rate))
}
