/**
 * The rules of design §3, asked of the whole history of a store, version by version.
 *
 * All resources of a cluster with one etcd share its revision, so versions of pods, Leases and groups compare as
 * integers (KEP-5504 promises it only per resource type; that one etcd serves all is this control plane's choice).
 */
import assert from 'node:assert/strict'
import { formatIdentity, formatMark, parseMark, transitionsOf, type Mark } from '../src/group/gate/gate.ts'
import { GATE_ANNOTATION, LEADER_ROLE, groupKeys } from '../src/group/keys.ts'
import type { LeaderGroup } from '../src/group/leadergroup.ts'
import { modeOf } from '../src/group/spec.ts'
import type { Lease, Pod } from '../src/kube/objects.ts'

/** One version of the store. */
export type Change =
  | { readonly kind: 'pod'; readonly version: number; readonly gone: boolean; readonly object: Pod }
  | { readonly kind: 'lease'; readonly version: number; readonly gone: boolean; readonly object: Lease }
  | { readonly kind: 'group'; readonly version: number; readonly gone: boolean; readonly object: LeaderGroup }

/** What a history holds, so that a test can also ask for enough of it. */
export interface Tally {
  /** Times that a pod was labelled. */
  readonly labelled: number
  /** Terms that the gate named. */
  readonly terms: number
}

/**
 * Asserts for one group, at every version:
 * - I1: never two pods with the leader label;
 * - I2: a label appears only on the pod, by name and UID, that the gate names then, in its term; and the gate names
 *   another holder or term only while no pod bears the label. When a stranger deletes the gate under a label that is on
 *   its way, the label may still arrive, until the next gate names somebody: no write of the operator can prevent that;
 * - I4: terms grow with each change of the named holder, also over a deleted Lease; in mode Assign leaseTransitions is the
 *   term;
 * - I6: status names only what the gate has named before, and its term never goes back;
 * - I8: one term is one pod's.
 *
 * The gate is the Lease in mode Assign, and status in mode Observe. For histories in which nobody but operators writes the
 * group's label and its gate.
 */
export function checkHistory(history: readonly Change[], name: string, leaseName = name): Tally {
  const isFollower = history.some(({ kind, object }) => {
    return kind === 'group' && object.metadata.name === name && modeOf(object) === 'Observe'
  })
  const check = new GroupCheck(name, isFollower ? undefined : leaseName)
  for (const change of history) check.follow(change)
  return check.tally
}

/** The most pods that bore the leader label at one version: what a stranger's write to the Lease must not change. */
export function mostLabelled(
  history: readonly Change[],
  name: string,
  counts: (pod: Pod) => boolean = () => true,
): number {
  const labelled = new Set<string>()
  let most = 0
  for (const { kind, gone, object } of history) {
    if (kind !== 'pod') continue
    const { uid, labels = {} } = object.metadata
    if (!gone && labels[groupKeys(name).role] === LEADER_ROLE && counts(object)) labelled.add(uid)
    else labelled.delete(uid)
    most = Math.max(most, labelled.size)
  }
  return most
}

/**
 * The most pods at one version that operators had labelled. A label that somebody else adds comes without a term, and no
 * operator can prevent that it stands beside a leader's for a moment.
 */
export function mostLabelledByOperators(history: readonly Change[], name: string): number {
  const { term } = groupKeys(name)
  return mostLabelled(history, name, ({ metadata }) => metadata.annotations?.[term] !== undefined)
}

export class GroupCheck {
  readonly #name: string
  /** Undefined: the gate is status. */
  readonly #leaseName: string | undefined
  readonly #keys: ReturnType<typeof groupKeys>
  /** UID → term of the pods that bear the label. */
  readonly #labelled = new Map<string, string | undefined>()
  readonly #named = new Map<number, string>()
  /** The mark of the gate as it is. */
  #mark: string | undefined
  /** That of a gate that was deleted, as long as no later gate named anybody. */
  #deletedMark: string | undefined
  #gateUID: string | undefined
  #lastNamed = ''
  #groupUID: string | undefined
  #statusTerm = 0
  #labels = 0

  /** `leaseName`: undefined in mode Observe, where the gate is status. */
  constructor(name: string, leaseName: string | undefined) {
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
      this.#followGroup(change.object, change.version, change.gone)
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
    const gateUID = parseMark(this.#deletedMark)?.gateUID ?? this.#gateUID
    assert.equal(
      this.#deletedMark ?? this.#mark,
      formatMark({ holder: { name, uid }, gateUID, term: Number(term) }),
      this.#at(version, `label on ${name} in term ${term}`),
    )
  }

  #followLease(lease: Lease, gone: boolean, version: number): void {
    const { annotations, uid } = lease.metadata
    if (gone) this.#deletedMark ??= this.#mark
    this.#mark = gone ? undefined : annotations?.[GATE_ANNOTATION]
    if (gone) return
    const { holder, term } = this.#followGate(uid, version)
    const { leaseTransitions, holderIdentity } = lease.spec ?? {}
    assert.equal(leaseTransitions, transitionsOf(term), this.#at(version, 'leaseTransitions is not the term'))
    assert.equal(
      holderIdentity,
      holder ? formatIdentity(holder) : '',
      this.#at(version, 'the holder is not the one of the mark'),
    )
  }

  #followGate(uid: string, version: number): Mark {
    this.#gateUID = uid
    const mark = parseMark(this.#mark)
    assert.ok(mark, this.#at(version, `the mark ${this.#mark} cannot be read`))
    const named = `${uid} ${mark.holder?.uid}/${mark.term}`
    // A gate that is born anew cannot know who bears the label: the pods are sealed after that.
    if (mark.gateUID === undefined || named === this.#lastNamed) return mark
    this.#lastNamed = named
    const labelled = [...this.#labelled.keys()].join(', ')
    const whom = mark.holder?.name ?? 'nobody'
    assert.equal(labelled, '', this.#at(version, `the gate names ${whom} while a pod bears the label`))
    if (mark.holder === undefined) return mark
    this.#deletedMark = undefined
    const highest = Math.max(0, ...this.#named.keys())
    assert.ok(mark.term > highest, this.#at(version, `term ${mark.term} comes after term ${highest}`))
    this.#named.set(mark.term, mark.holder.uid)
    return mark
  }

  #followGroup({ metadata, status }: LeaderGroup, version: number, gone: boolean): void {
    if (metadata.uid !== this.#groupUID) {
      // Another group of the same name counts anew: a term is promised to grow for as long as its group lives.
      this.#groupUID = metadata.uid
      this.#statusTerm = 0
      this.#named.clear()
    }
    if (this.#leaseName === undefined) {
      this.#mark = gone ? undefined : status?.gate
      // A group is born without a mark, by the server's default, before any pod bears its label.
      if (this.#mark !== undefined) this.#followGate(metadata.uid, version)
    }
    const term = status?.term ?? 0
    assert.ok(term >= this.#statusTerm, this.#at(version, `status.term went from ${this.#statusTerm} to ${term}`))
    this.#statusTerm = term
    const highest = Math.max(0, ...this.#named.keys())
    const isBirth = this.#leaseName === undefined && highest === 0
    assert.ok(
      isBirth || term <= highest,
      this.#at(version, `status.term is ${term}, the gate has named ${highest} at most`),
    )
    if (status?.holderUID === undefined) return
    assert.equal(this.#named.get(term), status.holderUID, this.#at(version, `status names ${status.holder}`))
  }

  #at(version: number, what: string): string {
    return `group ${this.#name}, version ${version}: ${what}`
  }
}
