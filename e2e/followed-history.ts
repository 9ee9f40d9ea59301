/**
 * The rules of mode Observe, asked of the whole history of a store, version by version, as `history.ts` does for Assign.
 * There the Lease is the gate. Here it is the application's, and the group's status is the gate.
 */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { parseMark } from '../src/group/gate.ts'
import { LEADER_ROLE, groupKeys } from '../src/group/keys.ts'
import type { LeaderGroup } from '../src/group/leadergroup.ts'
import type { Lease, Pod } from '../src/kube/objects.ts'
import type { Change } from './history.ts'

export interface FollowedTally {
  /** Names of the pods in the order in which they were labelled. */
  readonly leaders: readonly string[]
  /** Holders of the Lease that were emptied out of it, and nothing else was changed: no elector does that. */
  readonly emptied: readonly string[]
}

/**
 * Asserts for one group, at every version:
 * - never two pods with the leader label;
 * - a label appears only on the pod, by UID, that the gate names then, in its term; and the gate names another holder or
 *   term only while no pod bears the label;
 * - terms grow with each change of the named holder;
 * - status says no other holder than the gate;
 * - the Lease bears nothing of this project: no annotation, no label, no owner.
 */
export function checkFollowed(history: readonly Change[], name: string, leaseName = name): FollowedTally {
  const check = new FollowedCheck(name)
  for (const { kind, version, gone, object } of history) {
    if (kind === 'pod') check.followPod(object, gone, version)
    else if (kind === 'group' && object.metadata.name === name) check.followGroup(object, version)
    else if (kind === 'lease' && object.metadata.name === leaseName) check.followLease(object, gone, version)
  }
  return check
}

interface Gate {
  readonly uid: string | undefined
  readonly term: number
}

class FollowedCheck implements FollowedTally {
  readonly leaders: string[] = []
  readonly emptied: string[] = []
  readonly #name: string
  readonly #keys: ReturnType<typeof groupKeys>
  /** UID → term of the pods that bear the label. */
  readonly #labelled = new Map<string, string | undefined>()
  #gate: Gate = { uid: undefined, term: 0 }
  #highest = 0
  #lease: Lease | undefined

  constructor(name: string) {
    this.#name = name
    this.#keys = groupKeys(name)
  }

  followPod({ metadata }: Pod, gone: boolean, version: number): void {
    const { name, uid, labels = {}, annotations = {} } = metadata
    if (gone || labels[this.#keys.role] !== LEADER_ROLE) {
      this.#labelled.delete(uid)
      return
    }
    const term = annotations[this.#keys.term]
    const isNew = !this.#labelled.has(uid) || this.#labelled.get(uid) !== term
    this.#labelled.set(uid, term)
    const all = [...this.#labelled.keys()].join(' and ')
    assert.equal(this.#labelled.size, 1, this.#at(version, `two pods bear the leader label: ${all}`))
    if (!isNew) return
    this.leaders.push(name)
    assert.deepEqual({ uid, term }, { uid: this.#gate.uid, term: String(this.#gate.term) }, this.#at(version, 'label'))
  }

  followGroup({ status }: LeaderGroup, version: number): void {
    const gate = gateIn(status)
    if (status?.holderUID !== undefined) {
      assert.equal(status.holderUID, gate.uid, this.#at(version, `status says ${status.holder}, the gate does not`))
    }
    if (gate.uid === this.#gate.uid && gate.term === this.#gate.term) return
    const what = `the gate went from ${this.#gate.uid}/${this.#gate.term} to ${gate.uid}/${gate.term}`
    const labelled = [...this.#labelled.keys()].join(', ')
    assert.equal(labelled, '', this.#at(version, `${what} while a pod bears the label`))
    assert.ok(gate.term >= this.#gate.term, this.#at(version, what))
    if (gate.uid !== undefined) {
      assert.ok(gate.term > this.#highest, this.#at(version, `${what}, but term ${this.#highest} was given before`))
      this.#highest = gate.term
    }
    this.#gate = gate
  }

  followLease(lease: Lease, gone: boolean, version: number): void {
    const { labels = {}, annotations = {}, ownerReferences = [] } = lease.metadata
    const ours = [...Object.keys(labels), ...Object.keys(annotations)].filter((key) => key.includes('leadergroup.io/'))
    assert.deepEqual(ours, [], this.#at(version, 'the Lease bears keys of this project'))
    const owners = ownerReferences.filter(({ kind }) => kind === 'LeaderGroup')
    assert.deepEqual(owners, [], this.#at(version, 'the Lease has an owner'))
    const before = this.#lease
    this.#lease = gone ? undefined : lease
    if (!gone && isEmptied(before, lease)) this.emptied.push(before!.spec!.holderIdentity!)
  }

  #at(version: number, what: string): string {
    return `group ${this.#name}, version ${version}: ${what}`
  }
}

function isEmptied(before: Lease | undefined, after: Lease): boolean {
  if (!before?.spec?.holderIdentity || after.spec?.holderIdentity) return false
  return isDeepStrictEqual(unheld(before), unheld(after))
}

/** All of a Lease that is for its writers to decide, but the holder. */
function unheld({ metadata, spec }: Lease): object {
  const { uid, labels, annotations, ownerReferences, finalizers } = metadata
  const { holderIdentity: _, ...record } = spec ?? {}
  return { uid, labels, annotations, ownerReferences, finalizers, record }
}

/** A group that no operator has looked at yet names nobody. */
function gateIn(status: LeaderGroup['status']): Gate {
  const mark = parseMark(status?.gate)
  return { uid: mark?.holder?.uid, term: mark?.term ?? 0 }
}
