import type { DeathProof, MortalPod } from './death.ts'
import { isAcquiredBeforeStart, type HolderPod, type Mapped } from './holder.ts'
import { isHeld, type FollowedLease } from './silence.ts'

/**
 * Empties the holder of the candidates' Lease, and nothing else of it: one PUT of the object as read, with
 * `holderIdentity: ''`. It names the version that the decision looked at, so a renewal in between wins.
 */
export interface Release {
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** Who is taken for dead. */
  readonly holderIdentity: string
  /**
   * The proof is that the pod's node is down, and watches lag each on their own. So quorum reads, begun with this version
   * of the Lease at hand, have to show it first: the node still out of service, so whatever a process there wrote before
   * was written by one that is dead now; and the pod still there, so no successor of its name, on another node, wrote it.
   * That rests on no clock, and on no order between watches.
   */
  readonly confirm?: Confirmation
}

export interface Confirmation {
  readonly node: string
  readonly pod: { readonly name: string; readonly uid: string }
}

type ReleasedPod = Pick<HolderPod, 'name' | 'uid' | 'deleted' | 'startTime'> & Pick<MortalPod, 'outOfService'>

/**
 * `failover.releaseDeadHolder`: on proof of death the other candidates need not wait out the duration. A living leader
 * whose Lease is emptied works on until its own deadline, beside its successor. So, beyond the proof:
 * - this process held this very version of the Lease before anything of the proof happened before its eyes. So after an
 *   operator restart, and when anybody wrote the Lease since, the duration is waited out;
 * - the proof is not one that may rest on stamps of the same second;
 * - that a node is down is confirmed, see `Release`; of a pod that is gone it cannot be;
 * - the pod was recognised by a name of its own: an IP moves on to another pod;
 * - no earlier pod of the name acquired it: that one's process may still renew what this pod's death says nothing of.
 */
export function releaseOf(
  lease: FollowedLease,
  { pod, by }: Mapped<ReleasedPod>,
  proofs: readonly DeathProof[],
): Release | undefined {
  if (!isHeld(lease) || by === 'ip' || isAcquiredBeforeStart(lease.acquireTime, pod)) return undefined
  const suffices = (proof: DeathProof): boolean =>
    proof.by !== 'standstill' && proof.witnessed && lease.seenAt < proof.seenAt
  const ways = proofs.filter(suffices).map(({ by }) => by)
  const { name, uid, resourceVersion, holderIdentity } = lease
  const release = { name, uid, resourceVersion, holderIdentity }
  if (ways.includes('restarted')) return release
  const confirm = confirmationOf(pod)
  return ways.length > 0 && confirm ? { ...release, confirm } : undefined
}

function confirmationOf({ name, uid, deleted, outOfService }: ReleasedPod): Confirmation | undefined {
  return outOfService && !deleted ? { node: outOfService.node, pod: { name, uid } } : undefined
}
