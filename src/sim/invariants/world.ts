/**
 * The store as it is after each commit, as far as the rules look at it, and what the commit changed for which group. All of
 * it is kept per object and per group: a commit costs what it touches, whatever else there is.
 */
import { isDeepStrictEqual } from 'node:util'
import type { LeaderGroup, LeaderGroupSpec } from '../../group/leadergroup.ts'
import type { EndpointSlice, KubeObject, Lease, Pod, Service } from '../../kube/objects.ts'
import type { Committed, Process } from './facts.ts'
import {
  belongsTo,
  type Gate,
  gateInLease,
  gateInStatus,
  isObserved,
  leaseNameOf,
  type Naming,
  NO_GATE,
  sameNaming,
} from './gate.ts'
import { addGroupsOn, identityOf, type Keys, keysOf, ownerOf, type PodName, readTerm, refOf } from './wire.ts'

const LEADER = 'leader'
/** What was overwritten so long ago has no label on its way any more. */
const MOST_OVERWRITTEN = 16
/** What an operator that lags may still go by. */
const MOST_SPECS = 8

export interface Group {
  /** `<namespace>/<name>`; a group that is deleted and created again is the same one here, under another UID. */
  readonly ref: string
  readonly namespace: string
  readonly name: string
  /** Absent: there is none, or it was not seen yet. */
  object: LeaderGroup | undefined
  /** Of the present group, or of the last. */
  uid: string | undefined
  /** What was wished for lately, the last first. */
  specs: readonly LeaderGroupSpec[]
  gate: Gate
  /** Whom the gate named last, whatever became of the gate since: a label for it may be on its way. */
  naming: Naming | undefined
  /** Identities of all whom the gate ever named: an operator may have an old view of it. */
  readonly everNamed: Set<string>
  /** Namings that a stranger overwrote with one of his own, in due form. */
  readonly overwritten: Naming[]
  /** Who bears the leader label, by UID. */
  readonly labels: Map<string, Label>
  /** Times that an operator labelled a pod, or moved its label to another term. */
  labelled: number
  /** Times that the gate named somebody anew. */
  named: number
}

export interface Label {
  readonly pod: PodName
  readonly term: string | undefined
  /** Of the group that there was then. */
  readonly groupUID: string | undefined
  /** An operator put it there, or moved it to this term. */
  readonly isOperators: boolean
  /** Of a naming that a stranger overwrote: the operators could not know of it. */
  readonly isExcused: boolean
  readonly version: number
}

/** What one commit changed. */
export interface Step {
  readonly fact: Committed
  readonly author: 'operator' | 'candidate' | 'stranger'
  readonly writer: Process | undefined
  readonly keys: readonly KeysChange[]
  readonly gates: readonly GateChange[]
}

/** Of the keys that one pod bears for one group. */
export interface KeysChange {
  readonly group: Group
  readonly pod: PodName
  readonly was: Keys
  readonly is: Keys
  readonly isGone: boolean
  readonly label: Label | undefined
  readonly labelBefore: Label | undefined
}

export interface GateChange {
  readonly group: Group
  readonly was: Gate
  readonly is: Gate
  /** Whom it was the last to name before. */
  readonly namingBefore: Naming | undefined
  /** It names somebody whom it did not name before. */
  readonly isNaming: boolean
}

const NO_SLICES: ReadonlyMap<string, EndpointSlice> = new Map()
const NO_KEYS: Keys = { role: undefined, term: undefined, sealed: undefined }

export class World {
  readonly processes = new Map<string, Process>()
  readonly groups = new Map<string, Group>()
  /** By `<namespace>/<name>`. */
  readonly leases = new Map<string, Lease>()
  /** By namespace, then UID. */
  readonly pods = new Map<string, Map<string, Pod>>()
  /** By `<namespace>/<name>`. */
  readonly services = new Map<string, Service>()
  readonly #groupsIn = new Map<string, Group[]>()
  readonly #slices = new Map<string, Map<string, EndpointSlice>>()
  readonly #found = new Set<string>()

  /** What is not said anew of a process stays. */
  followProcess(process: Process): void {
    this.processes.set(process.process, { ...this.processes.get(process.process), ...process })
  }

