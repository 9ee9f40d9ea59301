/** What a history tells of mode Observe beyond the rules of `history.ts`: who bore the label, and what became of the Lease. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { LEADER_ROLE, groupKeys } from '../src/group/keys.ts'
import type { Lease } from '../src/kube/objects.ts'
import type { Change } from './history.ts'

export interface FollowedTally {
  /** Names of the pods in the order in which they were labelled, each term once. */
  readonly leaders: readonly string[]
  /** Holders of the Lease that were emptied out of it, and nothing else was changed: no elector does that. */
  readonly emptied: readonly string[]
}

/** Asserts that the Lease, which is the application's, never bears anything of this project: no key, no owner. */
export function followedTally(history: readonly Change[], name: string, leaseName: string): FollowedTally {
  const keys = groupKeys(name)
  const leaders: string[] = []
  const emptied: string[] = []
  const labelled = new Map<string, string | undefined>()
  let before: Lease | undefined
  for (const { kind, gone, object } of history) {
    const { uid, labels = {}, annotations = {} } = object.metadata
    if (kind === 'pod') {
      const term = annotations[keys.term]
      const isLabelled = !gone && labels[keys.role] === LEADER_ROLE
      if (isLabelled && (!labelled.has(uid) || labelled.get(uid) !== term)) leaders.push(object.metadata.name)
      if (isLabelled) labelled.set(uid, term)
      else labelled.delete(uid)
    } else if (kind === 'lease' && object.metadata.name === leaseName) {
      assertTheirs(object)
      if (!gone && isEmptied(before, object)) emptied.push(before!.spec!.holderIdentity!)
      before = gone ? undefined : object
    }
  }
  return { leaders, emptied }
}

function assertTheirs({ metadata }: Lease): void {
  const { name, labels = {}, annotations = {}, ownerReferences = [] } = metadata
  const ours = [...Object.keys(labels), ...Object.keys(annotations)].filter((key) => key.includes('leadergroup.io/'))
  assert.deepEqual(ours, [], `Lease ${name} bears keys of this project`)
  const owners = ownerReferences.filter(({ kind }) => kind === 'LeaderGroup')
  assert.deepEqual(owners, [], `Lease ${name} has an owner`)
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
