import type { Holder } from './gate.ts'
import type { ObservedLease } from '../observation.ts'

/**
 * What the gate says: the one object whose compare-and-swap decides who leads. It is the group's Lease in mode Assign, and
 * the group's own status in mode Observe, where the Lease is the candidates'.
 *
 * `absent`: there is none, or, of a status, none that can be read: it is to be born.
 * `foreign`: a Lease that is not this group's; refused, never written.
 * `spoiled`: this group's Lease, but its mark cannot be read, so no safe term is known: it is deleted, and born anew under
 *   another UID, which makes every stamp and every late write of the old one void.
 * `open`: it names nobody that we named: just born, or written by somebody else. Every selected pod is stamped before a
 *   holder is named.
 * `held`: what it says agrees with its mark, which names a holder: every earlier holder is sealed.
 * `vacant`: the same, and the mark says that nobody leads. Only in mode Observe: an empty Lease would invite electors.
 */
export type Gate =
  | { readonly kind: 'absent' }
  | { readonly kind: 'foreign'; readonly object: ObservedLease }
  | { readonly kind: 'spoiled'; readonly object: ObservedLease }
  | LiveGate

/** A gate of ours with a readable mark: pods can be stamped under it. */
export type LiveGate = OpenGate | HeldGate | VacantGate

export interface OpenGate {
  readonly kind: 'open'
  readonly object: GateObject
  readonly term: number
}

export interface HeldGate {
  readonly kind: 'held'
  readonly object: GateObject
  readonly term: number
  readonly holder: Holder
}

export interface VacantGate {
  readonly kind: 'vacant'
  readonly object: GateObject
  /** The last one that began. */
  readonly term: number
}

/** The object that the gate is, in the version that was seen. */
export interface GateObject {
  readonly uid: string
  readonly resourceVersion: string
  /** Tick at which this version was first seen. */
  readonly seenAt: number
  /** Tick at which the last quorum read, or write of ours, that showed this version began. */
  readonly readAt: number | undefined
}

/** Undefined: nothing that pods can be stamped under. */
export function liveGate(gate: Gate): LiveGate | undefined {
  return gate.kind === 'held' || gate.kind === 'open' || gate.kind === 'vacant' ? gate : undefined
}
