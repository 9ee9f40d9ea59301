import { formatIdentity, parseMark, transitionsOf, type Holder } from './gate.ts'
import type { ObservedLease } from './observation.ts'

/**
 * What the group's Lease says, judged by its owner and its mark.
 *
 * `foreign`: not this group's; refused, never written.
 * `spoiled`: this group's, but its mark cannot be read, so no safe term is known: it is deleted, and born anew under
 *   another UID, which makes every stamp and every late write of the old one void.
 * `open`: it names nobody that we named: just born, or written by somebody else. Every selected pod is stamped before a
 *   holder is named.
 * `held`: holder, transitions and mark agree: every earlier holder is sealed.
 */
export type Gate =
  | { readonly kind: 'absent' }
  | { readonly kind: 'foreign'; readonly lease: ObservedLease }
  | { readonly kind: 'spoiled'; readonly lease: ObservedLease }
  | OpenGate
  | HeldGate

export interface OpenGate {
  readonly kind: 'open'
  readonly lease: ObservedLease
  readonly term: number
}

export interface HeldGate {
  readonly kind: 'held'
  readonly lease: ObservedLease
  readonly term: number
  readonly holder: Holder
}

export function gateOf(lease: ObservedLease | undefined, groupUID: string): Gate {
  if (!lease) return { kind: 'absent' }
  if (lease.ownerUID !== groupUID) return { kind: 'foreign', lease }
  const mark = parseMark(lease.mark)
  if (!mark || lease.mode !== 'Assign') return { kind: 'spoiled', lease }
  const { term, holder } = mark
  const agrees =
    holder !== undefined &&
    mark.gateUID === lease.uid &&
    lease.holderIdentity === formatIdentity(holder) &&
    lease.transitions === transitionsOf(term)
  return agrees ? { kind: 'held', lease, term, holder } : { kind: 'open', lease, term }
}
