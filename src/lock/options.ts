import { systemClock, type Clock } from '../clock.ts'
import { DEFAULT_TIMING, inMillis, timingViolations, type Timing, type TimingSeconds } from '../election/timing.ts'
import { InvalidOptionsError } from './errors.ts'
import { GuardedHooks, type Hooks } from './hooks.ts'
import type { Lock } from './lock.ts'

export interface ElectorOptions extends Partial<TimingSeconds>, Hooks {
  readonly lock: Lock
  /** Unique among all living processes: two that share one have no election. Compared exactly. */
  readonly identity: string
  /** @default the system's */
  readonly clock?: Clock
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number
}

/** Options that are complete and valid. */
export interface ElectorSettings {
  readonly lock: Lock
  readonly identity: string
  readonly timing: Timing
  readonly hooks: GuardedHooks
  readonly clock: Clock
  readonly random: () => number
}

/** @throws InvalidOptionsError with all violations at once */
export function parseOptions(options: ElectorOptions): ElectorSettings {
  const timing: TimingSeconds = {
    leaseDurationSeconds: options.leaseDurationSeconds ?? DEFAULT_TIMING.leaseDurationSeconds,
    renewDeadlineSeconds: options.renewDeadlineSeconds ?? DEFAULT_TIMING.renewDeadlineSeconds,
    retryPeriodSeconds: options.retryPeriodSeconds ?? DEFAULT_TIMING.retryPeriodSeconds,
    clockDrift: options.clockDrift ?? DEFAULT_TIMING.clockDrift,
  }
  const violations = [...timingViolations(timing)]
  if (options.identity === '') violations.push('identity must not be empty')
  if (violations.length > 0) throw new InvalidOptionsError(violations)
  return {
    lock: options.lock,
    identity: options.identity,
    timing: inMillis(timing),
    hooks: new GuardedHooks(options),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  }
}
