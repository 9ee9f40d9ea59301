import { isOf, type ContainerEnd, type ObservedContainer, type Standstill } from './containers.ts'
import type { LeaseRecord, RecordSight } from './silence.ts'
import { wholeSeconds } from './whole-seconds.ts'

/**
 * Proof that the process which wrote a record is dead. It ends the wait for the Lease's expiry, so it must never be
 * wrong. It is about that process, not about the pod: a container that was restarted has a new one, which may live, and
 * which may acquire the Lease again. Then the record changes, and nothing of this applies to the new one.
 *
 * No proof, however likely: NotReady, a node that cannot be reached, phase Failed (the pod garbage collector writes it
 * without asking the kubelet), a Node that was deleted, a pod that was deleted (after a force delete the process lives on).
 *
 * `restarted`: each electing container ended strictly after `renewTime`, whatever runs in it now. Both stamps come from the
 *   clock of the pod's node, in whole seconds that were cut off, so a renewal in the very second of the end proves
 *   nothing. The one proof by containers that may cost somebody the Lease.
 * `standstill`: a status showed every electing container without a process, and the record was written before. The stamps
 *   may be of one second, if the record arrived before that status and both did under this process's eyes. What remains
 *   possible then is that a restarted container had renewed within that very second, and that the pod's watch lagged
 *   behind the Lease's: the label would return with the record's next change. So it is enough to take the label off, and
 *   not to empty the Lease.
 * `outOfService`: somebody tainted the node `node.kubernetes.io/out-of-service`, which asserts that it is down, and it is
 *   not Ready. It is as old as the watch of nodes lags: the node may be back by now, and the record of a process there. So
 *   it is enough to take the label off; the Lease is emptied only once reads have confirmed it, see `Release`.
 *
 * In each case a record that changed after the proof was first seen refutes it: somebody who writes is alive.
 */
export interface DeathProof {
  readonly by: 'restarted' | 'standstill' | 'outOfService'
  /** Tick at which the first part of the proof was seen. */
  readonly seenAt: number
  /** All of it happened under this process's eyes. */
  readonly witnessed: boolean
}

/** A pod that was seen at least once; of a deleted one its last state. */
export interface MortalPod {
  /** The containers one of which elects, see `electingContainers`. */
  readonly electing: readonly ObservedContainer[]
  readonly standstill: Standstill | undefined
  /** Undefined when its node is in service, or not known to exist. */
  readonly outOfService: NodeOutage | undefined
}

/** A node that is down, as somebody asserts, see `isOutOfService`. */
export interface NodeOutage {
  readonly node: string
  /** Tick at which it was first seen so. */
  readonly seenAt: number
  /** It was seen in service before. */
  readonly witnessed: boolean
}

export type MortalRecord = Pick<LeaseRecord, 'renewTime'> & { readonly sight: RecordSight }

/** All proofs there are that the writer of the record, which is a process of this pod, is dead. */
export function deathProofs(pod: MortalPod, record: MortalRecord): readonly DeathProof[] {
  const proofs = [byRestart(pod, record), byStandstill(pod, record), byNode(pod)]
  return proofs.filter((proof) => proof !== undefined).filter((proof) => !isRefuted(proof, record))
}

function byRestart({ electing }: MortalPod, record: MortalRecord): DeathProof | undefined {
  const renewed = wholeSeconds(record.renewTime)
  const ends: readonly (ContainerEnd | undefined)[] = electing.map(({ end }) => end)
  if (renewed === undefined || ends.length === 0) return undefined
  if (!ends.every((end) => end !== undefined && end.finishedAt > renewed)) return undefined
  const known = ends.filter((end) => end !== undefined)
  return {
    by: 'restarted',
    // The first of them: what the record did after *any* of the ends was seen speaks against it.
    seenAt: Math.min(...known.map(({ seenAt }) => seenAt)),
    witnessed: known.every(({ witnessed }) => witnessed),
  }
}

function byStandstill({ electing, standstill }: MortalPod, record: MortalRecord): DeathProof | undefined {
  const renewed = wholeSeconds(record.renewTime)
  if (renewed === undefined || !standstill || !isOf(standstill, electing)) return undefined
  const { finishedAt, seenAt, witnessed } = standstill
  const isInOrder = witnessed && record.sight.seenAt < seenAt
  return finishedAt > renewed || (finishedAt === renewed && isInOrder)
    ? { by: 'standstill', seenAt, witnessed }
    : undefined
}

function byNode({ outOfService }: MortalPod): DeathProof | undefined {
  return outOfService && { by: 'outOfService', seenAt: outOfService.seenAt, witnessed: outOfService.witnessed }
}

function isRefuted(proof: DeathProof, { sight }: MortalRecord): boolean {
  return sight.changed && sight.seenAt > proof.seenAt
}

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service'

/** A Node as the API server returned it. Total: what cannot be read is in service. */
export function isOutOfService(node: { readonly spec?: unknown; readonly status?: unknown }): boolean {
  const { taints } = (node.spec ?? {}) as { taints?: unknown }
  const { conditions } = (node.status ?? {}) as { conditions?: unknown }
  const isTainted = entries(taints).some(({ key }) => key === OUT_OF_SERVICE)
  const ready = entries(conditions).filter(({ type }) => type === 'Ready')
  return isTainted && ready.length === 1 && ready.every(({ status }) => status === 'False' || status === 'Unknown')
}

function entries(list: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(list) ? list.filter((entry) => typeof entry === 'object' && entry !== null) : []
}