  commit(fact: Committed): Step {
    const writer = fact.by === undefined ? undefined : this.processes.get(fact.by)
    const author = writer?.role ?? 'stranger'
    const isOperators = author === 'operator'
    switch (fact.resource) {
      case 'pods':
        return { fact, author, writer, keys: this.#commitPod(fact, isOperators), gates: [] }
      case 'leases':
        return { fact, author, writer, keys: [], gates: this.#commitLease(fact, isOperators) }
      case 'leadergroups':
        return { fact, author, writer, keys: [], gates: this.#commitGroup(fact, isOperators) }
      case 'services':
        keep(this.services, refOf((fact.after ?? fact.before)!), fact.after)
        break
      case 'endpointslices':
        this.#commitSlice(fact)
    }
    return { fact, author, writer, keys: [], gates: [] }
  }

  /** Made at the first mention. */
  group(namespace: string, name: string): Group {
    const ref = `${namespace}/${name}`
    let group = this.groups.get(ref)
    if (!group) {
      group = {
        ref,
        namespace,
        name,
        object: undefined,
        uid: undefined,
        specs: [],
        everNamed: new Set(),
        gate: NO_GATE,
        naming: undefined,
        overwritten: [],
        labels: new Map(),
        labelled: 0,
        named: 0,
      }
      this.groups.set(ref, group)
      const groups = this.#groupsIn.get(namespace)
      if (groups) groups.push(group)
      else this.#groupsIn.set(namespace, [group])
    }
    return group
  }

  groupsIn(namespace: string): readonly Group[] {
    return this.#groupsIn.get(namespace) ?? []
  }

  /** By name. */
  slicesIn(namespace: string): ReadonlyMap<string, EndpointSlice> {
    return this.#slices.get(namespace) ?? NO_SLICES
  }

  podsIn(namespace: string): ReadonlyMap<string, Pod> {
    return this.#podsIn(namespace)
  }

  #podsIn(namespace: string): Map<string, Pod> {
    let pods = this.pods.get(namespace)
    if (!pods) this.pods.set(namespace, (pods = new Map()))
    return pods
  }

  #commitPod({ before, after, version }: Committed, isOperators: boolean): readonly KeysChange[] {
    const pod = (after ?? before)!
    const { name, uid, namespace = '' } = pod.metadata
    const pods = this.#podsIn(namespace)
    keep(pods, uid, after)
    const found = this.#found
    found.clear()
    addGroupsOn(before, found)
    addGroupsOn(after, found)
    if (found.size === 0) return []
    return [...found].map((key) => {
      const group = this.group(namespace, key)
      const was = before ? keysOf(before, key) : NO_KEYS
      const is = after ? keysOf(after, key) : NO_KEYS
      const labelBefore = group.labels.get(uid)
      const label = labelAfter(group, { name, uid }, is, labelBefore, isOperators, version)
      if (isOperators && label && label !== labelBefore) group.labelled++
      if (label) group.labels.set(uid, label)
      else group.labels.delete(uid)
      return { group, pod: { name, uid }, was, is, isGone: !after, label, labelBefore }
    })
  }

  #commitSlice({ before, after }: Committed): void {
    const { namespace = '', name } = (after ?? before)!.metadata
    let slices = this.#slices.get(namespace)
    if (!slices) this.#slices.set(namespace, (slices = new Map()))
    keep(slices, name, after as EndpointSlice | undefined)
  }

  #commitLease({ before, after }: Committed, isOperators: boolean): readonly GateChange[] {
    const ref = refOf((after ?? before)!)
    keep(this.leases, ref, after)
    const namespace = (after ?? before)!.metadata.namespace ?? ''
    const owners = new Set([before && ownerOf(before)?.name, after && ownerOf(after)?.name])
    owners.delete(undefined)
    return [...owners].flatMap((name) => this.#moveGate(this.group(namespace, name!), after ?? before!, isOperators))
  }

  #commitGroup({ before, after }: Committed, isOperators: boolean): readonly GateChange[] {
    const { namespace = '', name } = (after ?? before)!.metadata
    const group = this.group(namespace, name)
    group.object = after as LeaderGroup | undefined
    if (group.object) {
      group.uid = group.object.metadata.uid
      const { spec } = group.object
      if (!isDeepStrictEqual(spec, group.specs[0])) group.specs = [spec, ...group.specs.slice(0, MOST_SPECS - 1)]
    }
    return this.#moveGate(group, undefined, isOperators)
  }

  /** @param written the Lease that was written or deleted */
  #moveGate(group: Group, written: KubeObject | undefined, isOperators: boolean): readonly GateChange[] {
    const was = group.gate
    const is = this.#gateOf(group, written)
    const namingBefore = group.naming
    group.gate = is
    // A stranger who puts back what there was names nobody; an operator does, and owes it a new term.
    const isNaming = is.kind === 'named' && !sameNaming(is, isOperators ? namedBy(was, is.uid) : namingBefore)
    if (isNaming) {
      // What leads by a naming that somebody else overwrote, or is about to, cannot be known to who comes after.
      if (!isOperators && namingBefore) excuse(group, namingBefore)
      group.named++
      group.everNamed.add(identityOf(is.holder))
      group.naming = { holder: is.holder, term: is.term }
    } else if (is.kind === 'vacant' && isOperators) {
      group.naming = undefined
    }
    return was.kind === 'none' && is.kind === 'none' ? [] : [{ group, was, is, namingBefore, isNaming }]
  }

  #gateOf(group: Group, written: KubeObject | undefined): Gate {
    const { object, namespace } = group
    if (object && isObserved(object)) return gateInStatus(object)
    const name = object ? leaseNameOf(object) : (written?.metadata.name ?? group.name)
    const lease = this.leases.get(`${namespace}/${name}`)
    return lease && belongsTo(lease, group) ? gateInLease(lease) : NO_GATE
  }
}

function keep<T>(objects: Map<string, T>, key: string, object: T | undefined): void {
  if (object) objects.set(key, object)
  else objects.delete(key)
}

function namedBy(gate: Gate, uid: string): Naming | undefined {
  return gate.kind === 'named' && gate.uid === uid ? gate : undefined
}

function excuse(group: Group, naming: Naming): void {
  group.overwritten.push(naming)
  if (group.overwritten.length > MOST_OVERWRITTEN) group.overwritten.shift()
  for (const [uid, label] of group.labels) group.labels.set(uid, { ...label, isExcused: true })
}

function labelAfter(
  group: Group,
  pod: PodName,
  { role, term }: Keys,
  before: Label | undefined,
  isOperators: boolean,
  version: number,
): Label | undefined {
  if (role !== LEADER) return undefined
  if (before && (before.term === term || !isOperators)) return before.term === term ? before : { ...before, term }
  const isExcused = group.overwritten.some(
    (naming) => naming.term === readTerm(term) && naming.holder.uid === pod.uid && naming.holder.name === pod.name,
  )
  return { pod, term, groupUID: group.uid, isOperators, isExcused, version }
}
