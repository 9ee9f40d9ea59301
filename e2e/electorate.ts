/** Pods that elect among themselves: an elector of this library for each, in this process, that dies when it is told to. */
import { systemClock } from '../src/clock.ts'
import type { Api } from '../src/kube/api.ts'
import { Leases, type Pod } from '../src/kube/objects.ts'
import { abortOf } from '../src/lock/abort-of.ts'
import { Elector } from '../src/lock/elector.ts'
import { leaseLock } from '../src/lock/lease-lock.ts'
import type { Lock } from '../src/lock/lock.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'

/** Short, for a dead one is replaced when its Lease expires. */
const TIMING = { leaseDurationSeconds: 2, renewDeadlineSeconds: 1.5, retryPeriodSeconds: 0.3 }

interface Member {
  readonly stop: AbortController
  readonly ended: Promise<unknown>
  isDead: boolean
}

export class Electorate implements AsyncDisposable {
  readonly #api: Api
  readonly #lease: string
  /** By UID of the pod. */
  readonly #members = new Map<string, Member>()

  constructor(api: Api, lease: string) {
    this.#api = api
    this.#lease = lease
  }

  /** The process in this pod begins to contend. */
  join(pod: Pod): void {
    const { uid, namespace = '' } = pod.metadata
    const lock = leaseLock(this.#api, { name: this.#lease, namespace, clock: systemClock, random: Math.random })
    const stop = new AbortController()
    const member: Member = { stop, isDead: false, ended: Promise.resolve() }
    const elector = new Elector({
      ...TIMING,
      lock: mortal(lock, member),
      identity: identityOf(pod),
      // It contends again by itself. What a dead one cannot do is no fault either.
      onError: () => undefined,
    })
    const ended = elector.lead(({ signal }) => abortOf(signal), { signal: stop.signal })
    this.#members.set(uid, Object.assign(member, { ended }))
  }

  /** Ends gracefully: the Lease is released. */
  async leave(uid: string): Promise<void> {
    const member = this.#members.get(uid)
    this.#members.delete(uid)
    member?.stop.abort(new Error('it was asked to stop'))
    await member?.ended
  }

  /** Lets another one lead, and contends again after that. */
  async giveWay(pod: Pod): Promise<void> {
    const { uid, namespace = '' } = pod.metadata
    await this.leave(uid)
    await eventually({ what: `${namespace}: another one holds Lease ${this.#lease}`, intervalMillis: 20 }, async () => {
      const { spec } = must(await this.#api.get(Leases, { namespace, name: this.#lease }))
      return spec?.holderIdentity && spec.holderIdentity !== identityOf(pod) ? true : undefined
    })
    this.join(pod)
  }

  /** Dies: not a request more. */
  async kill(uid: string): Promise<void> {
    const member = this.#members.get(uid)
    if (member) member.isDead = true
    await this.leave(uid)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#members.keys()].map((uid) => this.leave(uid)))
  }
}

function identityOf({ metadata: { name, uid } }: Pod): string {
  return `${name}_${uid}`
}

function mortal(lock: Lock, member: Member): Lock {
  const alive = (): Lock => {
    if (member.isDead) throw new Error('it is dead')
    return lock
  }
  return {
    describe: lock.describe,
    read: async (signal) => alive().read(signal),
    write: async (next, version, signal) => alive().write(next, version, signal),
    watch: (signal) => lock.watch!(signal),
  }
}
