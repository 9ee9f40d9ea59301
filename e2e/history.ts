/**
 * What the store held, version by version, as one observer saw it, and the rules of design §3 asked of the whole of it.
 *
 * All resources of a cluster with one etcd share its revision, so versions of pods, Leases and groups compare as
 * integers (KEP-5504 promises it only per resource type; that one etcd serves all is this control plane's choice).
 */
import assert from 'node:assert/strict'
import { sleepUntil, systemClock } from '../src/clock.ts'
import { formatIdentity, parseMark, parseTerm, transitionsOf } from '../src/group/gate.ts'
import { GATE_ANNOTATION, LEADER_ROLE, groupKeys } from '../src/group/keys.ts'
import type { LeaderGroup } from '../src/group/leadergroup.ts'
import { Api } from '../src/kube/api.ts'
import { frames } from '../src/kube/frames.ts'
import { type KubeObject, type Lease, Leases, type Pod, Pods, type Resource } from '../src/kube/objects.ts'
import { type UndiciTransport, undiciTransport } from '../src/kube/undici.ts'
import { parseEvent } from '../src/kube/watch-event.ts'
import { LeaderGroups } from '../src/operator/resources.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { controlPlane } from './controlplane/shared.ts'

/** One version of the store. */
export type Change =
  | { readonly kind: 'pod'; readonly version: number; readonly gone: boolean; readonly object: Pod }
  | { readonly kind: 'lease'; readonly version: number; readonly gone: boolean; readonly object: Lease }
  | { readonly kind: 'group'; readonly version: number; readonly gone: boolean; readonly object: LeaderGroup }

const WATCHED = { pod: Pods, lease: Leases, group: LeaderGroups }
type Kind = keyof typeof WATCHED

/** Longer than any test: the server ends no watch in the middle of one, and when it does, it is resumed. */
const WATCH_SECONDS = 600

/** Records every event of one namespace from now on. Dispose of it, or its watches stay open. */
export async function observe(namespace: string): Promise<Observer> {
  const plane = await controlPlane()
  const access = { tls: { ca: plane.ca }, headers: { authorization: `Bearer ${plane.adminToken}` } }
  // On its own connections: neither the operators' trouble nor the test's own requests can hold it up.
  const transport = undiciTransport({
    credentials: { server: plane.server, load: () => Promise.resolve(access) },
    userAgent: 'leadergroup-e2e-observer',
  })
  const observer = new Observer(new Api(transport, systemClock), transport, namespace)
  await observer.begin()
  return observer
}

export class Observer implements AsyncDisposable {
  readonly namespace: string
  readonly #api: Api
  readonly #transport: UndiciTransport
  readonly #changes: Change[] = []
  readonly #stop = new AbortController()
  readonly #following: Promise<void>[] = []
  #fault: unknown

  constructor(api: Api, transport: UndiciTransport, namespace: string) {
    this.#api = api
    this.#transport = transport
    this.namespace = namespace
  }

