import type { Clock } from '../clock.ts'
import {
  standAsCandidate,
  type CandidateAction,
  type CandidateObservation,
  type CandidateSight,
} from '../election/lease-candidate.ts'
import { isNewer } from '../election/version.ts'
import type { Api, Key } from '../kube/api.ts'
import { LeaseCandidates, type LeaseCandidate } from '../kube/objects.ts'
import { ApiError, type Outcome, type Refusal } from '../kube/outcome.ts'
import { watch } from '../kube/watch.ts'
import { Loop, type Acted } from '../loop.ts'
import { asElectionError, ElectionError, refusedError } from './errors.ts'

/** Who stands for which Lease. */
export interface StandingOptions {
  /** Of the LeaseCandidate, and of the holder. */
  readonly identity: string
  readonly leaseName: string
  readonly namespace: string
  readonly binaryVersion: string
  readonly emulationVersion: string
  readonly strategy: string
  readonly clock: Clock
  readonly random: () => number
  readonly onError: (error: ElectionError) => void
}

/**
 * A LeaseCandidate that is kept alive from its construction until it is withdrawn: created, renewed, and every ping of
 * the API server answered. Deleted by somebody, it is made anew.
 */
export class Standing {
  readonly #api: Api
  readonly #options: StandingOptions
  readonly #key: Key & { readonly namespace: string }
  readonly #what: string
  readonly #loop: Loop<CandidateObservation, CandidateAction>
  readonly #watching = new AbortController()
  readonly #watched: Promise<void>
  #object: LeaseCandidate | 'absent' | undefined
  #newest: string | undefined
  #renewedAt: number | undefined
  #withdrawn: Promise<void> | undefined

  constructor(api: Api, options: StandingOptions) {
    const { identity, namespace, clock, random } = options
    this.#api = api
    this.#options = options
    this.#key = { namespace, name: identity }
    this.#what = `LeaseCandidate ${namespace}/${identity}`
    this.#loop = new Loop<CandidateObservation, CandidateAction>(
      {
        observe: () => ({ sight: this.#sight(), renewedAt: this.#renewedAt }),
        decide: (o, now) => standAsCandidate(o, { monotonic: now, wall: clock.wallNow() }),
        act: async (_key, { actions }) => {
          for (const action of actions) return this.#perform(action)
          return { kind: 'done' }
        },
        mayAct: () => true,
        failed: (_key, error) => this.#report(error),
      },
      { clock, random },
    )
    this.#watched = this.#watch()
    this.#wake()
  }

  /**
   * Stands no more, and takes the object away, so that the coordinator neither asks nor elects it. Tried once: if that
   * fails, the candidate is not elected any more as soon as it leaves a ping unanswered.
   */
  withdraw(): Promise<void> {
    return (this.#withdrawn ??= this.#withdraw())
  }

  async #withdraw(): Promise<void> {
    this.#watching.abort()
    await Promise.all([this.#loop.stop(), this.#watched])
    try {
      await this.#delete()
    } catch (error) {
      this.#report(error)
    }
  }

  #wake(): void {
    this.#loop.wake(this.#what)
  }

  async #watch(): Promise<void> {
    const { clock, random } = this.#options
    const { namespace, name } = this.#key
    const source = {
      resource: LeaseCandidates,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      trim: (candidate: LeaseCandidate): LeaseCandidate => candidate,
    }
    // Without a watch no ping is heard, so it must be told that it may not; all else passes.
    const onError = (error: Error): void => {
      if (error instanceof ApiError && error.status === 403) this.#report(error)
    }
    for await (const change of watch(this.#api, source, { clock, random, signal: this.#watching.signal, onError })) {
      const found = change.kind === 'reset' ? change.objects[0] : change.kind === 'apply' ? change.object : undefined
      if (found) this.#learn(found)
      // A deletion carries no version that could be compared: it may be older than what is known.
      else if (this.#object !== 'absent') this.#object = undefined
      this.#wake()
    }
  }

  async #perform(action: CandidateAction): Promise<Acted> {
    switch (action.kind) {
      case 'read':
        return this.#read()
      case 'create':
        return this.#written(await this.#create(action.renewTime))
      case 'renew':
        return this.#written(await this.#renew(action.renewTime))
      case 'delete':
        await this.#delete()
        return { kind: 'done' }
    }
  }

  async #read(): Promise<Acted> {
    const outcome = await this.#api.get(LeaseCandidates, this.#key)
    if (outcome.kind === 'notFound') this.#object = 'absent'
    else if (outcome.kind === 'ok') this.#learn(outcome.object)
    else return this.#refusedBy(outcome)
    return { kind: 'done' }
  }

  /** Somebody else was faster. */
  async #readAgain(): Promise<Acted> {
    const acted = await this.#read()
    return acted.kind === 'done' ? { kind: 'stale' } : acted
  }

