import { deathProofs, type DeathProof, type MortalPod } from './death.ts'
import { mapHolder, type HolderPod, type Mapped, type Mapping, type NamedHolder, type UnknownHolder } from './holder.ts'
import { quoted } from '../quoted.ts'
import { releaseOf, type Release } from './release.ts'
import { durationSeconds, silenceOf, type FollowedLease, type Silence } from './silence.ts'

/**
 * Mode Observe: the pods elect among themselves on a Lease, and the group follows it. What is said here is only where to:
 * the way there is that of every change of leader, seal before advance, with the group's status as the gate.
 */
export interface Follow<P extends FollowedPod = FollowedPod> {
  readonly target: Target<P>
  readonly release?: Release
  /** A quorum read of the Lease is due: without it nothing more can be said. */
  readonly readLease?: true
  /** Monotonic milliseconds; finite. */
  readonly wakeAt?: number
}

/**
 * `holder`: the gate is to name this pod, and it is to bear the label.
 * `nobody`: the gate is to name nobody; whoever bears the label is sealed.
 * `stay`: not known for certain. The gate stays as it is, and so does a label that stands on the pod which it names; none
 *   is given, not even to that pod.
 */
export type Target<P extends FollowedPod = FollowedPod> =
  | { readonly kind: 'holder'; readonly pod: P; readonly message: string }
  | { readonly kind: 'nobody'; readonly reason: NobodyReason; readonly message: string }
  | { readonly kind: 'stay'; readonly message: string }

export type NobodyReason =
  | 'LeaseMissing'
  | 'LeaseReleased'
  | 'LeaseExpired'
  | 'HolderUnknown'
  | 'HolderAmbiguous'
  | 'HolderDead'
  | 'HolderUnproven'
  | 'LeaseHeldByAnother'

export interface FollowedPod extends HolderPod, MortalPod {}

export interface Following<P extends FollowedPod = FollowedPod> {
  readonly leaseName: string
  /** Undefined: there is none. */
  readonly lease: FollowedLease | undefined
  /** What the Lease belongs to, when that is a LeaderGroup; it is no Lease of candidates then. */
  readonly ownedBy?: string | undefined
  readonly pods: readonly P[]
  /** Whom the gate names, labelled or not. */
  readonly named: NamedHolder | undefined
  /** `failover.releaseDeadHolder` */
  readonly releaseDeadHolder: boolean
  readonly nowMillis: number
}

/** Pure, total and idempotent. */
export function follow<P extends FollowedPod>(view: Following<P>): Follow<P> {
  const { lease, leaseName, ownedBy } = view
  if (!lease)
    return nobody('LeaseMissing', `there is no Lease ${leaseName}: it appears when one of the pods acquires it`)
  if (ownedBy !== undefined)
    return nobody(
      'LeaseHeldByAnother',
      `Lease ${leaseName} belongs to ${ownedBy}: give this group the name of the Lease that its pods elect on`,
    )
  const silence = silenceOf(lease, view.nowMillis)
  const holder = quoted(lease.holderIdentity ?? '')
  switch (silence.state) {
    case 'released':
      return nobody('LeaseReleased', `Lease ${leaseName} names no holder: the next one to acquire it leads`)
    case 'expired':
      return nobody(
        'LeaseExpired',
        `${holder} has not renewed Lease ${leaseName} for ${durationSeconds(lease)} s: the next one to acquire it leads`,
      )
    case 'live':
    case 'unproven':
      return { ...followHolder(view, lease, silence, holder), wakeAt: silence.wakeAt }
    case 'overdue':
      return { ...followHolder(view, lease, silence, holder), readLease: true }
  }
}

function followHolder<P extends FollowedPod>(
  view: Following<P>,
  lease: FollowedLease,
  silence: Silence,
  holder: string,
): Follow<P> {
  const mapping = mapHolder(lease, view.pods, view.named)
  if (mapping.kind !== 'pod') return nobody(...unmapped(mapping, holder))
  const { pod } = mapping
  const proofs = deathProofs(pod, lease)
  if (proofs.length > 0) return dead(view, lease, mapping, proofs)
  if (pod.deleted) {
    return nobody(
      'HolderUnknown',
      `pod ${pod.name}, which holds the Lease, was deleted: waiting until the Lease expires`,
    )
  }
  if (silence.state === 'live') {
    return { target: { kind: 'holder', pod, message: `${pod.name} holds Lease ${view.leaseName} as ${holder}` } }
  }
  const doubt = `pod ${pod.name} holds Lease ${view.leaseName}, but was not seen to renew it: waiting for that`
  // Whoever else bears the label is not the holder, whether this one lives or not.
  return view.named === undefined || view.named.uid === pod.uid
    ? { target: { kind: 'stay', message: doubt } }
    : nobody('HolderUnproven', doubt)
}

function dead<P extends FollowedPod>(
  view: Following<P>,
  lease: FollowedLease,
  holder: Mapped<P>,
  proofs: readonly DeathProof[],
): Follow<P> {
  const { pod } = holder
  const release = view.releaseDeadHolder ? releaseOf(lease, holder, proofs) : undefined
  const how = proofs.some((proof) => proof.by !== 'outOfService')
    ? 'its container has ended'
    : 'its node is out of service'
  const next = release ? 'emptying the Lease' : 'waiting until the Lease expires or is acquired'
  return {
    ...nobody<P>('HolderDead', `pod ${pod.name} led and is dead, for ${how}: ${next}`),
    ...(release ? { release } : {}),
  }
}

function unmapped(mapping: Exclude<Mapping, { kind: 'pod' }>, holder: string): [reason: NobodyReason, message: string] {
  switch (mapping.kind) {
    case 'none':
      return ['LeaseReleased', 'the Lease names no holder']
    case 'unknown':
      return ['HolderUnknown', UNKNOWN[mapping.why](holder)]
    case 'ambiguous': {
      const names = mapping.pods.map(({ name }) => name).toSorted()
      return ['HolderAmbiguous', `${holder} holds the Lease and means more than one pod: ${names.join(', ')}`]
    }
  }
}

const UNKNOWN: Readonly<Record<UnknownHolder, (holder: string) => string>> = {
  noSuchPod: (holder) =>
    `${holder} holds the Lease and is no pod of this group: make the electors' identity the pod's name, UID or IP, or ` +
    'the name, "_" and anything',
  notSelected: (holder) => `${holder} holds the Lease, and its pod is not selected by this group: compare the labels`,
  olderThanPod: (holder) =>
    `${holder} holds the Lease since before the pod of that name existed: waiting until it renews the Lease`,
  hostNetworkAddress: (holder) =>
    `${holder} holds the Lease and is the address of a node, which pods share: make the electors' identity the pod's name`,
}

function nobody<P extends FollowedPod>(reason: NobodyReason, message: string): Follow<P> {
  return { target: { kind: 'nobody', reason, message } }
}
