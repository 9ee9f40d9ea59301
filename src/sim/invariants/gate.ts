/** The gate of a group as the store has it: its Lease in mode Assign, its status in mode Observe (design §4.1). */
import type { LeaderGroup } from '../../group/leadergroup.ts'
import type { Lease } from '../../kube/objects.ts'
import { type PodName, identityOf, MARK_KEY, ownerOf, readMark, sameHolder, transitionsFor } from './wire.ts'

/**
 * `none`: no gate, one of somebody else, or one whose mark cannot be read. `open`: it names nobody that its mark names too.
 * `vacant`: it says in due form that nobody leads, which only a status may.
 */
export type Gate =
  | { readonly kind: 'none' }
  | { readonly kind: 'open'; readonly uid: string; readonly term: number }
  | { readonly kind: 'vacant'; readonly uid: string; readonly term: number }
  | ({ readonly kind: 'named'; readonly uid: string } & Naming)

/** A pod is the leader of a term. */
export interface Naming {
  readonly holder: PodName
  readonly term: number
}

export const NO_GATE: Gate = { kind: 'none' }

export function isObserved({ spec }: LeaderGroup): boolean {
  return spec?.mode === 'Observe'
}

export function leaseNameOf({ metadata, spec }: LeaderGroup): string {
  return spec?.leaseName ?? metadata.name
}

/** Of a Lease that belongs to a group. */
export function gateInLease(lease: Lease): Gate {
  const { uid, annotations } = lease.metadata
  const mark = readMark(annotations?.[MARK_KEY])
  if (!mark) return NO_GATE
  const { holder, term } = mark
  const agrees =
    holder !== undefined &&
    mark.gateUID === uid &&
    lease.spec?.holderIdentity === identityOf(holder) &&
    lease.spec.leaseTransitions === transitionsFor(term)
  return agrees ? { kind: 'named', uid, holder, term } : { kind: 'open', uid, term }
}

export function gateInStatus({ metadata: { uid }, status }: LeaderGroup): Gate {
  const mark = readMark(status?.gate)
  if (!mark) return NO_GATE
  const { holder, term } = mark
  const shown = status?.holder === undefined ? undefined : { name: status.holder, uid: status.holderUID ?? '' }
  if (mark.gateUID !== uid || status?.term !== term || !sameHolder(holder, shown)) return { kind: 'open', uid, term }
  return holder ? { kind: 'named', uid, holder, term } : { kind: 'vacant', uid, term }
}

export function belongsTo(lease: Lease, group: { readonly name: string; readonly uid: string | undefined }): boolean {
  const owner = ownerOf(lease)
  return owner !== undefined && owner.name === group.name && (group.uid === undefined || owner.uid === group.uid)
}

export function sameNaming(a: Naming | undefined, b: Naming | undefined): boolean {
  return a?.term === b?.term && sameHolder(a?.holder, b?.holder)
}

export function describeGate(gate: Gate): string {
  return gate.kind === 'named'
    ? describeNaming(gate)
    : gate.kind === 'none'
      ? 'no gate'
      : `${gate.kind} at term ${gate.term}`
}

export function describeNaming({ holder, term }: Naming): string {
  return `${holder.name} (${holder.uid}) in term ${term}`
}