  async begin(): Promise<void> {
    for (const kind of Object.keys(WATCHED) as Kind[]) {
      const { items, resourceVersion } = await this.#list(kind)
      for (const object of items) this.#add(kind, object, false)
      const following = this.#follow(kind, resourceVersion)
      following.catch((error: unknown) => (this.#fault ??= error))
      this.#following.push(following)
    }
  }

  /**
   * The history so far. It is complete: played to its end it gives just the objects that the API server lists now,
   * each in its version.
   */
  async history(): Promise<readonly Change[]> {
    for (const kind of Object.keys(WATCHED) as Kind[]) {
      const listed = await this.#list(kind)
      const upTo = Number(listed.resourceVersion)
      const expected = listed.items.map(versioned).toSorted()
      await eventually({ what: `${this.namespace}: all events of ${kind}s up to ${upTo}` }, async () => {
        if (this.#fault) throw new Error('the observer lost its place in the history', { cause: this.#fault })
        const played = new Map<string, KubeObject>()
        for (const change of this.#changes) {
          if (change.kind !== kind || change.version > upTo) continue
          if (change.gone) played.delete(change.object.metadata.uid)
          else played.set(change.object.metadata.uid, change.object)
        }
        const actual = [...played.values()].map(versioned).toSorted()
        return actual.join() === expected.join() ? true : undefined
      })
    }
    // Each watch is in order, the three beside each other are not. One version is one write to one object.
    return this.#changes.toSorted((a, b) => a.version - b.version)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the observer is not needed any more'))
    await Promise.allSettled(this.#following)
    await this.#transport.close()
  }

  async #list(kind: Kind): Promise<{ readonly items: readonly KubeObject[]; readonly resourceVersion: string }> {
    return must(await this.#api.list<KubeObject>(WATCHED[kind], { namespace: this.namespace }))
  }

  /** Resumes from the last version it saw; an expired one is a hole in the history, so it is an error. */
  async #follow(kind: Kind, from: string): Promise<void> {
    const resource: Resource<KubeObject> = WATCHED[kind]
    const { signal } = this.#stop
    let resourceVersion = from
    while (!signal.aborted) {
      const options = { namespace: this.namespace, resourceVersion, timeoutSeconds: WATCH_SECONDS, signal }
      try {
        const { body } = must(await this.#api.openWatch(resource, options))
        for await (const frame of frames(body)) {
          const event = parseEvent<KubeObject>(`the watch of ${kind}s`, frame)
          if (event.type === 'ERROR') throw new Hole(event.text)
          resourceVersion = event.object.metadata.resourceVersion
          if (event.type !== 'BOOKMARK') this.#add(kind, event.object, event.type === 'DELETED')
        }
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof Hole || !(error instanceof Error) || error.name !== 'ApiError') throw error
        await sleepUntil(systemClock, systemClock.now() + 100, signal)
      }
    }
  }

  #add(kind: Kind, object: KubeObject, gone: boolean): void {
    const version = Number(object.metadata.resourceVersion)
    this.#changes.push({ kind, version, gone, object } as Change)
  }
}

/** The watch cannot go on where it was. */
class Hole extends Error {
  override readonly name = 'Hole'
}

function versioned({ metadata }: KubeObject): string {
  return `${metadata.uid}@${metadata.resourceVersion}`
}

/** What a history holds, so that a test can also ask for enough of it. */
export interface Tally {
  /** Times that a pod was labelled. */
  readonly labelled: number
  /** Terms that the Lease named. */
  readonly terms: number
}

/**
 * Asserts for one group, at every version:
 * - I1: never two pods with the leader label;
 * - I2: a label appears only on the pod, by name and UID, that the Lease names then, in its term; and the Lease names
 *   another holder or term only while no pod bears the label;
 * - I4: terms grow with each change of the named holder, also over a deleted Lease; leaseTransitions is the term;
 * - I6: status names only what the Lease has named before, and its term never goes back;
 * - I8: one term is one pod's.
 *
 * For histories in which nobody but operators writes the group's label and Lease.
 */
export function checkHistory(history: readonly Change[], name: string, leaseName = name): Tally {
  const check = new GroupCheck(name, leaseName)
  for (const change of history) check.follow(change)
  return check.tally
}

/** The most pods that bore the leader label at one version: what a stranger's write to the Lease must not change. */
export function mostLabelled(history: readonly Change[], name: string): number {
  const labelled = new Set<string>()
  let most = 0
  for (const { kind, gone, object } of history) {
    if (kind !== 'pod') continue
    const { uid, labels = {} } = object.metadata
    if (!gone && labels[groupKeys(name).role] === LEADER_ROLE) labelled.add(uid)
    else labelled.delete(uid)
    most = Math.max(most, labelled.size)
  }
  return most
}

class GroupCheck {
  readonly #name: string
  readonly #leaseName: string
  readonly #keys: ReturnType<typeof groupKeys>
  /** UID → term of the pods that bear the label. */
  readonly #labelled = new Map<string, string | undefined>()
  readonly #named = new Map<number, string>()
  #lease: Lease | undefined
  #lastNamed = ''
  #groupUID: string | undefined
  #statusTerm = 0
  #labels = 0

  constructor(name: string, leaseName: string) {
    this.#name = name
    this.#leaseName = leaseName
    this.#keys = groupKeys(name)
  }

  get tally(): Tally {
    return { labelled: this.#labels, terms: this.#named.size }
  }

  follow(change: Change): void {
    if (change.kind === 'pod') this.#followPod(change.object, change.gone, change.version)
    else if (change.object.metadata.name === this.#leaseName && change.kind === 'lease') {
      this.#followLease(change.object, change.gone, change.version)
    } else if (change.object.metadata.name === this.#name && change.kind === 'group') {
      this.#followGroup(change.object, change.version)
    }
  }

  #followPod({ metadata }: Pod, gone: boolean, version: number): void {
    const { name, uid, labels = {}, annotations = {} } = metadata
    const term = annotations[this.#keys.term]
    if (gone || labels[this.#keys.role] !== LEADER_ROLE) {
      this.#labelled.delete(uid)
      return
    }
    const before = this.#labelled.get(uid)
    const isNew = !this.#labelled.has(uid)
    this.#labelled.set(uid, term)
    const all = [...this.#labelled.keys()].join(' and ')
    assert.equal(this.#labelled.size, 1, this.#at(version, `two pods bear the leader label: ${all}`))
    if (!isNew && before === term) return
    this.#labels++
    const spec = this.#lease?.spec
    assert.equal(spec?.holderIdentity, formatIdentity({ name, uid }), this.#at(version, `label on ${name}, ${uid}`))
    assert.equal(markOf(this.#lease), `${uid}/${term}`, this.#at(version, `label on ${name} in term ${term}`))
  }

  #followLease(lease: Lease, gone: boolean, version: number): void {
    this.#lease = gone ? undefined : lease
    if (gone) return
    const mark = parseMark(markOf(lease))
    assert.ok(mark, this.#at(version, `the mark ${markOf(lease)} cannot be read`))
    const transitions = lease.spec?.leaseTransitions
    assert.equal(transitions, transitionsOf(mark.term), this.#at(version, 'leaseTransitions is not the term'))
    const named = `${lease.metadata.uid} ${mark.holderUID}/${mark.term}`
    if (mark.holderUID === undefined || named === this.#lastNamed) return
    this.#lastNamed = named
    const labelled = [...this.#labelled.keys()].join(', ')
    assert.equal(labelled, '', this.#at(version, `the Lease names ${mark.holderUID} while a pod bears the label`))
    const highest = Math.max(0, ...this.#named.keys())
    assert.ok(mark.term > highest, this.#at(version, `term ${mark.term} comes after term ${highest}`))
    this.#named.set(mark.term, mark.holderUID)
  }

  #followGroup({ metadata, status }: LeaderGroup, version: number): void {
    if (metadata.uid !== this.#groupUID) {
      // Another group of the same name counts anew: a term is promised to grow for as long as its group lives.
      this.#groupUID = metadata.uid
      this.#statusTerm = 0
      this.#named.clear()
    }
    const term = status?.term ?? 0
    assert.ok(term >= this.#statusTerm, this.#at(version, `status.term went from ${this.#statusTerm} to ${term}`))
    this.#statusTerm = term
    const highest = Math.max(0, ...this.#named.keys())
    assert.ok(term <= highest, this.#at(version, `status.term is ${term}, the Lease has named ${highest} at most`))
    if (status?.holderUID === undefined) return
    assert.equal(this.#named.get(term), status.holderUID, this.#at(version, `status names ${status.holder}`))
    assert.ok(parseTerm(String(status.term)), this.#at(version, 'status names a holder without a term'))
  }

  #at(version: number, what: string): string {
    return `group ${this.#name}, version ${version}: ${what}`
  }
}

function markOf(lease: Lease | undefined): string | undefined {
  return lease?.metadata.annotations?.[GATE_ANNOTATION]
}
