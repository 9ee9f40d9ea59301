import { systemClock, type Clock } from '../clock.ts'
import { DEFAULT_TIMING, inMillis, timingViolations, type Timing, type TimingSeconds } from '../election/timing.ts'
import type { KubeConfigLike } from '../kube/kube-config-like.ts'
import { InvalidOptionsError } from './errors.ts'
import { GuardedHooks, HOOKS, type Hooks } from './hooks.ts'
import { leaseLock } from './lease-lock.ts'
import { leaseNameViolations, type LeaseName } from './lease-name.ts'
import type { Lock } from './lock.ts'
import { onDemand } from './on-demand.ts'
import type { Surroundings } from './surroundings.ts'

/** How an elector elects. All but `lock` may be left out. */
export interface ElectorOptions extends Partial<TimingSeconds>, Hooks {
  /** What is competed for: a Lease by its name, or any lock. Every candidate must use the same one. */
  readonly lock: Lock | LeaseName
  /**
   * Unique among all living processes that compete for the lock: two that share one have no election. Compared exactly.
   * @default `<POD_NAME>_<POD_UID>` of the environment (from the downward API), else `<host name>_<random UUID>`
   */
  readonly identity?: string
  /**
   * The cluster of a lock that is given by its name; a `KubeConfig` of `@kubernetes/client-node` fits.
   * @default the service account of the pod, else the kubeconfig that client-node finds, where that is installed
   */
  readonly kube?: KubeConfigLike
  /** How long a term may last before others get the chance to lead. 0: no limit. @default 0 */
  readonly termLimitSeconds?: number
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
  /** Infinity: no limit. */
  readonly termLimitMillis: number
  readonly hooks: GuardedHooks
  readonly clock: Clock
  readonly random: () => number
}

/** @throws InvalidOptionsError with all violations at once */
export function parseOptions(options: ElectorOptions, surroundings: Surroundings): ElectorSettings {
  const { clock = systemClock, random = Math.random, termLimitSeconds = 0 } = options
  const identity = options.identity ?? surroundings.identity()
  const timing = timingOf(options)
  const namespace = isLock(options.lock) ? undefined : (options.lock?.namespace ?? surroundings.namespace())
  const violations = [
    ...unknownViolations(options),
    ...numberViolations(options),
    ...timingViolations(timing),
    ...termLimitViolations(termLimitSeconds),
    ...identityViolations(identity),
    ...lockViolations(options, namespace, surroundings),
    ...functionViolations(options),
  ]
  if (violations.length > 0) throw new InvalidOptionsError(violations)
  return {
    lock: isLock(options.lock)
      ? options.lock
      : namedLease({ ...options.lock, namespace: namespace! }, { kube: options.kube, clock, random, surroundings }),
    identity,
    timing: inMillis(timing),
    termLimitMillis: termLimitSeconds === 0 ? Infinity : termLimitSeconds * 1000,
    hooks: new GuardedHooks(options),
    clock,
    random,
  }
}

function namedLease(
  name: LeaseName & { readonly namespace: string },
  {
    kube,
    clock,
    random,
    surroundings,
  }: {
    readonly kube: KubeConfigLike | undefined
    readonly clock: Clock
    readonly random: () => number
    readonly surroundings: Surroundings
  },
): Lock {
  return onDemand(`Lease ${name.namespace}/${name.name}`, async () => {
    const { api, close } = await surroundings.connect(kube, clock)
    return { lock: leaseLock(api, { ...name, clock, random }), close }
  })
}

const isLock = (lock: ElectorOptions['lock'] | undefined): lock is Lock =>
  typeof lock === 'object' && lock !== null && 'read' in lock && 'write' in lock

const TIMING = Object.keys(DEFAULT_TIMING) as readonly (keyof TimingSeconds)[]

/** Of all that it may be given. A list that lacks one, or has one too many, does not compile. */
const NAMES: Readonly<Record<keyof ElectorOptions, true>> = {
  lock: true,
  identity: true,
  kube: true,
  leaseDurationSeconds: true,
  renewDeadlineSeconds: true,
  retryPeriodSeconds: true,
  clockDrift: true,
  termLimitSeconds: true,
  onNewLeader: true,
  onChallenge: true,
  onError: true,
  onOverrun: true,
  clock: true,
  random: true,
}

/** In JavaScript nobody else tells that `leaseDuration` does nothing. Without values: nobody knows what they are. */
function unknownViolations(options: ElectorOptions): readonly string[] {
  return Object.entries(options)
    .filter(([name, value]) => !Object.hasOwn(NAMES, name) && value !== undefined)
    .map(([name]) => `${name} is no option`)
}

/** What is no number is reported as that, and must not spoil the relations of the others. */
function timingOf(options: ElectorOptions): TimingSeconds {
  const given = TIMING.filter((name) => typeof options[name] === 'number').map((name) => [name, options[name]])
  return { ...DEFAULT_TIMING, ...Object.fromEntries(given) }
}

/** TypeScript checks the rest; in JavaScript a duration may come straight from an environment variable. */
function numberViolations(options: ElectorOptions): readonly string[] {
  return TIMING.filter((name) => options[name] !== undefined && typeof options[name] !== 'number').map(
    (name) => `${name} must be a number: it is ${shown(options[name])}`,
  )
}

function termLimitViolations(seconds: number): readonly string[] {
  if (Number.isFinite(seconds) && seconds >= 0) return []
  return [`termLimit must be 0, for none, or a number of seconds: it is ${shown(seconds)}`]
}

function identityViolations(identity: string): readonly string[] {
  if (identity === '') return ['identity must not be empty']
  return typeof identity === 'string' ? [] : [`identity must be a string: it is ${shown(identity)}`]
}

function lockViolations(
  { lock, kube }: ElectorOptions,
  namespace: string | undefined,
  surroundings: Surroundings,
): readonly string[] {
  if (typeof lock !== 'object' || lock === null)
    return [`lock must be a lock or the name of a Lease: it is ${shown(lock)}`]
  if (isLock(lock)) return kube === undefined ? [] : ['kube must not be given with a lock that has its own cluster']
  return [
    ...leaseNameViolations({ ...lock, ...(namespace === undefined ? {} : { namespace }) }),
    ...(namespace === undefined ? ['lock.namespace must be given: this is no pod, whose own could be meant'] : []),
    ...kubeViolations(kube, surroundings),
  ]
}

function kubeViolations(kube: KubeConfigLike | undefined, surroundings: Surroundings): readonly string[] {
  if (kube === undefined) {
    return surroundings.hasCluster() ? [] : ['kube must be given: this is no pod, and there is no kubeconfig']
  }
  if (typeof kube.getCurrentCluster !== 'function' || typeof kube.applyToHTTPSOptions !== 'function') {
    return [`kube must be a KubeConfig: it is ${shown(kube)}`]
  }
  const cluster = kube.getCurrentCluster()
  if (cluster === null) return ['kube must have a current context with a cluster: it has none']
  return URL.canParse(cluster.server) ? [] : [`kube must name a server by its URL: it is ${shown(cluster.server)}`]
}

function functionViolations(options: ElectorOptions): readonly string[] {
  return [...HOOKS, 'random' as const]
    .filter((name) => options[name] !== undefined && typeof options[name] !== 'function')
    .map((name) => `${name} must be a function: it is ${shown(options[name])}`)
}

/** For people: also what JSON has no word for. */
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value)
}
