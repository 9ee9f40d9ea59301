/** Carries out a plan's faults, each for its time and side by side; when the storm is over all of them are lifted. */
import type { KubeObject, Resource } from '../../src/kube/objects.ts'
import { ApiError } from '../../src/kube/outcome.ts'
import type { Server } from '../controlplane/server.ts'
import { compactTo } from '../store-stream.ts'
import type { Fault, FaultKind } from './faults.ts'
import { type Hands, HAND_FAULTS, isHandFault } from './hands.ts'
import type { Accident, Line, Trouble } from './line.ts'
import { type Member, idle } from './member.ts'
import { type Replica, byRank } from './operators.ts'
import { chosen, persist, rest, settled } from './persist.ts'
import type { Round } from './plan.ts'
import type { World } from './world.ts'

const ClusterRoles: Resource<Role> = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterroles',
  kind: 'ClusterRole',
}
const OPERATOR_ROLE = { name: 'leadergroup-manager-role' }
/** The longest delay of a slow line. */
const SLOW_MILLIS = 1_500

interface Role extends KubeObject {
  readonly rules?: readonly unknown[]
}

/** `missed`: there was nobody to hit, or the API server was not there to do it with. */
export type Told = (fault: Fault, what: 'begins' | 'ends' | 'missed') => void

export class Injector {
  readonly #world: World
  readonly #hands: Hands
  readonly #tell: Told
  readonly #busy = new Set<Server>()
  /** Faults that go on. */
  readonly active = new Map<FaultKind, number>()

  constructor(world: World, hands: Hands, tell: Told) {
    this.#world = world
    this.#hands = hands
    this.#tell = tell
  }

