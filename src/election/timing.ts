/** How far an acquire try may be put off beyond the retry period, as a factor (client-go's JitterFactor). */
export const JITTER_FACTOR = 1.2

/** How much faster than another machine's a clock may run: the margin between a term's end and a takeover. */
export const DEFAULT_CLOCK_DRIFT = 0.2

/** As users give it. */
export interface TimingSeconds {
  /** For how long nobody else may lead after the last renewal they saw. @default 15 */
  readonly leaseDurationSeconds: number
  /** When a term ends, counted from the start of the last write that succeeded. @default 10 */
  readonly renewDeadlineSeconds: number
  /** Between two renewals, and at least between two tries. @default 2 */
  readonly retryPeriodSeconds: number
  /** Ratio of two machines' clock rates, less 1. @default 0.2 */
  readonly clockDrift: number
}

/** As the election uses it. */
export interface Timing {
  readonly leaseDurationMillis: number
  readonly renewDeadlineMillis: number
  readonly retryPeriodMillis: number
  readonly clockDrift: number
}

/** How long whoever steps down lets others come first: every client-go elector tries once in it. */
export const standBackMillis = ({ retryPeriodMillis }: Pick<Timing, 'retryPeriodMillis'>): number =>
  retryPeriodMillis * (1 + JITTER_FACTOR)

export const DEFAULT_TIMING: TimingSeconds = {
  leaseDurationSeconds: 15,
  renewDeadlineSeconds: 10,
  retryPeriodSeconds: 2,
  clockDrift: DEFAULT_CLOCK_DRIFT,
}

const LEAST_LEASE_DURATION_SECONDS = 2
/** leaseDurationSeconds is an int32 in the API. */
const LONGEST_LEASE_DURATION_SECONDS = 2 ** 31 - 1
/** 1.2 × 3 is not quite 3.6 in binary: a bound met to the nanosecond is met. */
const ROUNDING_SECONDS = 1e-9

export function inMillis(timing: TimingSeconds): Timing {
  return {
    leaseDurationMillis: timing.leaseDurationSeconds * 1000,
    renewDeadlineMillis: timing.renewDeadlineSeconds * 1000,
    retryPeriodMillis: timing.retryPeriodSeconds * 1000,
    clockDrift: timing.clockDrift,
  }
}

/**
 * All relations that are violated, in client-go's words where it has any, each with the values. Empty: valid.
 *
 * client-go accepts any leaseDuration above renewDeadline. That does not keep two leaders apart: a leader's clock may
 * be slow, a follower's fast. Here a term ends renewDeadline after a request's start, so that
 * leaseDuration ≥ (1 + drift) × renewDeadline is the exact bound.
 */
export function timingViolations(timing: TimingSeconds): readonly string[] {
  const unusable = unusableNumbers(timing)
  return unusable.length > 0 ? unusable : violatedRelations(timing)
}

function unusableNumbers(timing: TimingSeconds): string[] {
  const durations: readonly (readonly [string, number])[] = [
    ['leaseDuration', timing.leaseDurationSeconds],
    ['renewDeadline', timing.renewDeadlineSeconds],
    ['retryPeriod', timing.retryPeriodSeconds],
  ]
  const violations = durations
    .filter(([, seconds]) => !(Number.isFinite(seconds) && seconds > 0))
    .map(([name, seconds]) => `${name} must be greater than zero: it is ${seconds} s`)
  const { clockDrift } = timing
  if (!(Number.isFinite(clockDrift) && clockDrift >= 0))
    violations.push(`clockDrift must be 0 or more: it is ${clockDrift}`)
  return violations
}

function violatedRelations(timing: TimingSeconds): string[] {
  const { leaseDurationSeconds: lease, renewDeadlineSeconds: renew, retryPeriodSeconds: retry, clockDrift } = timing
  const violations: string[] = []
  const least = (1 + clockDrift) * renew
  if (!Number.isInteger(lease) || lease < LEAST_LEASE_DURATION_SECONDS || lease > LONGEST_LEASE_DURATION_SECONDS) {
    violations.push(
      `leaseDuration must be a whole number of seconds from ${LEAST_LEASE_DURATION_SECONDS} to ` +
        `${LONGEST_LEASE_DURATION_SECONDS}: it is ${lease} s`,
    )
  }
  if (lease <= renew) {
    violations.push(`leaseDuration must be greater than renewDeadline: ${lease} s is not greater than ${renew} s`)
  } else if (lease < least - ROUNDING_SECONDS) {
    violations.push(
      `leaseDuration must be at least (1 + clockDrift) * renewDeadline, or two may lead at once: ` +
        `${lease} s is less than ${1 + clockDrift} * ${renew} s`,
    )
  }
  if (renew <= retry * JITTER_FACTOR + ROUNDING_SECONDS) {
    violations.push(
      `renewDeadline must be greater than retryPeriod*JitterFactor: ` +
        `${renew} s is not greater than ${retry} s * ${JITTER_FACTOR}`,
    )
  }
  return violations
}
