import { LeaderGroups } from '../../operator/resources.ts'
import type { LeaderGroup } from '../../group/leadergroup.ts'
import { Leases, type LeaseSpec } from '../../kube/objects.ts'
import { ApiServer } from '../apiserver.ts'
import { VirtualClock } from '../clock.ts'
import { findResourceType } from '../resource-types.ts'
import type { Bounds } from '../invariants/liveness.ts'
import type { Revision } from '../store.ts'
import { Board } from './board.ts'
import { elected, OVERTAKEN } from './coverage.ts'
import { Dice } from './dice.ts'
import { Hands } from './hands.ts'
import { Lookout } from './lookout.ts'
import { Network } from './network.ts'
import { OperatorProcess, OPERATORS_LEASE } from './operator-process.ts'
import { Outages } from './outages.ts'
import type { GroupPlan, OperatorRole, Plan } from './plan.ts'
import { Slot } from './slot.ts'
import { toldRevision } from './told-revision.ts'
import type { Stage } from './stage.ts'
import type { State } from './state.ts'
import { Trace } from './trace.ts'
import { Witness } from './witness.ts'

/** All actors of one run. */
export class World implements Stage {
  readonly plan: Plan
  readonly seed: number
  readonly world = new VirtualClock()
  readonly api = new ApiServer(this.world)
  readonly network: Network
  readonly trace: Trace
  readonly witness: Witness
  readonly outages: Outages
  readonly lookout = new Lookout((group) => this.#stateOf(group))
  readonly user = new Hands(this.api, 'user')
  readonly boards: readonly Board[]
  readonly slots: readonly Slot[]
  readonly operators: readonly OperatorProcess[]
  /** Processes that ended although they must not. */
  readonly reached = new Set<string>()
  readonly faults: { readonly who: string; readonly error: unknown }[] = []

  constructor(plan: Plan, { isTold, bounds }: { readonly isTold: boolean; readonly bounds: Bounds }) {
    this.plan = plan
    this.witness = new Witness(() => this.world.now(), bounds)
    this.outages = new Outages(this.witness)
    this.seed = plan.seed
    this.trace = new Trace(isTold)
    this.network = new Network(this.api, this.world, new Dice(`${plan.seed}/network`), plan.network)
    this.network.onOvertaken = () => this.reach(OVERTAKEN)
    this.boards = plan.groups.map(({ name }) => new Board(name))
    this.slots = plan.slots.map((slot, index) => new Slot(slot, this, index))
    this.operators = plan.operators.map((operator) => new OperatorProcess(operator, this))
    this.api.onCommit((revision) => this.#committed(revision))
  }

  begin(): void {
    for (const { name } of this.plan.groups) this.createGroup(name)
    for (const slot of this.slots) slot.create()
    for (const operator of this.operators) operator.start()
  }

  reach(what: string): void {
    this.reached.add(what)
  }

  /** A fault strikes: in which state it finds each group. */
  reachFault(fault: string, only: string | undefined): void {
    for (const { name, mode } of this.plan.groups) {
      if (only === undefined || only === name) this.reach(`${fault} × ${mode}, ${this.#stateOf(name)}`)
    }
  }

  /** Undefined: a plan that was made shorter may lack the group. */
  #stateOf(group: string): State | undefined {
    const board = this.#boardOf(group)
    if (!board) return undefined
    const { leaderUid } = board
    const holder = this.user.find(LeaderGroups, group)?.status?.holderUID
    if (leaderUid === undefined) return holder === undefined ? 'leaderless' : 'moving'
    return holder === leaderUid ? 'led' : 'moving'
  }

  #boardOf(group: string): Board | undefined {
    return this.boards.find((board) => board.group === group)
  }

