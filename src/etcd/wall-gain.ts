import type { Instant } from '../election/observation.ts'

/**
 * Milliseconds that the wall clock has gained on the monotonic one: time that has passed too. The monotonic clock of
 * most systems stands still while the machine is suspended. A wall clock that was set back says nothing.
 */
export function wallGainMillis(from: Instant, to: Instant): number {
  return Math.max(to.wall - from.wall - (to.monotonic - from.monotonic), 0)
}
