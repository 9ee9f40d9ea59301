import { systemClock } from '../clock.ts'
import type { Api } from '../kube/api.ts'
import { Elector, type ContendOptions, type Observed } from './elector.ts'
import { InvalidOptionsError } from './errors.ts'
import { GuardedHooks } from './hooks.ts'
import { leaseLock } from './lease-lock.ts'
import type { ElectorOptions } from './options.ts'
import { Standing } from './standing.ts'
import type { Term } from './term.ts'

/** What a candidate of a coordinated election says of itself. */
export interface CoordinatedOptions extends Omit<ElectorOptions, 'lock'> {
  /** Of the Lease. All its candidates name the same. */
  readonly name: string
  /** Of the Lease and of the LeaseCandidates. */
  readonly namespace: string
  /**
   * Unique among all processes, as for every elector; also the name of the LeaseCandidate, so of letters, digits, `-`,
   * `_` and `.` only.
   */
  readonly identity: string
  /** Version of this program: semantic, without `v`. */
  readonly binaryVersion: string
  /** The version that it behaves like, which decides who leads. @default binaryVersion */
  readonly emulationVersion?: string
  /** How the coordinator chooses; of all candidates that of the highest binaryVersion counts. @default OldestEmulationVersion */
  readonly strategy?: string
}

/**
 * Coordinated leader election (KEP-4355): the API server chooses among the candidates, by version, and each of them leads
 * when the Lease bears its name. So while a program is upgraded, and old and new run beside each other, the oldest leads.
 *
 * Needs an API server with the feature gate `CoordinatedLeaderElection` and `coordination.k8s.io/v1beta1`; and `get`,
 * `list`, `watch`, `create`, `update` and `delete` on LeaseCandidates, `get`, `list`, `watch` and `update` on Leases.
 *
 * @throws InvalidOptionsError with every violation
 */
export function coordinated(api: Api, options: CoordinatedOptions): CoordinatedElector {
  return new CoordinatedElector(api, options)
}

/**
 * An elector and its candidate. All rules of a term are those of an {@link Elector}. Whoever stands may be named at any
 * time, so there is no stepping down while standing: it ends with `lead` or `terms`.
 */
export class CoordinatedElector implements AsyncDisposable {
  readonly #elector: StandingElector

  constructor(api: Api, options: CoordinatedOptions) {
    this.#elector = parse(api, options)
  }

  /** As {@link Elector.lead}: stands as a candidate meanwhile. The end of a term may also be that another is preferred. */
  lead<T>(work: (term: Term) => T | Promise<T>, options: ContendOptions = {}): Promise<T | undefined> {
    return this.#elector.lead(work, options)
  }

  /** As {@link Elector.terms}: stands as a candidate meanwhile. */
  terms(options: ContendOptions = {}): AsyncGenerator<Term, void, void> {
    return this.#elector.terms(options)
  }

  /** Compares the clock with the term's deadline. False as soon as the end of the term was asked for. */
  isLeader(): boolean {
    return this.#elector.isLeader()
  }

  /** Undefined before the first look at the Lease, and when there is none. */
  observed(): Observed | undefined {
    return this.#elector.observed()
  }

  /** Withdraws the candidate, ends the work, waits for it until the deadline, releases. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#elector[Symbol.asyncDispose]()
  }
}

/** Its candidate stands for as long as it contends, and goes before the Lease is released, or it would be named again. */
class StandingElector extends Elector {
  readonly #stand: () => Standing
  #standing: Standing | undefined
  #isDisposed = false

  constructor(options: ElectorOptions, stand: () => Standing) {
    super(options)
    this.#stand = stand
  }

