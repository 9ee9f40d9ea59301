import type { DeathProof } from './death.ts'
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
}

/**
 * `failover.releaseDeadHolder`: on proof of death the other candidates need not wait out the duration. A living leader
 * whose Lease is emptied works on until its own deadline, beside its successor. So, beyond the proof:
 * - this process held this very version of the Lease before anything of the proof happened before its eyes. So after an
 *   operator restart, and when anybody wrote the Lease since, the duration is waited out;
 * - the proof is not one that may rest on stamps of the same second;
 * - the pod was recognised by a name of its own: an IP moves on to another pod;
 * - no earlier pod of the name acquired it: that one's process may still renew what this pod's death says nothing of.
 */
export function releaseOf(
  lease: FollowedLease,
  { pod, by }: Mapped<Pick<HolderPod, 'startTime'>>,
  proofs: readonly DeathProof[],
): Release | undefined {
  if (!isHeld(lease) || by === 'ip' || isAcquiredBeforeStart(lease.acquireTime, pod)) return undefined
  const suffices = (proof: DeathProof): boolean =>
    proof.by !== 'standstill' && proof.witnessed && lease.seenAt < proof.seenAt
  if (!proofs.some(suffices)) return undefined
  const { name, uid, resourceVersion, holderIdentity } = lease
  return { name, uid, resourceVersion, holderIdentity }
}
