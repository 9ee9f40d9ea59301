/**
 * The gate is the one object whose compare-and-swap decides who leads: in mode Assign the group's Lease.
 *
 * - The gate's **mark**, `<holder identity or ->/<gate UID or ->/<term>`, repeats what each of our gate writes says. Where
 *   the gate and its mark disagree, somebody else wrote the gate. The UID is there for a gate that is deleted and put
 *   back from a copy: it looks as we wrote it, but late writes of the old one may still be under way.
 * - A pod's **stamp**, `<gate UID>/<term>`, says: under this gate, this pod may not lead in this term or an earlier one.
 *
 * Numbers above {@link LAST_TERM} are malformed: they cannot be told apart after adding one.
 */
export const LAST_TERM = Number.MAX_SAFE_INTEGER - 1

/**
 * Terms go up by one or two. A number on a pod that is so far above what gate and status know was written by somebody
 * else; to go on above it would let whoever may annotate a pod use all numbers up.
 */
export const FORGED_LEAP = 2 ** 31

/** `leaseTransitions` is an int32. */
const LAST_TRANSITION = 2 ** 31 - 1

export interface Stamp {
  readonly gateUID: string
  readonly term: number
}

export interface Mark {
  /** Absent: the gate names nobody. */
  readonly holder: Holder | undefined
  /** UID of the gate; absent in the mark that it is born with, when it has none yet. */
  readonly gateUID: string | undefined
  readonly term: number
}

/** A pod by name and UID: one that is recreated under its name is another holder. */
export interface Holder {
  readonly name: string
  readonly uid: string
}

const NONE = '-'

export function parseTerm(text: string | undefined): number | undefined {
  if (text === undefined || !/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined
  const term = Number(text)
  return term <= LAST_TERM ? term : undefined
}

export function parseStamp(text: string | undefined): Stamp | undefined {
  const [, gateUID, digits] = /^([^/]+)\/([0-9]+)$/.exec(text ?? '') ?? []
  const term = parseTerm(digits)
  return gateUID === undefined || term === undefined ? undefined : { gateUID, term }
}

export function formatStamp(stamp: Stamp): string {
  return `${stamp.gateUID}/${stamp.term}`
}

export function parseMark(text: string | undefined): Mark | undefined {
  const [, identity = '', gateUID = '', digits] = /^([^/]+)\/([^/]+)\/([0-9]+)$/.exec(text ?? '') ?? []
  const term = parseTerm(digits)
  const holder = parseIdentity(identity)
  if (term === undefined || (!holder && identity !== NONE)) return undefined
  return { holder, gateUID: gateUID === NONE ? undefined : gateUID, term }
}

export function formatMark({ holder, gateUID, term }: Mark): string {
  return `${holder ? formatIdentity(holder) : NONE}/${gateUID ?? NONE}/${term}`
}

export function transitionsOf(term: number): number {
  return Math.min(term, LAST_TRANSITION)
}

/** The holder identity `<pod name>_<pod UID>`; neither part can contain the underscore. */
export function formatIdentity({ name, uid }: Holder): string {
  return `${name}_${uid}`
}

export function parseIdentity(identity: string): Holder | undefined {
  const [, name, uid] = /^([^_]+)_([^_]+)$/.exec(identity) ?? []
  return name === undefined || uid === undefined ? undefined : { name, uid }
}
