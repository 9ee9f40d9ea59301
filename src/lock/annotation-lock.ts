import { systemClock, type Clock } from '../clock.ts'
import type { LockRules } from '../election/lock-rules.ts'
import type { LeaseRecord, Versioned } from '../election/record.ts'
import { isNewer } from '../election/version.ts'
import type { Api, JsonPatchStep, Key } from '../kube/api.ts'
import type { KubeObject, Resource } from '../kube/objects.ts'
import type { Outcome, Refusal } from '../kube/outcome.ts'
import { watch } from '../kube/watch.ts'
import { ElectionError, refusedError } from './errors.ts'
import { formatLeader, LEADER_ANNOTATION, parseLeader } from './leader-annotation.ts'
import type { Lock } from './lock.ts'

/** An object by its type and name. */
export interface LockedObject {
  /** API group of its type; empty for the core group. */
  readonly group: string
  /** API version of its type, such as `v1`. */
  readonly version: string
  /** Name of its type in paths, such as `persistentvolumeclaims`. */
  readonly plural: string
  /** Name of its type in objects, such as `PersistentVolumeClaim`. */
  readonly kind: string
  /** Its name. */
  readonly name: string
  /** Absent for an object of the cluster. */
  readonly namespace?: string
}

/** Which object bears the record, and where. */
export interface AnnotationLockOptions {
  /** It must exist: an elector creates none, and there is no lock while it is missing. */
  readonly object: LockedObject
  /** @default control-plane.alpha.kubernetes.io/leader */
  readonly annotation?: string
  /** @default the system's */
  readonly clock?: Clock
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number
}

/**
 * A lock in an annotation of an object that is there for something else. The elector never creates the object: it waits
 * until it exists, and a term ends when it is deleted. Nothing of it but the annotation is ever written.
 *
 * Needs `get`, `list`, `watch` and `patch` on the object.
 */
export function annotationLock(api: Api, options: AnnotationLockOptions): Lock {
  return new AnnotationLock(api, { ...options, mayCreate: false })
}

/** An object that is there for the lock alone, which the first elector creates. */
export interface OwnObjectOptions {
  readonly object: LockedObject
  /** Of the object that is created. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly clock?: Clock | undefined
  readonly random?: (() => number) | undefined
}

/** As {@link annotationLock}, on an object that the elector creates where there is none. */
export function ownAnnotationLock(api: Api, options: OwnObjectOptions): Lock {
  return new AnnotationLock(api, { ...options, mayCreate: true })
}

interface Options extends OwnObjectOptions {
  readonly annotation?: string
  readonly mayCreate: boolean
}

/**
 * What was last seen of the object.
 *
 * Others may write the object all the time, and a version that moves with each of their writes would end every term. So a
 * record has a version of its own: that of the object when this very record was first seen on it. It grows with every
 * change of the record, and stays when anything else changes. No record comes back as it was, for its times are unique.
 */
interface Seen {
  readonly uid: string
  /** The annotation; undefined when there is none. */
  readonly text: string | undefined
  readonly recordVersion: string
  readonly objectVersion: string
  readonly hasAnnotations: boolean
}

class AnnotationLock implements Lock {
  readonly describe: string
  readonly rules: Partial<LockRules>
  readonly #api: Api
  readonly #options: Options
  readonly #annotation: string
  readonly #resource: Resource<KubeObject>
  readonly #key: Key
  #seen: Seen | undefined

