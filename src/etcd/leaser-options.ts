import { systemClock, type Clock } from '../clock.ts'
import type { Transport } from '../kube/transport.ts'
import { InvalidOptionsError, type ElectionError } from '../lock/errors.ts'
import { GuardedHooks } from '../lock/hooks.ts'
import { retryWindowMillis, type Timing } from './observation.ts'

/** What an {@link EtcdLeaser} is made of. Defaults are those of OpenShift's leaser where it has any. */
export interface EtcdLeaserOptions {
  /** From `connectEtcd`; may be shared by many leasers. */
  readonly etcd: Transport
  /** The key to hold. All that contend use the same one. */
  readonly key: string
  /** What the key holds while it is ours. Unique among all living processes. */
  readonly value: string
  /** After how many seconds of silence etcd ends the lease. Whole, from 2 on. */
  readonly ttlSeconds: number
  /** The part of the ttl after which it is renewed. @default 0.66 */
  readonly waitFraction?: number
  /** Before the next try to acquire, after one that failed. @default 1 */
  readonly pauseIntervalSeconds?: number
  /** Tries to renew until it counts as lost, and to release. @default 10 */
  readonly maxRetries?: number
  /** Least time between two tries to renew or release, however many that leaves. @default 0.1 */
  readonly minimumRetryIntervalSeconds?: number
  /** How much faster than ours etcd's clock may run, as a ratio less 1. @default 0.2 */
  readonly clockDrift?: number
  /** Whatever goes wrong and is tried again. @default console.error */
  readonly onError?: (error: ElectionError) => unknown
  /** @default the system's */
  readonly clock?: Clock
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number
}

export interface LeaserSettings {
  readonly etcd: Transport
  readonly key: string
  readonly value: string
  readonly timing: Timing
  readonly requestTimeoutMillis: number
  readonly hooks: GuardedHooks
  readonly clock: Clock
  readonly random: () => number
}

const LEAST_TTL_SECONDS = 2
/** Else one request that hangs would take all the time there is to renew; but no network is to be asked for less. */
const SHORTEST_TIMEOUT_MILLIS = 1_000

/** @throws InvalidOptionsError with all violations at once */
export function parseLeaserOptions(options: EtcdLeaserOptions): LeaserSettings {
  const { ttlSeconds, pauseIntervalSeconds = 1, minimumRetryIntervalSeconds = 0.1 } = options
  const timing: Timing = {
    ttlMillis: ttlSeconds * 1000,
    waitFraction: options.waitFraction ?? 0.66,
    pauseMillis: pauseIntervalSeconds * 1000,
    maxRetries: options.maxRetries ?? 10,
    minimumRetryMillis: minimumRetryIntervalSeconds * 1000,
    clockDrift: options.clockDrift ?? 0.2,
  }
  const violations = [...emptyTexts(options), ...timingViolations(timing)]
  if (violations.length > 0) throw new InvalidOptionsError(violations)
  return {
    etcd: options.etcd,
    key: options.key,
    value: options.value,
    timing,
    requestTimeoutMillis: Math.max(retryWindowMillis(timing) / 2, SHORTEST_TIMEOUT_MILLIS),
    hooks: new GuardedHooks(options),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  }
}

function emptyTexts({ key, value }: EtcdLeaserOptions): string[] {
  return Object.entries({ key, value })
    .filter(([, text]) => text === '')
    .map(([name]) => `${name} must not be empty`)
}

function timingViolations(timing: Timing): string[] {
  const { ttlMillis, waitFraction, pauseMillis, maxRetries, minimumRetryMillis, clockDrift } = timing
  const violations: string[] = []
  const ttl = ttlMillis / 1000
  if (!Number.isSafeInteger(ttl) || ttl < LEAST_TTL_SECONDS)
    violations.push(`ttl must be a whole number of seconds, at least ${LEAST_TTL_SECONDS}: it is ${ttl} s`)
  if (!isPositive(pauseMillis))
    violations.push(`pauseInterval must be greater than zero: it is ${pauseMillis / 1000} s`)
  if (!isPositive(minimumRetryMillis))
    violations.push(`minimumRetryInterval must be greater than zero: it is ${minimumRetryMillis / 1000} s`)
  if (!Number.isSafeInteger(maxRetries) || maxRetries < 1)
    violations.push(`maxRetries must be a whole number, at least 1: it is ${maxRetries}`)
  if (!(Number.isFinite(clockDrift) && clockDrift >= 0)) {
    violations.push(`clockDrift must be 0 or more: it is ${clockDrift}`)
  } else if (!(waitFraction > 0 && waitFraction < 1 / (1 + clockDrift))) {
    violations.push(
      `waitFraction must be greater than 0 and less than 1 / (1 + clockDrift), or no time is left to renew: ` +
        `it is ${waitFraction}, the bound is ${(1 / (1 + clockDrift)).toFixed(3)}`,
    )
  } else if (minimumRetryMillis > retryWindowMillis(timing)) {
    violations.push(
      `minimumRetryInterval must fit into the time left to renew, or nothing is tried twice: ` +
        `${minimumRetryMillis} ms is more than ${Math.round(retryWindowMillis(timing))} ms`,
    )
  }
  return violations
}

const isPositive = (value: number): boolean => Number.isFinite(value) && value > 0
