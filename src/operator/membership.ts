import type { LeaderGroup } from '../group/leadergroup.ts'
import { parseMark, type Holder } from '../group/gate/gate.ts'
import { GATE_ANNOTATION } from '../group/keys.ts'
import type { Lease, Pod } from '../kube/objects.ts'
import { Multimap } from './multimap.ts'
import { Selection, ownersOfKeys } from './selection.ts'
import { leaseNameOf } from '../group/spec.ts'

/** Which pods and which Lease belong to which group, in one namespace. Groups, pods and Leases are named by their names. */
export class Membership {
  readonly selection = new Selection()
  /** Group → pods that it selects or that bear its keys. */
  readonly #pods = new Multimap()
  /** Pod → groups; the inverse. */
  readonly #groups = new Multimap()
  /** Lease → groups that use it. */
  readonly #users = new Multimap()
  /** UID of a pod → Leases that name it. */
  readonly #naming = new Multimap()
  /** UID of a pod → groups whose status names it as the gate. */
  readonly #gates = new Multimap()

  podsOf(group: string): Iterable<string> {
    return this.#pods.get(group)
  }

  /** Names of groups that have pods, whether the groups exist or not. */
  groupsWithPods(): IterableIterator<string> {
    return this.#pods.keys()
  }

  usersOf(lease: string): Iterable<string> {
    return this.#users.get(lease)
  }

  /** Files a changed pod; returns the groups that may see it differently now. */
  setPod(after: Pod | undefined, before: Pod | undefined): ReadonlySet<string> {
    const { name, uid } = (after ?? before)!.metadata
    const touched = new Set(this.#groups.get(name))
    for (const group of touched) this.#unlink(group, name)
    for (const group of after ? [...this.selection.selecting(after), ...ownersOfKeys(after)] : []) {
      this.#link(group, name)
      touched.add(group)
    }
    for (const named of [uid, before?.metadata.uid ?? uid]) {
      for (const lease of this.#naming.get(named)) for (const group of this.usersOf(lease)) touched.add(group)
      for (const group of this.#gates.get(named)) touched.add(group)
    }
    return touched
  }

  setLease(after: Lease | undefined, before: Lease | undefined): Iterable<string> {
    const { name } = (after ?? before)!.metadata
    const [was, is] = [before && markedHolder(before), after && markedHolder(after)]
    if (was) this.#naming.delete(was.uid, name)
    if (is) this.#naming.add(is.uid, name)
    return this.usersOf(name)
  }

  /** `pods`: all of the namespace, of which those that the selector gains or loses are filed anew. */
  setGroup(after: LeaderGroup | undefined, before: LeaderGroup | undefined, pods: () => Iterable<Pod>): void {
    const { name } = (after ?? before)!.metadata
    if (before) this.#users.delete(leaseNameOf(before), name)
    if (after) this.#users.add(leaseNameOf(after), name)
    const [was, is] = [before, after].map((group) => parseMark(group?.status?.gate)?.holder?.uid)
    if (was !== is) {
      if (was !== undefined) this.#gates.delete(was, name)
      if (is !== undefined) this.#gates.add(is, name)
    }
    if (
      after &&
      before?.metadata.uid === after.metadata.uid &&
      before.metadata.generation === after.metadata.generation
    )
      return
    if (after) this.selection.set(after)
    else this.selection.remove(name)
    for (const pod of pods()) {
      if (this.selection.selects(name, pod) || ownersOfKeys(pod).includes(name)) this.#link(name, pod.metadata.name)
      else this.#unlink(name, pod.metadata.name)
    }
  }

  #link(group: string, pod: string): void {
    this.#pods.add(group, pod)
    this.#groups.add(pod, group)
  }

  #unlink(group: string, pod: string): void {
    this.#pods.delete(group, pod)
    this.#groups.delete(pod, group)
  }
}

/** The pod that the Lease's mark names. */
export function markedHolder(lease: Lease): Holder | undefined {
  return parseMark(lease.metadata.annotations?.[GATE_ANNOTATION])?.holder
}
