import type { LeaderGroup } from '../../group/leadergroup.ts'
import type { KubeObject, Lease, Pod } from '../../kube/objects.ts'
import type { Fact, Process } from './facts.ts'
import { isObserved, leaseNameOf } from './gate.ts'
import type { Locks } from './locks.ts'
import { isMatched } from './matched.ts'
import type { Invariant, Missing, Report } from './rule.ts'
import { durationMillis, type Renewal, unsettled } from './settled.ts'
import { keysOf, MARK_KEY, refOf } from './wire.ts'
import type { Group, KeysChange, Step, World } from './world.ts'

export interface Bounds {
  /**
   * Within so much true time a group that nobody disturbs, in a world without faults, is as it should be. The handbook's
   * 2·D + 5 s are of faults that are noticed at once: a watch that went silent is given up after 90 s.
   */
  readonly recoveryMillis: number
  /**
   * The same where no fault was there for so long: within so much true time after the last disturbance of the group itself.
   * @default recoveryMillis
   */
  readonly reactionMillis?: number
  /** The rate of the slowest clock of an operator: what an operator waits for takes longer by it. */
  readonly slowestRate: number
}

/** Whoever takes or deletes a Lease again and again is answered ever later, up to this; forgotten after ten minutes. */
const LONGEST_TAKE_BACK_MILLIS = 60_000
const FORGOTTEN_MILLIS = 600_000
/** No clock goes faster. */
const FASTEST_RATE = 2

/**
 * L1, with it I11 and the last part of I6: once faults stop, each group comes to rest as it should be, and stays so.
 *
 * While no fault is told and an operator runs, a group that nobody but operators has disturbed for the bound has exactly one labelled pod, which could lead, if any could; gate, status, the
 * leader's Services and the role of the others agree with it; labels and gates of strangers are put right; nothing is left of
 * a group that is gone. So no event was lost on whose account something should have been done (I11): what is judged
 * is the level, not the edge. It takes longer, by what was asked for, where `notReadySeconds` is set or a stranger has taken
 * the Lease again and again.
 *
 * In mode Observe the label is demanded while the Lease is held by a process that is known to run, and forbidden when nobody
 * renews it for its duration and the bound beyond.
 *
 * L4: what others do to other groups gives no group more time.
 *
 * I14: a group that has come to rest so is not written to: no operator changes its pods' keys, its gate, its status or its
 * Services before something of it changes. Renewals of a followed Lease are no change.
 */
export class Liveness implements Invariant {
  readonly #world: World
  readonly #locks: Locks
  readonly #report: Report
  readonly #bounds: Bounds
  readonly #faults = new Set<string>()
  readonly #operators = new Set<string>()
  #calmAt: number | undefined
  /** When each group was last disturbed and not judged since, the longest ago first. */
  readonly #disturbed = new Map<string, number>()
  /** Groups that were found at rest. */
  readonly #resting = new Set<string>()
  /** By group: when a stranger last wrote or deleted its Lease. */
  readonly #takenAt = new Map<string, number>()
  #nextDue = Infinity

  constructor(world: World, locks: Locks, bounds: Bounds, report: Report) {
    this.#world = world
    this.#locks = locks
    this.#bounds = bounds
    this.#report = report
  }

  /** Nothing has happened since the last fact, and nothing will until then. */
  reach(at: number): void {
    if (this.#calmAt === undefined || at < this.#nextDue) return
    this.#nextDue = Infinity
    for (const [ref, since] of this.#disturbed) {
      const group = this.#world.groups.get(ref)!
      const due = this.#dueAt(group, since)
      if (due > at) this.#nextDue = Math.min(this.#nextDue, due)
      else this.#judge(group, due)
    }
  }

  hear(fact: Fact): void {
    if (fact.kind === 'fault') {
      if (fact.active) this.#faults.add(fact.fault)
      else this.#faults.delete(fact.fault)
      this.#unsettleAll(fact.at)
    } else if (fact.kind === 'process') this.#followProcess(fact)
  }

  #followProcess({ process, role, runs, at }: Process): void {
    if (role === 'operator') {
      if (runs) this.#operators.add(process)
      else this.#operators.delete(process)
      return this.#unsettleAll(at)
    }
    // Its Lease will expire, or be renewed by it, without a word.
    const lock = this.#world.processes.get(process)?.elector?.lock
    for (const group of this.#world.groups.values()) {
      if (group.object && isObserved(group.object) && lockOf(group) === lock) this.#disturb(group, at)
    }
  }

  commit(step: Step): void {
    const { fact, author } = step
    if (author === 'operator') return this.#judgeQuiet(step)
    const { resource, before, after, at } = fact
    const object = (after ?? before)!
    if (resource === 'nodes') return this.#unsettleAll(at)
    if (resource === 'leases' && isRenewal(before, after)) return
    for (const group of this.#world.groupsIn(object.metadata.namespace ?? '')) {
      if (!concerns(group, resource, before, after)) continue
      if (resource === 'leases' && author === 'stranger') this.#takenAt.set(group.ref, at)
      this.#disturb(group, at)
    }
  }

