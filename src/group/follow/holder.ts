import { isHeld, type LeaseRecord, type RecordSight } from './silence.ts'
import { wholeSeconds } from './whole-seconds.ts'

/**
 * Which pod is the holder? Electors write what they like into `holderIdentity`. A pod is recognised by
 * - its exact name,
 * - `<its name>_<anything>`, as users of client-go and controller-runtime write (a hostname and something unique). Pod
 *   names contain no `_`, so what stands before the first one is the whole name: `a_b_c` can only be pod `a`;
 * - its UID;
 * - one of its IPs, unless it shares them with its node (hostNetwork) or has finished and given them back.
 *
 * Limits: a host name that is not the pod's name cannot be recognised. `spec.hostname`, hostNetwork (the node's name) and
 * pod names over 63 characters (the kernel's limit, so they are cut) make one.
 *
 * No way has precedence: if two pods are meant, by whatever ways, it is ambiguous, and nobody is labelled. (A pod may be
 * named like another's UID or IP.) Only of several pods that had the same name or IP one after the other is one chosen:
 * the one that is there, unless the record is older than it.
 */
export type Mapping<P extends HolderPod = HolderPod> =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'pod' } & Mapped<P>)
  | { readonly kind: 'unknown'; readonly why: UnknownHolder }
  | { readonly kind: 'ambiguous'; readonly pods: readonly P[] }

/** A pod, and what it was recognised by. */
export interface Mapped<P> {
  readonly pod: P
  readonly by: HolderWay
}

export type HolderWay = 'name' | 'prefix' | 'uid' | 'ip'

/** `olderThanPod`: there is such a pod, but the record was there before it. */
export type UnknownHolder = 'noSuchPod' | 'notSelected' | 'olderThanPod' | 'hostNetworkAddress'

export interface HolderPod {
  readonly name: string
  readonly uid: string
  readonly selected: boolean
  /** It was deleted, and this is the last that was seen of it. */
  readonly deleted: boolean
  readonly hostNetwork: boolean
  readonly phase: string | undefined
  readonly podIPs: readonly string[]
  /** Tick at which this process first saw the pod with the IPs that it has now. */
  readonly podIPsSeenAt: number
  /** Tick at which this process first saw the pod. */
  readonly firstSeenAt: number
  /** It came under this process's eyes: a complete list that was read earlier did not contain it. */
  readonly appeared: boolean
  readonly creationTime: string | undefined
  /** When its kubelet took it on, by the clock of its node. */
  readonly startTime: string | undefined
}

export type HolderRecord = Pick<LeaseRecord, 'holderIdentity' | 'acquireTime'> & { readonly sight: RecordSight }

/** Whom the gate names, and the identity that it was found by. */
export interface NamedHolder {
  readonly uid: string
  readonly identity: string
}

/** @param named what the group's status says; undefined when it names nobody */
export function mapHolder<P extends HolderPod>(
  record: HolderRecord,
  pods: readonly P[],
  named?: NamedHolder,
): Mapping<P> {
  if (!isHeld(record)) return { kind: 'none' }
  const { holderIdentity: identity } = record
  const meant = pods.flatMap((pod) => {
    const by = wayTo(pod, identity)
    return by === undefined ? [] : [{ pod, by }]
  })
  const current = WAYS.flatMap((way) => {
    const young = meant.filter(({ pod, by }) => by === way && !isOlder(record, identity, pod, by, named))
    return latest(young)
  })
  const selected = current.filter(({ pod }) => pod.selected)
  const [first] = selected
  if (!first) return { kind: 'unknown', why: whyUnknown(identity, pods, meant.length, current.length) }
  const others = selected.filter(({ pod }) => pod.uid !== first.pod.uid)
  if (others.length > 0) return { kind: 'ambiguous', pods: selected.map(({ pod }) => pod) }
  return { kind: 'pod', ...first }
}

/** Whether a holder of this identity may be this pod. */
export function isMeantBy(pod: HolderPod, identity: string): boolean {
  return wayTo(pod, identity) !== undefined
}

