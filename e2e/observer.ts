/** What the store of a namespace held, as one observer saw it on connections of its own. */
import { sleepUntil, systemClock } from '../src/clock.ts'
import { Api } from '../src/kube/api.ts'
import { frames } from '../src/kube/frames.ts'
import { type KubeObject, Leases, Pods, type Resource } from '../src/kube/objects.ts'
import type { UndiciTransport } from '../src/kube/undici.ts'
import { MalformedEvent, parseEvent } from '../src/kube/watch-event.ts'
import { LeaderGroups } from '../src/operator/resources.ts'
import type { Cluster } from './controlplane/cluster.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import type { Change } from './history.ts'

const WATCHED = { pod: Pods, lease: Leases, group: LeaderGroups }
type Kind = keyof typeof WATCHED

/** Longer than any test: the server ends no watch in the middle of one, and when it does, it is resumed. */
const WATCH_SECONDS = 600

/** Of all that was written in one namespace since it began to look. */
export interface Witness extends AsyncDisposable {
  history(): Promise<readonly Change[]>
}

/** Records every event of one namespace from now on. Dispose of it, or its watches stay open. */
export async function observe(cluster: Cluster, namespace: string): Promise<Observer> {
  // On its own connections: neither the operators' trouble nor the test's own requests can hold it up.
  const transport = cluster.transport(cluster.plane.adminToken, 'leadergroup-e2e-observer')
  const observer = new Observer(new Api(transport, systemClock), transport, namespace)
  await observer.begin()
  return observer
}

export class Observer implements Witness {
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
        const outcome = await this.#api.openWatch(resource, options)
        if (outcome.kind !== 'ok') throw new Hole(outcome.message)
        for await (const frame of frames(outcome.object.body)) {
          const event = parseEvent<KubeObject>(`the watch of ${kind}s`, frame)
          if (event.type === 'ERROR') throw new Hole(event.text)
          resourceVersion = event.object.metadata.resourceVersion
          if (event.type !== 'BOOKMARK') this.#add(kind, event.object, event.type === 'DELETED')
        }
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof Hole || error instanceof MalformedEvent) throw error
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