  #disturb(group: Group, at: number): void {
    this.#resting.delete(group.ref)
    this.#disturbed.set(group.ref, at)
    this.#nextDue = Math.min(this.#nextDue, this.#dueAt(group, at))
  }

  #unsettleAll(at: number): void {
    this.#calmAt = this.#faults.size === 0 && this.#operators.size > 0 ? at : undefined
    for (const group of this.#world.groups.values()) this.#disturb(group, at)
  }

  #dueAt(group: Group, since: number): number {
    if (this.#calmAt === undefined) return Infinity
    const { recoveryMillis, reactionMillis = recoveryMillis, slowestRate } = this.#bounds
    const { notReadySeconds = 0 } = group.object?.spec.failover ?? {}
    const takenAt = this.#takenAt.get(group.ref) ?? -Infinity
    const takesBack = since - takenAt < FORGOTTEN_MILLIS ? LONGEST_TAKE_BACK_MILLIS : 0
    const due = Math.max(since + reactionMillis, this.#calmAt + recoveryMillis)
    return due + (notReadySeconds * 1000 + takesBack) / slowestRate
  }

  #judge(group: Group, at: number): void {
    this.#disturbed.delete(group.ref)
    this.#resting.add(group.ref)
    const renewal = this.#renewal(group, at)
    const wrong = unsettled(this.#world, group, renewal)
    if (wrong !== undefined) this.#report('L1', group.ref, wrong)
  }

  missing(at: number): readonly Missing[] {
    return [...this.#world.groups.values()].flatMap((group) => {
      const text = unsettled(this.#world, group, this.#renewal(group, at))
      return text === undefined ? [] : [{ rule: 'L1', subject: group.ref, text }]
    })
  }

  #renewal(group: Group, at: number): Renewal | undefined {
    const lease = this.#followed(group)
    const lock = lease && this.#locks.find(refOf(lease))
    if (lock?.recordAt === undefined) return undefined
    const silentMillis = at - lock.recordAt
    const isAlive = this.#locks.electorsOf(lock.ref).some(({ elector }) => {
      return elector?.identity === lease?.spec?.holderIdentity
    })
    return { silentMillis, isAlive, expiresMillis: durationMillis(lease!) / this.#bounds.slowestRate }
  }

  #followed(group: Group): Lease | undefined {
    return group.object && isObserved(group.object) ? this.#world.leases.get(lockOf(group)!) : undefined
  }

  /** Who was asked to stop, or hangs, lets its Lease expire: that is news, and no fact. */
  #isExpiring(ref: string, at: number): boolean {
    const group = this.#world.groups.get(ref)
    const lease = group && this.#followed(group)
    const recordAt = lease && this.#locks.find(refOf(lease))?.recordAt
    return lease !== undefined && at - (recordAt ?? -Infinity) > durationMillis(lease) / FASTEST_RATE
  }

  #judgeQuiet({ fact, keys, gates }: Step): void {
    const { resource, before, after, by } = fact
    const object = (after ?? before)!
    // A pod that groups share bears the keys of all; what is written are those of one.
    const written = new Set(keys.filter(isWritten).map(({ group }) => group.ref))
    for (const { group } of gates) written.add(group.ref)
    if (resource === 'leadergroups') written.add(refOf(object))
    const made = object.metadata.labels?.['leadergroup.io/group']
    if (made !== undefined) written.add(`${object.metadata.namespace}/${made}`)
    for (const ref of written) {
      if (!this.#resting.has(ref) || this.#isExpiring(ref, fact.at)) continue
      this.#report('I14', ref, `${by} wrote ${resource} ${object.metadata.name} of a group at rest`)
    }
  }
}

function isWritten({ was, is }: KeysChange): boolean {
  return was.role !== is.role || was.term !== is.term || was.sealed !== is.sealed
}

function lockOf({ object, namespace }: Group): string | undefined {
  return object && `${namespace}/${leaseNameOf(object)}`
}

/** It says something about the group. */
function concerns(
  group: Group,
  resource: string,
  before: KubeObject | undefined,
  after: KubeObject | undefined,
): boolean {
  const { name } = (after ?? before)!.metadata
  switch (resource) {
    case 'pods':
      return [before, after].some((pod) => pod !== undefined && isOfGroup(pod, group))
    case 'leadergroups':
      return name === group.name
    case 'leases':
      return name === (group.object ? leaseNameOf(group.object) : group.name)
    case 'services':
    case 'endpointslices':
      return group.specs.some(({ services = [] }) => services.some((service) => name.startsWith(service.name)))
    default:
      return false
  }
}

function isOfGroup(pod: Pod, { name, specs }: Group): boolean {
  const { role, term, sealed } = keysOf(pod, name)
  if (role !== undefined || term !== undefined || sealed !== undefined) return true
  const spec: LeaderGroup['spec'] | undefined = specs[0]
  return spec !== undefined && isMatched(spec.selector, pod.metadata.labels)
}

function isRenewal(before: Lease | undefined, after: Lease | undefined): boolean {
  return (
    before !== undefined &&
    after !== undefined &&
    before.spec?.holderIdentity === after.spec?.holderIdentity &&
    before.spec?.leaseTransitions === after.spec?.leaseTransitions &&
    before.spec?.acquireTime === after.spec?.acquireTime &&
    before.spec?.leaseDurationSeconds === after.spec?.leaseDurationSeconds &&
    before.metadata.annotations?.[MARK_KEY] === after.metadata.annotations?.[MARK_KEY]
  )
}