const WAYS: readonly HolderWay[] = ['uid', 'name', 'prefix', 'ip']

/** The surest way by which the identity means this pod. */
function wayTo(pod: HolderPod, identity: string): HolderWay | undefined {
  if (identity === pod.uid) return 'uid'
  if (identity === pod.name) return 'name'
  const cut = identity.indexOf('_')
  if (cut > 0 && identity.slice(0, cut) === pod.name) return 'prefix'
  return hasOwnAddress(pod) && pod.podIPs.includes(identity) ? 'ip' : undefined
}

function hasOwnAddress(pod: HolderPod): boolean {
  return !pod.hostNetwork && pod.phase !== 'Succeeded' && pod.phase !== 'Failed'
}

/** A pod that is there has taken over the name, or the IP, of one that is not. */
function latest<P extends HolderPod>(meant: readonly Mapped<P>[]): readonly Mapped<P>[] {
  const living = meant.filter(({ pod }) => !pod.deleted)
  if (living.length > 0) return living
  return meant.toSorted((a, b) => b.pod.firstSeenAt - a.pod.firstSeenAt).slice(0, 1)
}

/**
 * Whether the record may have been there before the pod was: then it means another pod of that name. In doubt it is
 * older. That costs a label until the next renewal; the contrary could label a pod that does not lead.
 */
function isOlder(
  record: HolderRecord,
  identity: string,
  pod: HolderPod,
  by: HolderWay,
  named: NamedHolder | undefined,
): boolean {
  // Nobody can write a UID before it exists.
  if (identity === pod.uid || identity === `${pod.name}_${pod.uid}`) return false
  // It was mapped so before, and a pod keeps its name and IPs for as long as it lives. Electors that find their own
  // identity in a Lease keep its acquireTime, so after an operator restart nothing else would tell.
  if (named?.uid === pod.uid && named.identity === identity) return false
  // What follows the name is some process's own. One of an earlier pod of the name may live on, after a deletion by force,
  // and renew: that changes the record, but not whose it is.
  if (by === 'prefix' && isAcquiredBeforeStart(record.acquireTime, pod)) return true
  const meantSince = by === 'ip' ? Math.max(pod.firstSeenAt, pod.podIPsSeenAt) : pod.firstSeenAt
  if (record.sight.changed && record.sight.seenAt > meantSince) return false
  // When a pod got its IP is written nowhere.
  if (pod.appeared || by === 'ip') return true
  return !isAcquiredAfterStart(record.acquireTime, pod)
}

/**
 * For what was there when this process started, stamps must do. The start was cut to whole seconds, so it may be almost
 * a second later than it says: acquireTime has to lie in a later second. The pod's own acquireTime and startTime come from
 * the clock of one node; where creationTime, of the API server's clock, is later, it counts.
 */
function isAcquiredAfterStart(acquireTime: string | null | undefined, pod: HolderPod): boolean {
  const acquired = wholeSeconds(acquireTime)
  const starts = [pod.startTime, pod.creationTime].map(wholeSeconds).filter((seconds) => seconds !== undefined)
  return acquired !== undefined && starts.length > 0 && acquired > Math.max(...starts)
}

/**
 * An earlier pod of the name acquired it. Both times come from the clock of one node if it is this pod's; nothing else is
 * compared with them. False where either is unknown.
 */
export function isAcquiredBeforeStart(
  acquireTime: string | null | undefined,
  { startTime }: Pick<HolderPod, 'startTime'>,
): boolean {
  const [acquired, started] = [wholeSeconds(acquireTime), wholeSeconds(startTime)]
  return acquired !== undefined && started !== undefined && acquired < started
}

function whyUnknown(identity: string, pods: readonly HolderPod[], meant: number, current: number): UnknownHolder {
  if (current > 0) return 'notSelected'
  if (meant > 0) return 'olderThanPod'
  return pods.some((pod) => pod.hostNetwork && pod.podIPs.includes(identity)) ? 'hostNetworkAddress' : 'noSuchPod'
}