  /** Resolves when the last fault is over; when the signal aborts, all are lifted at once. */
  async rage({ faults }: Round, signal: AbortSignal): Promise<void> {
    const beginning = performance.now()
    const under: Promise<void>[] = []
    for (const fault of faults) {
      await rest(fault.atMillis - (performance.now() - beginning), signal)
      if (signal.aborted) break
      under.push(this.#carryOut(fault, signal))
    }
    await Promise.all(under)
    for (const line of this.#world.lines) line.lift()
  }

  async #carryOut(fault: Fault, signal: AbortSignal): Promise<void> {
    const { kind } = fault
    this.active.set(kind, (this.active.get(kind) ?? 0) + 1)
    try {
      const hit = await this.#hit(fault, signal)
      this.#tell(fault, hit ? 'ends' : 'missed')
    } catch (error) {
      if (!(error instanceof ApiError) || this.#world.signal.aborted) throw error
      this.#tell(fault, 'missed')
    } finally {
      this.active.set(kind, this.active.get(kind)! - 1)
    }
  }

  /** Resolves, when it is over, to whether it hit anybody. */
  async #hit(fault: Fault, signal: AbortSignal): Promise<boolean> {
    const { kind, millis } = fault
    if (isHandFault(kind)) return HAND_FAULTS[kind](this.#hands, fault, signal)
    const { etcd, apiserver } = this.#world.cluster.plane.processes
    switch (kind) {
      case 'operator killed':
        return this.#replicas(fault, 1, (each) => killed(each, millis, signal))
      case 'operators killed':
        return this.#replicas(fault, 2, (each) => killed(each, millis, signal))
      case 'operator paused':
      case 'operator blinks':
        return this.#replicas(fault, 1, (each) => paused(each, millis, signal))
      case 'candidate killed':
        return this.#member(fault, async (member) => {
          await member.crash()
          await rest(millis, signal)
          await member.revive()
        })
      case 'candidate paused':
        return this.#member(fault, async (member) => {
          member.pause()
          await rest(millis, signal)
          member.resume()
        })
      case 'API server killed':
        return this.#server(apiserver, () => this.#kill(apiserver, millis, signal))
      case 'etcd killed':
        return this.#server(etcd, () => this.#kill(etcd, millis, signal))
      case 'API server paused':
        return this.#server(apiserver, () => pauseServer(apiserver, millis, signal))
      case 'etcd paused':
        return this.#server(etcd, () => pauseServer(etcd, millis, signal))
      case 'history compacted':
        return this.#server(apiserver, () => this.#compact(signal))
      case 'line slow':
        return this.#trouble(fault, { kind: 'slow', millis: 20 + fault.how * SLOW_MILLIS }, signal)
      case 'line stalls':
        return this.#trouble(fault, { kind: 'stall' }, signal)
      case 'line dead both ways':
        return this.#trouble(fault, { kind: 'dead', ways: ['up', 'down'] }, signal)
      case 'line dead towards the server':
        return this.#trouble(fault, { kind: 'dead', ways: ['up'] }, signal)
      case 'line dead from the server':
        return this.#trouble(fault, { kind: 'dead', ways: ['down'] }, signal)
      case 'line refuses':
        return this.#trouble(fault, { kind: 'refuse' }, signal)
      case 'line reset': {
        const line = this.#line(fault)
        line?.reset()
        return line !== undefined
      }
      case 'answer cut':
        return this.#accident(fault, 'cut', signal)
      case 'answer lost':
        return this.#accident(fault, 'lose answer', signal)
      case 'permissions gone':
        return this.#forbid(millis, signal)
    }
  }

  /** The acting one more often than the other. */
  async #replicas({ whom }: Fault, count: number, hit: (replica: Replica) => Promise<void>): Promise<boolean> {
    const ranked = await byRank(this.#world.api, this.#world.replicas)
    const inOrder = whom < 0.7 ? ranked : ranked.toReversed()
    const targets = inOrder.filter(({ isBusy }) => !isBusy).slice(0, count)
    for (const each of targets) each.isBusy = true
    await Promise.all(targets.map((each) => hit(each).finally(() => (each.isBusy = false))))
    return targets.length > 0
  }

  async #member({ whom }: Fault, hit: (member: Member) => Promise<void>): Promise<boolean> {
    const member = chosen(
      idle(this.#world.members).filter(({ kind }) => kind !== 'nothing'),
      whom,
    )
    if (!member) return false
    member.isBusy = true
    try {
      await hit(member)
    } finally {
      member.isBusy = false
    }
    return true
  }

  /** Those of the operators are half of all that are hit. */
  #line({ whom, how }: Fault): Line | undefined {
    const lines = how < 0.5 ? this.#world.replicas.map(({ line }) => line) : this.#world.lines
    return chosen(
      lines.filter(({ isTroubled }) => !isTroubled),
      whom,
    )
  }

  async #trouble(fault: Fault, trouble: Trouble, signal: AbortSignal): Promise<boolean> {
    const line = this.#line(fault)
    if (!line) return false
    line.begin(trouble)
    await rest(fault.millis, signal)
    line.lift()
    return true
  }

  /** It happens if there is traffic in time. */
  async #accident(fault: Fault, accident: Accident, signal: AbortSignal): Promise<boolean> {
    const line = this.#line(fault)
    if (!line) return false
    const before = line.happened
    line.expect(accident)
    await rest(fault.millis, signal)
    line.lift()
    return line.happened > before
  }

  async #server(server: Server, hit: () => Promise<void>): Promise<boolean> {
    if (this.#busy.has(server)) return false
    this.#busy.add(server)
    try {
      await hit()
    } finally {
      this.#busy.delete(server)
    }
    return true
  }

  async #kill(server: Server, millis: number, signal: AbortSignal): Promise<void> {
    await server.kill()
    await rest(millis, signal)
    await this.#restart(server)
  }

  /** It is ready only with an etcd, which may be paused or dead for a while longer. */
  async #restart(server: Server): Promise<void> {
    await server.start(this.#world.signal)
  }

  async #compact(signal: AbortSignal): Promise<void> {
    const { witness, cluster } = this.#world
    const { apiserver } = cluster.plane.processes
    await apiserver.kill()
    try {
      // Without an API server nothing is written: what is seen now is all that there is.
      await witness.caughtUp(AbortSignal.any([signal, AbortSignal.timeout(5_000)]))
      await compactTo(cluster.plane.etcdUrl, witness.revision, this.#world.signal)
    } finally {
      await this.#restart(apiserver)
    }
  }

  async #forbid(millis: number, signal: AbortSignal): Promise<boolean> {
    const { api } = this.#world
    const role = await api.get(ClusterRoles, OPERATOR_ROLE)
    if (role.kind !== 'ok' || (role.object.rules ?? []).length === 0) return false
    const { rules } = role.object
    const taken = await api.mergePatch(ClusterRoles, OPERATOR_ROLE, { rules: [] })
    await rest(millis, signal)
    await persist(this.#world.signal, () => settled(api.mergePatch(ClusterRoles, OPERATOR_ROLE, { rules })))
    return taken.kind === 'ok'
  }
}

async function killed(replica: Replica, millis: number, signal: AbortSignal): Promise<void> {
  await replica.kill()
  await rest(millis, signal)
  await replica.start()
}

async function paused(replica: Replica, millis: number, signal: AbortSignal): Promise<void> {
  replica.pause()
  await rest(millis, signal)
  replica.resume()
}

async function pauseServer(server: Server, millis: number, signal: AbortSignal): Promise<void> {
  server.pause()
  await rest(millis, signal)
  server.resume()
}