  /** The UID of the pod that leads the group; while none does, of the one that its gate names, which is about to. */
  #leaderOf({ name, mode }: GroupPlan): string | undefined {
    const leaderUid = this.#boardOf(name)?.leaderUid
    if (leaderUid !== undefined) return leaderUid
    if (mode === 'Observe') return this.user.find(LeaderGroups, name)?.status?.holderUID
    return this.user.find(Leases, name)?.spec?.holderIdentity?.split('_').at(-1)
  }

  createGroup(name: string): void {
    const { spec } = this.plan.groups.find((group) => group.name === name)!
    this.user.create(LeaderGroups, {
      apiVersion: 'leadergroup.io/v1alpha1',
      kind: 'LeaderGroup',
      metadata: { name },
      spec,
    })
  }

  /** Names of the slices that an operator made for the group. */
  slicesOf(group: string): readonly string[] {
    const slices = new Set<string>()
    for (const { resource, object } of this.api.history) {
      if (resource.kind !== 'EndpointSlice') continue
      if (object.metadata.labels?.['leadergroup.io/group'] === group) slices.add(object.metadata.name)
    }
    return [...slices]
  }

  fault(who: string, error: unknown): void {
    this.faults.push({ who, error })
  }

  /** All that do what the role says, at this moment. */
  operatorsOf(which: OperatorRole): readonly OperatorProcess[] {
    if (which === 'all') return this.operators
    const acting = this.operators.find(({ identity }) => identity === this.#operatorsHolder()) ?? this.operators[0]
    const found = which === 'acting' ? acting : (this.operators.find((each) => each !== acting) ?? acting)
    return found ? [found] : []
  }

  /** The slots whose pods lead a group or are about to, or the others. */
  slotsOf(which: 'holders' | 'followers'): readonly Slot[] {
    const leaders = new Set(this.plan.groups.map((group) => this.#leaderOf(group)))
    return this.slots.filter(({ podUid }) => leaders.has(podUid) === (which === 'holders'))
  }

  /** The slot of the pod that leads the group or is about to, or one of the others. */
  slotOf(group: string, who: 'leader' | 'other'): Slot | undefined {
    const plan = this.plan.groups.find(({ name }) => name === group)
    const leader = plan && this.#leaderOf(plan)
    return this.slotsIn(group).find(({ podUid }) => podUid !== undefined && (podUid === leader) === (who === 'leader'))
  }

  slotsIn(group: string): readonly Slot[] {
    return this.slots.filter(({ plan }) => plan.groups.includes(group))
  }

  later(millis: number, run: () => void): void {
    this.world.timer(this.world.now() + millis, run)
  }

  #operatorsHolder(): string | null | undefined {
    const type = findResourceType(Leases.group, Leases.version, Leases.plural)!
    const lease = this.api.find(type, OPERATORS_LEASE.namespace, OPERATORS_LEASE.name)
    return (lease?.['spec'] as { readonly holderIdentity?: string | null } | undefined)?.holderIdentity
  }

  #committed(revision: Revision): void {
    const { type, resource, object, user } = revision
    const { namespace, name } = object.metadata
    this.trace.fact(`${this.world.now()} ${revision.revision} ${user} ${type} ${resource.plural} ${namespace} ${name}`)
    this.witness.committed(revision)
    this.trace.tell(this.world.now(), user, () => toldRevision(revision))
    this.#cover(revision)
    if (resource.kind === 'Lease') for (const { candidate } of this.slots) candidate?.tell(name)
    if (resource.kind === 'Pod') {
      for (const board of this.boards) board.committed(revision)
      for (const slot of this.slots) slot.committed(revision)
    }
    this.lookout.look()
  }

  #cover({ resource, object, previous, user, type }: Revision): void {
    if (resource.kind === 'LeaderGroup') {
      const { conditions } = (object as unknown as LeaderGroup).status ?? {}
      for (const { type: of, reason } of conditions ?? []) if (of === 'Ready') this.reach(`condition ${reason}`)
    }
    if (resource.kind !== 'Lease' || type === 'DELETED') return
    const candidate = this.slots.find((slot) => slot.candidate?.process === user)?.candidate
    if (!candidate) return
    const [before, after] = [previous?.['spec'], object['spec']] as (LeaseSpec | undefined)[]
    this.reach(elected(before, after, candidate.identity))
  }
}
