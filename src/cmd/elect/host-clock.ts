import { systemClock, type Clock } from '../../clock.ts'
import type { Instant } from '../../election/observation.ts'

/** Of `performance.now()`, which counts from the start of this process, on the clock that it is read from. */
const ORIGIN_MILLIS = Number(process.hrtime.bigint()) / 1e6 - systemClock.now()

/**
 * The system's clock, with monotonic times that mean the same in every process of this machine (CLOCK_MONOTONIC on Linux):
 * a deadline can be handed from one to another, however long that takes.
 */
export const hostClock: Clock = {
  now: () => systemClock.now() + ORIGIN_MILLIS,
  wallNow: () => systemClock.wallNow(),
  timer: (at, fire) => systemClock.timer(at - ORIGIN_MILLIS, fire),
}

/** Both of its times, as of now. */
export function instant(): Instant {
  return { monotonic: hostClock.now(), wall: hostClock.wallNow() }
}
