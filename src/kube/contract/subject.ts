import { strict as assert } from 'node:assert'
import type { Clock } from '../../clock.ts'
import { Api, type CallOptions, type Key } from '../api.ts'
import { frames } from '../frames.ts'
import { Leases, type KubeObject, type Lease, type Pod, Pods, type Resource } from '../objects.ts'
import type { Outcome, Refusal } from '../outcome.ts'
import type { Transport, TransportRequest } from '../transport.ts'
import { parseEvent, type WatchEvent } from '../watch-event.ts'

/** A server to hold to the contract. */
export interface ContractSetting {
  readonly transport: Transport
  readonly clock: Clock
  /** Empty, and made for this run. */
  readonly namespace: string
  /** Lets time pass: really, or on a virtual clock. */
  advance(millis: number): Promise<void>
  /** Makes the server forget all versions but the present ones, if it can be told to. */
  compact?(): Promise<void>
  tearDown(): Promise<void>
}

/** Any object, with the fields that the contract looks at. */
export interface AnyObject extends KubeObject {
  readonly metadata: KubeObject['metadata'] & {
    readonly finalizers?: readonly string[]
    readonly deletionGracePeriodSeconds?: number
  }
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
}

export const Groups: Resource<AnyObject> = {
  group: 'leadergroup.io',
  version: 'v1alpha1',
  plural: 'leadergroups',
  kind: 'LeaderGroup',
}
export const Services: Resource<AnyObject> = { group: '', version: 'v1', plural: 'services', kind: 'Service' }
export const Slices: Resource<AnyObject> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
}
export const AnyLeases = Leases as Resource<AnyObject>
export const AnyPods = Pods as Resource<AnyObject>

const STEP_MILLIS = 10
const WAIT_MILLIS = 10_000

/** The server under test, with short words for what the rules do to it. */
export class Subject {
  readonly setting: ContractSetting
  readonly api: Api
  readonly namespace: string
  #names = 0

  constructor(setting: ContractSetting) {
    this.setting = setting
    this.namespace = setting.namespace
    this.api = new Api(setting.transport, setting.clock)
  }

  /** A key that nobody has used. */
  key(): Required<Key> {
    return { namespace: this.namespace, name: `c-${++this.#names}` }
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: Incomplete): Promise<T> {
    return ok(await this.api.create<T>(resource, this.namespace, complete(resource, object)))
  }

  lease(metadata: object = {}, spec: object = {}): Promise<Lease> {
    return this.create(Leases, { metadata: { name: this.key().name, ...metadata }, spec })
  }

  group(metadata: object = {}): Promise<AnyObject> {
    return this.create(Groups, { metadata: { name: this.key().name, ...metadata }, spec: GROUP_SPEC })
  }

  /** With a node, so that a delete waits for a kubelet; there is none. */
  pod(metadata: object = {}, spec: object = { nodeName: 'contract' }): Promise<Pod> {
    return this.create(Pods, { metadata: { name: this.key().name, ...metadata }, spec: { ...POD_SPEC, ...spec } })
  }

  /** The bare HTTP status, where the contract is about it. */
  async status(method: TransportRequest['method'], path: string, body: unknown): Promise<number> {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const signal = new AbortController().signal
    const response = await this.setting.transport.send({
      method,
      path,
      contentType,
      body: JSON.stringify(body),
      signal,
    })
    for await (const _chunk of response.body);
    return response.status
  }

  async eventually<T>(what: string, probe: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const end = this.setting.clock.now() + WAIT_MILLIS
    for (;;) {
      const found = await probe()
      if (found !== undefined && found !== false) return found
      if (this.setting.clock.now() >= end) throw new assert.AssertionError({ message: `not within 10 s: ${what}` })
      await this.setting.advance(STEP_MILLIS)
    }
  }

  async gone<T extends KubeObject>(resource: Resource<T>, key: Key): Promise<void> {
    await this.eventually(`${key.name} is gone`, async () => {
      const read = await this.api.get(resource, key)
      return read.kind === 'notFound' ? true : undefined
    })
  }

  async events<T extends KubeObject>(resource: Resource<T>, options: EventOptions): Promise<Events<T>> {
    const controller = new AbortController()
    const { signal } = controller
    const opened = await this.api.openWatch(resource, {
      timeoutSeconds: 60,
      namespace: this.namespace,
      ...options,
      signal,
    })
    return new Events(this, controller, ok(opened).body)
  }
}

interface EventOptions extends Pick<CallOptions, 'signal'> {
  readonly resourceVersion: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly timeoutSeconds?: number
}

/** One open watch, read as it comes. */
export class Events<T extends KubeObject> {
  readonly seen: WatchEvent<T>[] = []
  /** How the stream ended; undefined while it is open. */
  ended: 'cleanly' | Error | undefined
  readonly #subject: Subject
  readonly #controller: AbortController
  readonly #reading: Promise<void>

  constructor(subject: Subject, controller: AbortController, body: AsyncIterable<Uint8Array>) {
    this.#subject = subject
    this.#controller = controller
    this.#reading = this.#read(body)
  }

  /** The events so far, bookmarks apart, once `last` is among them: `TYPE name version`. */
  async until(last: (event: WatchEvent<T>) => boolean): Promise<WatchEvent<T>[]> {
    await this.#subject.eventually('the last event of the watch', () => this.seen.some(last) || undefined)
    return this.seen.filter((event) => event.type !== 'BOOKMARK')
  }

  /** The events up to the one of this version. */
  upTo(version: string | undefined): Promise<WatchEvent<T>[]> {
    return this.until((event) => event.type !== 'ERROR' && event.object.metadata.resourceVersion === version)
  }

  async stop(): Promise<void> {
    this.#controller.abort()
    await this.#reading
  }

  async #read(body: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const frame of frames(body)) this.seen.push(parseEvent<T>('contract', frame))
      this.ended = 'cleanly'
    } catch (error) {
      this.ended = error as Error
    }
  }
}

type Incomplete = { readonly metadata: object; readonly [field: string]: unknown }

export function complete(resource: Resource<KubeObject>, object: Incomplete): object {
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
  return { apiVersion, kind: resource.kind, ...object }
}

export const GROUP_SPEC = { selector: { matchLabels: { app: 'contract' } } }
const POD_SPEC = { containers: [{ name: 'main', image: 'contract' }] }

export const keyOf = ({ metadata: { namespace, name } }: KubeObject): Key => ({
  ...(namespace ? { namespace } : {}),
  name,
})

export function ok<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'ok') return outcome.object
  throw new assert.AssertionError({ message: `expected ok, got ${outcome.kind}: ${outcome.message}` })
}

/** As one of these, where releases of Kubernetes differ. */
export function refused(outcome: Outcome<unknown>, ...kinds: readonly Refusal['kind'][]): void {
  if (outcome.kind !== 'ok' && kinds.includes(outcome.kind)) return
  const message = outcome.kind === 'ok' ? JSON.stringify(outcome.object) : outcome.message
  assert.fail(`expected ${kinds.join(' or ')}, got ${outcome.kind}: ${message}`)
}
