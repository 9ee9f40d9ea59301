import { systemClock, type Clock } from '../clock.ts'
import type { LockRules } from '../election/lock-rules.ts'
import type { LeaseRecord, Versioned } from '../election/record.ts'
import { withoutManagedFields } from '../kube/managed-fields.ts'
import { Leases, type Lease, type LeaseSpec } from '../kube/objects.ts'
import type { Api, Key } from '../kube/api.ts'
import type { Refusal } from '../kube/outcome.ts'
import { watchObject } from '../kube/watch-object.ts'
import { ElectionError, refusedError } from './errors.ts'
import type { Lock } from './lock.ts'

/** A group in mode Assign marks its Lease so: the operator names the leader on it, nobody elects. */
const MODE_ANNOTATION = 'leadergroup.io/mode'

/** Versions whose objects are kept for a write. More than one, because a watch runs beside the requests. */
const KEPT_OBJECTS = 4

/** Which Lease is the lock. */
export interface LeaseLockOptions {
  /** Of the Lease. All candidates of one election name the same. */
  readonly name: string
  /** Of the Lease. */
  readonly namespace: string
  /** Labels of a Lease that is created. Those of one that exists are its own. */
  readonly labels?: Readonly<Record<string, string>>
  /** A coordinator names the holder (KEP-4355); see `coordinated`. */
  readonly isCoordinated?: boolean
  /** @default the system's */
  readonly clock?: Clock
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number
}

/** A lock on a `coordination.k8s.io/v1` Lease, in the form of every client-go program. */
export function leaseLock(api: Api, options: LeaseLockOptions): Lock {
  return new LeaseLock(api, options)
}

class LeaseLock implements Lock {
  readonly describe: string
  readonly rules: Partial<LockRules>
  readonly #api: Api
  readonly #options: LeaseLockOptions
  readonly #key: Key & { readonly namespace: string }
  /** The objects read last, by version: a PUT replaces the whole object, so what we don't know must go along. */
  readonly #objects = new Map<string, Lease>()

  constructor(api: Api, options: LeaseLockOptions) {
    this.describe = `Lease ${options.namespace}/${options.name}`
    this.rules = options.isCoordinated ? { mayCreate: false, coordinated: true } : {}
    this.#api = api
    this.#options = options
    this.#key = { namespace: options.namespace, name: options.name }
  }

  async read(signal: AbortSignal): Promise<Versioned | 'absent'> {
    const lease = await this.#get(signal)
    return lease === 'absent' ? lease : this.#remember(lease)
  }

  async write(next: LeaseRecord, version: string | undefined, signal: AbortSignal): Promise<Versioned | 'conflict'> {
    if (version === undefined) return this.#create(next, signal)
    const base = this.#objects.get(version) ?? (await this.#get(signal))
    if (base === 'absent' || base.metadata.resourceVersion !== version) return 'conflict'
    const outcome = await this.#api.replace(Leases, this.#key, replacement(base, next), { signal, lane: 'lease' })
    // A deleted Lease answers notFound; one deleted and created again is another UID, which is a conflict.
    if (outcome.kind === 'conflict' || outcome.kind === 'notFound') return 'conflict'
    return this.#remember(this.#expectOk(outcome))
  }

  async *watch(signal: AbortSignal): AsyncGenerator<Versioned | 'absent', void, void> {
    const { clock = systemClock, random = Math.random, namespace, name } = this.#options
    const source = { resource: Leases, namespace, name, trim: withoutManagedFields }
    for await (const lease of watchObject(this.#api, source, { clock, random, signal })) {
      yield lease === 'absent' ? lease : this.#remember(lease)
    }
  }

  async #get(signal: AbortSignal): Promise<Lease | 'absent'> {
    const outcome = await this.#api.get(Leases, this.#key, { signal, lane: 'lease' })
    return outcome.kind === 'notFound' ? 'absent' : this.#expectOk(outcome)
  }

  async #create(record: LeaseRecord, signal: AbortSignal): Promise<Versioned | 'conflict'> {
    const { name, namespace, labels } = this.#options
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace, ...(labels ? { labels } : {}) },
      spec: toSpec(record),
    }
    const outcome = await this.#api.create(Leases, namespace, lease, { signal, lane: 'lease' })
    if (outcome.kind === 'exists' || outcome.kind === 'conflict') return 'conflict'
    return this.#remember(this.#expectOk(outcome))
  }

  #remember(lease: Lease): Versioned {
    // A proxy may answer with anything, as long as it is JSON.
    const version = (lease as Partial<Lease>).metadata?.resourceVersion
    if (!version)
      throw new ElectionError('invalid', `${this.describe}: the answer is no Lease: it has no resourceVersion`)
    this.#objects.delete(version)
    this.#objects.set(version, withoutManagedFields(lease))
    for (const oldest of this.#objects.keys()) {
      if (this.#objects.size <= KEPT_OBJECTS) break
      this.#objects.delete(oldest)
    }
    const refused = this.#refusalOf(lease)
    return { record: toRecord(lease.spec), version, ...(refused === undefined ? {} : { refused }) }
  }

  #refusalOf(lease: Lease): string | undefined {
    if (lease.metadata.annotations?.[MODE_ANNOTATION] !== 'Assign') return undefined
    return `${this.describe} is written by a LeaderGroup in mode Assign: elect on another Lease, or set mode: Observe`
  }

  #expectOk(outcome: { kind: 'ok'; object: Lease } | Refusal): Lease {
    if (outcome.kind === 'ok') return outcome.object
    throw refusedError(this.describe, outcome)
  }
}

/** The object as it was read, with its UID and version, and only the election's part of the spec replaced. */
function replacement(base: Lease, next: LeaseRecord): Lease {
  const { strategy: _strategy, preferredHolder: _preferredHolder, ...kept } = base.spec ?? {}
  return { ...base, spec: { ...kept, ...toSpec(next) } }
}

function toSpec(record: LeaseRecord): LeaseSpec {
  const { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions } = record
  const { strategy, preferredHolder } = record
  return {
    holderIdentity,
    leaseDurationSeconds,
    acquireTime: acquireTime ?? null,
    renewTime: renewTime ?? null,
    leaseTransitions,
    ...(strategy ? { strategy } : {}),
    ...(preferredHolder ? { preferredHolder } : {}),
  }
}

/** Every field may be null or absent: Java's and fabric8's clients leave such Leases behind. */
function toRecord(spec: LeaseSpec = {}): LeaseRecord {
  const { acquireTime, renewTime, strategy, preferredHolder } = spec
  return {
    holderIdentity: spec.holderIdentity ?? '',
    leaseDurationSeconds: spec.leaseDurationSeconds ?? 0,
    leaseTransitions: spec.leaseTransitions ?? 0,
    ...(acquireTime ? { acquireTime } : {}),
    ...(renewTime ? { renewTime } : {}),
    ...(strategy ? { strategy } : {}),
    ...(preferredHolder ? { preferredHolder } : {}),
  }
}
