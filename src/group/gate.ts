/**
 * The gate is the one object whose compare-and-swap decides who leads: in mode Assign the group's Lease.
 *
 * - The gate's **mark**, `<holder's pod UID or ->/<term>`, is renewed by each of our gate writes. Where holder and mark
 *   disagree, somebody else wrote the gate.
 * - A pod's **stamp**, `<gate UID>/<term>`, says: under this gate, this pod may not lead in this term or an earlier one.
 *
 * Numbers above {@link LAST_TERM} are malformed: they cannot be told apart after adding one.
 */
export const LAST_TERM = Number.MAX_SAFE_INTEGER - 1

/** `leaseTransitions` is an int32. */
const LAST_TRANSITION = 2 ** 31 - 1

export interface Stamp {
  readonly gateUID: string
  readonly term: number
}

export interface Mark {
  /** Absent: the gate names nobody. */
  readonly holderUID: string | undefined
  readonly term: number
}

const NOBODY = '-'

export function parseTerm(text: string | undefined): number | undefined {
  if (text === undefined || !/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined
  const term = Number(text)
  return term <= LAST_TERM ? term : undefined
}

export function parseStamp(text: string | undefined): Stamp | undefined {
  const parts = split(text)
  return parts && { gateUID: parts.subject, term: parts.term }
}

export function formatStamp(stamp: Stamp): string {
  return `${stamp.gateUID}/${stamp.term}`
}

export function parseMark(text: string | undefined): Mark | undefined {
  const parts = split(text)
  return parts && { holderUID: parts.subject === NOBODY ? undefined : parts.subject, term: parts.term }
}

export function formatMark(mark: Mark): string {
  return `${mark.holderUID ?? NOBODY}/${mark.term}`
}

export function transitionsOf(term: number): number {
  return Math.min(term, LAST_TRANSITION)
}

/** The holder identity `<pod name>_<pod UID>`: a pod recreated under its name is another candidate. */
export function formatIdentity(pod: { readonly name: string; readonly uid: string }): string {
  return `${pod.name}_${pod.uid}`
}

/** The pod name in an identity whose UID is known from the mark. */
export function podNameOf(identity: string, uid: string): string | undefined {
  const name = identity.slice(0, -uid.length - 1)
  return name !== '' && identity === `${name}_${uid}` ? name : undefined
}

function split(text: string | undefined): { subject: string; term: number } | undefined {
  const match = /^([^/]+)\/([0-9]+)$/.exec(text ?? '')
  const term = parseTerm(match?.[2])
  return match?.[1] === undefined || term === undefined ? undefined : { subject: match[1], term }
}