  override async *terms(options: ContendOptions = {}): AsyncGenerator<Term, void, void> {
    const terms = super.terms(options)
    // It says itself why it refuses.
    if (this.#standing || this.#isDisposed) return yield* terms
    const { signal } = options
    const standing = signal?.aborted ? undefined : this.#stand()
    this.#standing = standing
    const withdraw = (): void => void standing?.withdraw()
    signal?.addEventListener('abort', withdraw, { once: true })
    try {
      yield* whileStanding(terms, standing, signal)
    } finally {
      signal?.removeEventListener('abort', withdraw)
      await standing?.withdraw()
      this.#standing = undefined
    }
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    await this.#standing?.withdraw()
    await super[Symbol.asyncDispose]()
  }
}

/** `terms`, whose last one is released only after the candidate is withdrawn. */
async function* whileStanding(
  terms: AsyncGenerator<Term, void, void>,
  standing: Standing | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Term, void, void> {
  for await (const term of terms) {
    let goesOn = false
    try {
      yield term
      goesOn = !signal?.aborted
    } finally {
      if (!goesOn) await standing?.withdraw()
    }
  }
}

/** A key as in a ConfigMap. */
const CANDIDATE_NAME = /^(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}$/
const SEMANTIC_VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/
/** Kubernetes' own one, or a name under a domain. */
const STRATEGY = /^(OldestEmulationVersion|[a-z0-9.-]+\/[-._a-zA-Z0-9]+)$/

function parse(api: Api, options: CoordinatedOptions): StandingElector {
  const { name, namespace, binaryVersion, emulationVersion = binaryVersion, ...rest } = options
  const { strategy = 'OldestEmulationVersion', ...elector } = rest
  const { identity, clock = systemClock, random = Math.random } = elector
  const hooks = new GuardedHooks(elector)
  const facts = { identity, leaseName: name, namespace, binaryVersion, emulationVersion, strategy }
  const lock = leaseLock(api, { name, namespace, isCoordinated: true, clock, random })
  const stand = (): Standing => new Standing(api, { ...facts, clock, random, onError: (error) => hooks.error(error) })
  const violations = standingViolations(facts)
  try {
    const parsed = new StandingElector({ ...elector, lock }, stand)
    if (violations.length === 0) return parsed
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error
    violations.push(...error.violations)
  }
  throw new InvalidOptionsError(violations)
}

function standingViolations(facts: {
  readonly identity: string
  readonly leaseName: string
  readonly binaryVersion: string
  readonly emulationVersion: string
  readonly strategy: string
}): string[] {
  const { identity, binaryVersion, emulationVersion, strategy } = facts
  const violations: string[] = []
  if (identity !== '' && !CANDIDATE_NAME.test(identity)) {
    violations.push(
      `identity must be a name for a LeaseCandidate, of letters, digits, -, _ and . only: it is ${JSON.stringify(identity)}`,
    )
  }
  for (const [what, version] of [
    ['binaryVersion', binaryVersion],
    ['emulationVersion', emulationVersion],
  ] as const) {
    if (!SEMANTIC_VERSION.test(version)) {
      violations.push(`${what} must be a semantic version without v, such as 1.2.3: it is ${JSON.stringify(version)}`)
    }
  }
  if (violations.length === 0 && isHigher(emulationVersion, binaryVersion)) {
    violations.push(
      `emulationVersion must not be above binaryVersion: ${JSON.stringify(emulationVersion)} is above ${JSON.stringify(binaryVersion)}`,
    )
  }
  if (!STRATEGY.test(strategy)) {
    violations.push(
      `strategy must be OldestEmulationVersion or a name under a domain: it is ${JSON.stringify(strategy)}`,
    )
  }
  return violations
}

/** By the numbers alone; the API server has the last word on what is before a release. */
function isHigher(version: string, than: string): boolean {
  const numbers = [version, than].map((text) => text.split(/[-+]/, 1)[0]!.split('.').map(Number))
  const differing = [0, 1, 2].find((index) => numbers[0]![index] !== numbers[1]![index])
  return differing !== undefined && numbers[0]![differing]! > numbers[1]![differing]!
}
