/** Waits for a leader of a group, ends it in the way that comes next in its plan, and makes the group whole again; for ever. */
import { LEADER_ROLE, INELIGIBLE_ANNOTATION, groupKeys } from '../../src/group/keys.ts'
import { type Pod, Pods } from '../../src/kube/objects.ts'
import type { AssignEnding, Ending, ObserveEnding } from './faults.ts'
import type { GroupPlan } from './group-plan.ts'
import { type Member, PAST_LEASE_MILLIS } from './member.ts'
import { persist, rest, settled } from './persist.ts'
import { endingsOf } from './plan.ts'
import { bear, finish, remove, showReady } from './pod-life.ts'
import type { World } from './world.ts'

/** For one that has not seen the other die: a process outlives its pod's object by as much. */
const LINGERING_MILLIS = 2_000
const GRACE_MILLIS = 300
/** Somebody follows within this, or nobody can for now. */
const FOLLOWED_MILLIS = 8_000

export interface Ended {
  readonly group: string
  readonly uid: string
  readonly ending: Ending
}

export class EndLeaders {
  readonly #world: World
  readonly #group: GroupPlan
  readonly #endings: ReturnType<typeof endingsOf>
  readonly #tell: (ended: Ended) => void
  #names: number

  constructor(world: World, group: GroupPlan, tell: (ended: Ended) => void) {
    this.#world = world
    this.#group = group
    this.#endings = endingsOf(group)
    this.#tell = tell
    this.#names = group.members.length
  }

  /** Until the storm is over; the group is whole then. */
  async goOn(storm: AbortSignal): Promise<void> {
    while (!storm.aborted) {
      const { ending, breathMillis } = this.#endings.next().value!
      const found = await this.#world.witness.until(() => this.#leader(), storm).catch(over(storm))
      if (!found) return
      await rest(breathMillis, storm)
      if (storm.aborted) return
      // It may have lost the lead meanwhile; the plan's next ending is for the next leader then.
      const { pod, member } = found
      if (member.isBusy || this.#leader()?.pod.metadata.uid !== pod.metadata.uid) continue
      member.isBusy = true
      this.#tell({ group: this.#group.name, uid: pod.metadata.uid, ending })
      try {
        await this.#end(ending, member, pod, storm)
      } finally {
        member.isBusy = false
      }
    }
  }

  #leader(): { readonly pod: Pod; readonly member: Member } | undefined {
    const { role } = groupKeys(this.#group.name)
    for (const member of this.#world.membersOf(this.#group.name)) {
      const pod = this.#world.witness.pods.get(member.name)
      if (pod?.metadata.labels?.[role] === LEADER_ROLE && pod.metadata.uid === member.pod?.metadata.uid) {
        return { pod, member }
      }
    }
    return undefined
  }

  #end(ending: Ending, member: Member, pod: Pod, storm: AbortSignal): Promise<void> {
    return this.#group.mode === 'Assign'
      ? this.#endAssigned(ending as AssignEnding, member, pod, storm)
      : this.#endElected(ending as ObserveEnding, member, storm)
  }

  async #endAssigned(ending: AssignEnding, member: Member, pod: Pod, storm: AbortSignal): Promise<void> {
    const { api, signal } = this.#world
    switch (ending) {
      case 'deleted by force, same name':
        await remove(api, pod, signal, 0)
        return this.#replace(member, member.name)
      case 'deleted by force, another name':
        await remove(api, pod, signal, 0)
        return this.#replace(member, `${this.#group.name}-${this.#names++}`)
      case 'deleted':
        await remove(api, pod, signal)
        await rest(GRACE_MILLIS, signal)
        await finish(api, pod, signal)
        return this.#replace(member, member.name)
      case 'not ready for a while':
        await showReady(api, pod, false, signal)
        await this.#followed(pod, storm)
        return showReady(api, pod, true, signal)
      case 'declared ineligible':
        await this.#annotate(pod, 'true')
        await this.#followed(pod, storm)
        return this.#annotate(pod, null)
    }
  }

  async #endElected(ending: ObserveEnding, member: Member, storm: AbortSignal): Promise<void> {
    const { signal } = this.#world
    switch (ending) {
      case 'steps down':
        await member.stop()
        await this.#followed(member.pod!, storm)
        return member.revive()
      case 'crashes':
        await member.crash()
        await rest(GRACE_MILLIS, signal)
        return member.revive()
      case 'paused past its Lease':
        member.pause()
        await rest(PAST_LEASE_MILLIS, storm)
        return member.resume()
      case 'cut off past its Lease':
        member.line!.begin({ kind: 'dead', ways: ['up', 'down'] })
        await rest(PAST_LEASE_MILLIS, storm)
        return member.line!.lift()
      case 'pod deleted':
        await member.leave()
        return member.live()
      case 'pod deleted by force while it runs': {
        const endOld = await member.vanish()
        const lingering = rest(LINGERING_MILLIS, signal).then(endOld)
        await member.live()
        return lingering
      }
    }
  }

  async #replace(member: Member, name: string): Promise<void> {
    const { api, namespace, signal } = this.#world
    const before = member.pod!.metadata.uid
    member.name = name
    member.pod = await bear(api, { namespace, name, app: this.#group.name }, signal, before)
  }

  /** Another one bears the label, or nobody does in time. */
  async #followed(pod: Pod, storm: AbortSignal): Promise<void> {
    const limit = AbortSignal.any([storm, AbortSignal.timeout(FOLLOWED_MILLIS)])
    const another = (): true | undefined => {
      const found = this.#leader()
      return found && found.pod.metadata.uid !== pod.metadata.uid ? true : undefined
    }
    await this.#world.witness.until(another, limit).catch(over(limit))
  }

  async #annotate(pod: Pod, value: string | null): Promise<void> {
    const { api, signal } = this.#world
    const { namespace = '', name, uid } = pod.metadata
    const metadata = { uid, annotations: { [INELIGIBLE_ANNOTATION]: value } }
    await persist(signal, () => settled(api.mergePatch(Pods, { namespace, name }, { metadata })))
  }
}

/** What the signal ends is no error. */
function over(signal: AbortSignal): (error: unknown) => undefined {
  return (error) => {
    if (!signal.aborted) throw error
    return undefined
  }
}
