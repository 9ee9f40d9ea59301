import { systemClock, type Clock } from '../clock.ts'
import { DEFAULT_CLOCK_DRIFT, type TimingSeconds } from '../election/timing.ts'
import { EtcdLeaser } from '../etcd/etcd-leaser.ts'
import type { Leaser } from '../etcd/leaser.ts'
import type { Transport } from '../kube/transport.ts'
import { InvalidOptionsError, type ElectionError } from '../lock/errors.ts'
import { GuardedHooks } from '../lock/hooks.ts'
import type { Lock } from '../lock/lock.ts'
import { ElectorLeaser } from './elector-leaser.ts'
import { HeldBack } from './held-back.ts'
import { masterIdentity } from './identity.ts'
import { Leased } from './leased.ts'
import { Plug } from './plug.ts'
import { StandBy } from './stand-by.ts'

/** How one process of a fleet takes part: in which of three ways is up to `controllerLeaseTTLSeconds` and `election`. */
export interface LeaderElectionOptions {
  /** What is led, for messages. @default controllers */
  readonly name?: string
  /** Unique among all living processes. @default `master-` and 8 random characters */
  readonly identity?: string
  /** Without any election: not to start. @default false */
  readonly pauseControllers?: boolean
  /**
   * Whole seconds. Without `election`: the ttl of the etcd lease to elect with; 0: there is one process only, and no
   * election. With `election`: there are still processes that elect with a lease of this ttl, which get that time to
   * notice before anything starts; 0: there are none left. @default 0
   */
  readonly controllerLeaseTTLSeconds?: number
  /** Where the etcd lease is, from `connectEtcd`. Needed to elect with one. */
  readonly etcd?: Transport
  /** The key of the etcd lease is `<prefix>/leases/controllers`. @default openshift.io */
  readonly etcdPrefix?: string
  /**
   * The lock of Kubernetes: the one to elect on with `election`, and otherwise the one whose existence says that the
   * etcd lease is a thing of the past. Needed unless there is no election.
   */
  readonly lock?: Lock
  /** Set, even to `{}`: elects on `lock`, with these times. */
  readonly election?: Partial<TimingSeconds>
  /** Whatever goes wrong and is tried again. @default console.error */
  readonly onError?: (error: ElectionError) => unknown
  /** Work still runs when somebody else may lead. Pass something that ends the process. */
  readonly onOverrun?: () => unknown
  /** @default the system's */
  readonly clock?: Clock
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number
}

/** One process's part in the election of a fleet. */
export interface LeaderElection {
  /** As it stands on the lock or in etcd. */
  readonly identity: string
  /** Turned on when this process leads, and off when it does no more: for good, so that a new process takes its place. */
  readonly plug: Plug
  /**
   * Takes part until the plug is stopped or `signal` aborts, which stops it without a reason. Resolves when nothing is
   * held any more.
   *
   * @throws what the plug was stopped with, such as why leadership was lost
   */
  start(options?: { readonly signal?: AbortSignal }): Promise<void>
}

/**
 * The three ways in which OpenShift's masters elected, and the way from one to the next without two leaders.
 *
 * @throws InvalidOptionsError with every violation
 */
export function newLeaderElection(options: LeaderElectionOptions): LeaderElection {
  const { random = Math.random, controllerLeaseTTLSeconds: ttl = 0 } = options
  const identity = options.identity ?? masterIdentity(random)
  const violations = violationsOf(options)
  if (violations.length > 0) throw new InvalidOptionsError(violations)
  if (!options.election && ttl === 0) return withoutElection(identity, options.pauseControllers ?? false)
  const leaser = options.election ? lockLeaser(identity, options) : legacyLeaser(identity, options)
  const { onOverrun, onError } = options
  const plug = new Leased(leaser, { ...(onOverrun ? { onOverrun } : {}), ...(onError ? { onError } : {}) })
  return { identity, plug, start: (given) => plug.run(given) }
}

function violationsOf({
  controllerLeaseTTLSeconds: ttl = 0,
  election,
  etcd,
  lock,
  identity,
}: LeaderElectionOptions): string[] {
  const violations: string[] = []
  if (!Number.isSafeInteger(ttl) || ttl < 0)
    violations.push(`controllerLeaseTTL must be a whole number of seconds, 0 or more: it is ${ttl} s`)
  if (identity === '') violations.push('identity must not be empty')
  const isLegacy = !election && ttl !== 0
  if (isLegacy && !etcd)
    violations.push('etcd must be given for an etcd lease: controllerLeaseTTL is set, election is not')
  if (isLegacy && !lock)
    violations.push(
      'lock must be given for an etcd lease as well: the lock that is elected on one day, to stand by for',
    )
  if (election && !lock) violations.push('lock must be given to elect on')
  return violations
}

function withoutElection(identity: string, isPaused: boolean): LeaderElection {
  const plug = new Plug(!isPaused)
  const start = async ({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> => {
    const stop = (): void => void plug.stop()
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    try {
      await plug.waitForStop()
    } finally {
      await plug.stop()
      signal?.removeEventListener('abort', stop)
    }
  }
  return { identity, plug, start }
}

/** OpenShift's `legacyLeaderElectionStart`. */
function legacyLeaser(identity: string, options: LeaderElectionOptions): Leaser {
  const { etcd, lock, controllerLeaseTTLSeconds: ttlSeconds = 0, etcdPrefix = 'openshift.io' } = options
  const { clock = systemClock, random = Math.random, onError } = options
  const hooks = onError ? { onError } : {}
  const key = `${etcdPrefix}/leases/controllers`
  const leaser = new EtcdLeaser({ etcd: etcd!, key, value: identity, ttlSeconds, clock, random, ...hooks })
  const clockDrift = DEFAULT_CLOCK_DRIFT
  const ttlMillis = ttlSeconds * 1000
  return new StandBy(leaser, { lock: lock!, ttlMillis, clockDrift, hooks: new GuardedHooks(hooks), clock, random })
}

function lockLeaser(identity: string, options: LeaderElectionOptions): Leaser {
  const { name = 'controllers', lock, election, controllerLeaseTTLSeconds: ttlSeconds = 0, onError } = options
  const { clock = systemClock, random = Math.random } = options
  const leaser = new ElectorLeaser(
    { lock: lock!, identity, ...election, ...(onError ? { onError } : {}), clock, random },
    (cause) => new Error(`${name} ${identity} lost election, stepping down`, { cause }),
  )
  return ttlSeconds === 0 ? leaser : new HeldBack(leaser, ttlSeconds * 1000, clock)
}