  #create(renewTime: string): Promise<Outcome<LeaseCandidate>> {
    const startedAt = this.#options.clock.now()
    const { apiVersion, kind } = { apiVersion: 'coordination.k8s.io/v1beta1', kind: LeaseCandidates.kind }
    const object = { apiVersion, kind, metadata: this.#key, spec: { ...this.#spec(), renewTime } }
    return this.#kept(startedAt, this.#api.create(LeaseCandidates, this.#key.namespace, object))
  }

  /** The object as it was read, with its version: a ping that came in between must not be lost. */
  #renew(renewTime: string): Promise<Outcome<LeaseCandidate>> {
    const startedAt = this.#options.clock.now()
    const base = this.#object as LeaseCandidate
    const object = { ...base, spec: { ...base.spec, ...this.#spec(), renewTime } }
    return this.#kept(startedAt, this.#api.replace(LeaseCandidates, this.#key, object))
  }

  async #kept(startedAt: number, write: Promise<Outcome<LeaseCandidate>>): Promise<Outcome<LeaseCandidate>> {
    const outcome = await write
    if (outcome.kind === 'ok') this.#renewedAt = startedAt
    return outcome
  }

  async #written(outcome: Outcome<LeaseCandidate>): Promise<Acted> {
    switch (outcome.kind) {
      case 'ok':
        this.#learn(outcome.object)
        return { kind: 'done' }
      case 'conflict':
      case 'exists':
        return await this.#readAgain()
      case 'notFound':
        this.#object = undefined
        throw new ElectionError(
          'invalid',
          `${this.#what}: ${outcome.message} (is the feature gate CoordinatedLeaderElection on, and v1beta1 served?)`,
        )
      case 'invalid':
      case 'expired':
      case 'throttled':
        return this.#refusedBy(outcome)
    }
  }

  /** Only the object that is known, or none. */
  async #delete(): Promise<void> {
    const object = this.#object
    if (object === undefined || object === 'absent') return
    const { uid } = object.metadata
    const outcome = await this.#api.delete(LeaseCandidates, this.#key, { preconditions: { uid } })
    if (outcome.kind === 'ok' || outcome.kind === 'notFound' || outcome.kind === 'conflict') this.#object = undefined
    else throw refusedError(this.#what, outcome)
  }

  #learn(object: LeaseCandidate): void {
    const { resourceVersion } = object.metadata
    if (this.#newest !== undefined && isNewer(this.#newest, resourceVersion)) return
    this.#newest = resourceVersion
    this.#object = object
  }

  #sight(): CandidateSight | 'absent' | undefined {
    if (this.#object === undefined || this.#object === 'absent') return this.#object
    const { spec } = this.#object
    return {
      isForeign: spec?.leaseName !== this.#options.leaseName,
      pingTime: spec?.pingTime ?? undefined,
      renewTime: spec?.renewTime ?? undefined,
    }
  }

  #spec(): Pick<NonNullable<LeaseCandidate['spec']>, 'leaseName' | 'binaryVersion' | 'emulationVersion' | 'strategy'> {
    const { leaseName, binaryVersion, emulationVersion, strategy } = this.#options
    return { leaseName, binaryVersion, emulationVersion, strategy }
  }

  #refusedBy(refusal: Refusal): Acted {
    const error = refusedError(this.#what, refusal)
    const { retryAfterMillis } = error
    return { kind: 'failed', error, ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }) }
  }

  #report(error: unknown): void {
    this.#options.onError(asElectionError(this.#what, error))
  }
}
