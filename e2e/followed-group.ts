/** A group in mode Observe, its pods, and the programs that elect in them. */
import assert from 'node:assert/strict'
import { systemClock } from '../src/clock.ts'
import type { LeaderGroup, LeaderGroupCondition } from '../src/group/leadergroup.ts'
import { type Lease, Leases, type Pod, Pods } from '../src/kube/objects.ts'
import { type Candidate, type CandidateOptions, type Candidates } from './candidates/candidate.ts'
import type { Timing } from './candidates/flags.ts'
import { untilRenewed } from './candidates/renewal.ts'
import { checkTerms } from './candidates/terms.ts'
import type { End } from './container-status.ts'
import { eventually } from './controlplane/eventually.ts'
import { must } from './controlplane/must.ts'
import { type FollowedTally, followedTally } from './followed-history.ts'
import { checkHistory } from './history.ts'
import { type Scene, isLabelled, stampOf, termOf } from './operator-scene.ts'
import { type PodSpec, createPod } from './pods.ts'

/** An expiry within a test, on a machine that is busy. */
export const BRIEF: Timing = { leaseDurationSeconds: 4, renewDeadlineSeconds: 3, retryPeriodSeconds: 0.5 }
/** No test waits for its end: who acquires such a Lease from another was let in. */
export const LASTING: Timing = { leaseDurationSeconds: 120, renewDeadlineSeconds: 90, retryPeriodSeconds: 0.5 }

/** For an expiry of a {@link BRIEF} Lease, or for a candidate that tries again. */
const FOLLOWING_MILLIS = 30_000

export interface Site {
  readonly scene: Scene
  readonly candidates: Candidates
}

/** A pod, and the process that elects in it. */
export interface Member {
  readonly pod: Pod
  readonly candidate: Candidate
}

export type MemberOptions = Partial<Omit<CandidateOptions, 'lease'>>

export class FollowedGroup {
  readonly name: string
  readonly leaseName: string
  readonly members: Member[] = []
  readonly #scene: Scene
  readonly #candidates: Candidates
  #pods = 0

  constructor({ scene, candidates }: Site, name: string) {
    this.name = name
    this.leaseName = `${name}-lock`
    this.#scene = scene
    this.#candidates = candidates
  }

  /** The LeaderGroup itself. It selects the pods with the label `app` of its name. */
  async create(spec: object = {}): Promise<this> {
    await this.#scene.createGroup(this.name, { mode: 'Observe', leaseName: this.leaseName, ...spec })
    return this
  }

  /** `<name>-<n>`, running and ready. */
  createPod(spec: Partial<PodSpec> = {}): Promise<Pod> {
    const name = `${this.name}-${this.#pods++}`
    const { namespace, api } = this.#scene
    return createPod(api, { namespace, name, labels: { app: this.name }, ...spec })
  }

  /** A pod with a process that contends. Its identity is `<pod name>_<pod UID>` unless told otherwise. */
  async join(options: MemberOptions = {}, spec: Partial<PodSpec> = {}): Promise<Member> {
    return this.contend(await this.createPod(spec), options)
  }

  /** In a pod that is there, also after its last process has died. */
  async contend(pod: Pod, options: MemberOptions = {}): Promise<Member> {
    const { name, uid } = pod.metadata
    const told = { kind: 'client-go', timing: BRIEF, identity: `${name}_${uid}`, ...options } as const
    const candidate = await this.#candidates.start({ ...told, lease: this.leaseName })
    const member = { pod, candidate }
    this.members.push(member)
    return member
  }

  /** The first member leads, and the operator knows; then the others contend. */
  async led(first: MemberOptions, others: readonly MemberOptions[], spec: Partial<PodSpec> = {}): Promise<Member> {
    const leader = await this.join(first, spec)
    await this.untilLed(leader.pod)
    for (const options of others) await (await this.join(options)).candidate.says('newLeader')
    return leader
  }

  /** Until exactly this pod bears the label, and status and Lease say the same. Resolves to its term. */
  async untilLed(pod: Pod): Promise<number> {
    const { name, uid } = pod.metadata
    const what = `${this.name}: ${name} bears the label`
    return eventually({ what, millis: FOLLOWING_MILLIS }, async () => {
      const [leader, ...others] = await this.#scene.leaders(this.name)
      if (leader?.metadata.uid !== uid || others.length > 0) return undefined
      const { status } = await this.group()
      const { spec } = await this.lease()
      const isAgreed =
        status?.holder === name && status.holderUID === uid && status.holderIdentity === spec?.holderIdentity
      return isAgreed && String(status.term) === termOf(leader, this.name) ? status.term : undefined
    })
  }