  constructor(api: Api, options: Options) {
    const { object, annotation = LEADER_ANNOTATION, mayCreate } = options
    const { name, namespace, ...resource } = object
    this.#key = { name, ...(namespace === undefined ? {} : { namespace }) }
    this.#resource = resource
    this.#annotation = annotation
    const where = `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
    this.describe = annotation === LEADER_ANNOTATION ? where : `annotation ${annotation} of ${where}`
    this.rules = { mayCreate }
    this.#api = api
    this.#options = options
  }

  async read(signal: AbortSignal): Promise<Versioned | 'absent'> {
    const outcome = await this.#api.get(this.#resource, this.#key, { signal, lane: 'lease' })
    return outcome.kind === 'notFound' ? 'absent' : this.#learn(this.#expectOk(outcome))
  }

  async write(next: LeaseRecord, version: string | undefined, signal: AbortSignal): Promise<Versioned | 'conflict'> {
    if (version === undefined) return this.#create(next, signal)
    if (this.#seen?.recordVersion !== version) await this.read(signal)
    const base = this.#seen
    if (base?.recordVersion !== version) return 'conflict'
    const steps = this.#steps(base, formatLeader(next, base.text))
    const outcome = await this.#api.jsonPatch(this.#resource, this.#key, steps, { signal, lane: 'lease' })
    if (outcome.kind === 'ok') return this.#learn(outcome.object)
    if (outcome.kind === 'notFound') return 'conflict'
    if (outcome.kind !== 'invalid' && outcome.kind !== 'conflict') throw refusedError(this.describe, outcome)
    return this.#explain(outcome, base, signal)
  }

  async *watch(signal: AbortSignal): AsyncGenerator<Versioned | 'absent', void, void> {
    const { clock = systemClock, random = Math.random } = this.#options
    const { name, ...place } = this.#key
    const source = {
      resource: this.#resource,
      ...place,
      fieldSelector: `metadata.name=${name}`,
      trim: ({ metadata }: KubeObject): KubeObject => ({ metadata }),
    }
    for await (const change of watch(this.#api, source, { clock, random, signal })) {
      const found = change.kind === 'reset' ? change.objects[0] : change.kind === 'apply' ? change.object : undefined
      yield found ? this.#learn(found) : 'absent'
    }
  }

  /**
   * The compare-and-swap is on the record, not on the object: whoever else writes the object is in nobody's way. Where
   * there is no record yet there is nothing to compare, so it is on the object after all.
   */
  #steps({ uid, text, objectVersion, hasAnnotations }: Seen, next: string): readonly JsonPatchStep[] {
    const path = `/metadata/annotations/${this.#annotation.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const unchanged: JsonPatchStep =
      text === undefined
        ? { op: 'test', path: '/metadata/resourceVersion', value: objectVersion }
        : { op: 'test', path, value: text }
    return [
      { op: 'test', path: '/metadata/uid', value: uid },
      unchanged,
      hasAnnotations
        ? { op: 'add', path, value: next }
        : { op: 'add', path: '/metadata/annotations', value: { [this.#annotation]: next } },
    ]
  }

  /** The server's words do not tell a test that failed from a patch that it does not accept: the record does. */
  async #explain(refusal: Refusal, base: Seen, signal: AbortSignal): Promise<'conflict'> {
    const found = await this.read(signal)
    const isUnchanged = found !== 'absent' && found.version === base.recordVersion
    // Without a record to compare, a foreign edit of the object is as good a reason.
    if (!isUnchanged || (base.text === undefined && this.#seen?.objectVersion !== base.objectVersion)) return 'conflict'
    throw refusedError(this.describe, refusal)
  }

  async #create(record: LeaseRecord, signal: AbortSignal): Promise<Versioned | 'conflict'> {
    if (!this.#options.mayCreate) throw new ElectionError('notOurs', `${this.describe} is not for an elector to create`)
    const { labels } = this.#options
    const { apiVersion, kind } = typeOf(this.#resource)
    const metadata = {
      ...this.#key,
      ...(labels ? { labels } : {}),
      annotations: { [this.#annotation]: formatLeader(record, undefined) },
    }
    const object = { apiVersion, kind, metadata }
    const outcome = await this.#api.create(this.#resource, this.#key.namespace, object, { signal, lane: 'lease' })
    if (outcome.kind === 'exists' || outcome.kind === 'conflict') return 'conflict'
    return this.#learn(this.#expectOk(outcome))
  }

  /** Words about the object come in any order: what is older than the last is told as it was, and not remembered. */
  #learn({ metadata: { uid, resourceVersion, annotations } }: KubeObject): Versioned {
    const text = annotations?.[this.#annotation]
    const seen = this.#seen
    const isSame = seen !== undefined && seen.uid === uid && seen.text === text
    const recordVersion = isSame ? seen.recordVersion : resourceVersion
    if (seen === undefined || !isNewer(seen.objectVersion, resourceVersion)) {
      this.#seen = {
        uid,
        text,
        recordVersion,
        objectVersion: resourceVersion,
        hasAnnotations: annotations !== undefined,
      }
    }
    return this.#versioned(text, recordVersion)
  }

  #versioned(text: string | undefined, version: string): Versioned {
    const record = parseLeader(text ?? '{}')
    if (record) return { record, version }
    const refused = `${this.describe}: annotation ${this.#annotation} is no record of a leader: correct or remove it`
    return { record: { holderIdentity: '', leaseDurationSeconds: 0, leaseTransitions: 0 }, version, refused }
  }

  #expectOk(outcome: Outcome<KubeObject>): KubeObject {
    if (outcome.kind === 'ok') return outcome.object
    throw refusedError(this.describe, outcome)
  }
}

function typeOf({ group, version, kind }: Resource<KubeObject>): { apiVersion: string; kind: string } {
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind }
}