  /** Until another member leads, by its own word and by the label. */
  async untilNext(...than: readonly Member[]): Promise<Member> {
    const asking = eventually({ what: 'another leads', millis: FOLLOWING_MILLIS }, () =>
      Promise.resolve(this.members.find((member) => member.candidate.isLeading && !than.includes(member))),
    )
    const next = await asking.catch((cause: unknown) => {
      const said = this.members.map(({ candidate }) => `${candidate.identity}:\n${candidate.complaints()}`)
      throw new Error(`none of group ${this.name} leads:\n${said.join('\n')}`, { cause })
    })
    await this.untilLed(next.pod)
    return next
  }

  /** Until the condition says this, in such words; unless somebody leads, nobody bears the label then. */
  async untilSaid(status: 'True' | 'False', reason: string, words = /(?:)/): Promise<LeaderGroupCondition> {
    let said = ''
    const asking = eventually({ what: `Ready=${status} ${reason}`, millis: FOLLOWING_MILLIS }, async () => {
      const ready = (await this.group()).status?.conditions?.find(({ type }) => type === 'Ready')
      said = `${ready?.status} ${ready?.reason}: ${ready?.message}`
      return ready?.status === status && ready.reason === reason && words.test(ready.message) ? ready : undefined
    })
    const condition = await asking.catch((cause: unknown) => {
      throw new Error(`group ${this.name} is not Ready=${status} ${reason} ${words.source}, it says ${said}`, { cause })
    })
    if (status === 'False') assert.deepEqual(await this.#scene.leaders(this.name), [])
    return condition
  }

  /**
   * Resolves when the operator has seen all that was written to pods before, and acted on it: they come to it in one
   * stream, it enrols what it sees, and looks at a group again only after it has done what it decided on.
   */
  async passed(): Promise<void> {
    for (let round = 0; round < 2; round++) {
      const { metadata } = await this.createPod()
      await this.#scene.untilPod(metadata.name, 'enrolled', (pod) => stampOf(pod, this.name) !== undefined)
    }
  }

  /** Asserts that all that was shown before changes nothing: the label is where it was, and so is the Lease. */
  async stays({ pod }: Member, lease: Lease): Promise<void> {
    await this.passed()
    assert.equal(isLabelled(await this.#scene.pod(pod.metadata.name), this.name), true, `${this.name}: the label`)
    await this.isUntouched(lease)
  }

  async isUntouched(lease: Lease): Promise<void> {
    const { metadata, spec } = await this.lease()
    assert.equal(metadata.resourceVersion, lease.metadata.resourceVersion, `the Lease is now ${JSON.stringify(spec)}`)
  }

  /** Told to stop, it releases the Lease. */
  async leave({ candidate }: Member): Promise<void> {
    await this.untilRenewed()
    assert.equal(await candidate.stop(), 0)
  }

  /** The process dies, in a later second than that of its last renewal. What the kubelet could say of it. */
  async crash({ candidate }: Member): Promise<End & { readonly lease: Lease }> {
    await this.untilRenewed()
    candidate.pause()
    const second = (text: string | number): number => Math.floor(new Date(text).getTime() / 1000)
    const end = await eventually({ what: 'the next second', millis: 5_000 }, async () => {
      const lease = await this.lease()
      const wallMillis = systemClock.wallNow()
      return second(wallMillis) > second(lease.spec!.renewTime!) ? { wallMillis, lease } : undefined
    })
    await candidate.kill()
    return end
  }

  async deletePod({ pod }: Member, gracePeriodSeconds: number): Promise<void> {
    const { name, uid } = pod.metadata
    const options = { gracePeriodSeconds, preconditions: { uid } }
    must(await this.#scene.api.delete(Pods, { namespace: this.#scene.namespace, name }, options))
  }

  untilRenewed(): Promise<void> {
    return untilRenewed(this.#scene.api, { namespace: this.#scene.namespace, name: this.leaseName })
  }

  group(): Promise<LeaderGroup> {
    return this.#scene.group(this.name)
  }

  async lease(): Promise<Lease> {
    return must(await this.#scene.api.get(Leases, { namespace: this.#scene.namespace, name: this.leaseName }))
  }

  /** Never two leaders, by the API server's history and by the candidates' own. */
  async check(): Promise<FollowedTally> {
    checkTerms(this.members.map(({ candidate }) => candidate))
    const history = await this.#scene.observer.history()
    checkHistory(history, this.name)
    return followedTally(history, this.name, this.leaseName)
  }
}
