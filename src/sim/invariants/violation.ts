/** The invariants I1 to I14 and the demands on liveness L1 to L4; each is explained where it is judged. */
export type Rule =
  | 'I1'
  | 'I2'
  | 'I3'
  | 'I4'
  | 'I5'
  | 'I6'
  | 'I7'
  | 'I8'
  | 'I9'
  | 'I10'
  | 'I11'
  | 'I12'
  | 'I13'
  | 'I14'
  | 'L1'
  | 'L2'
  | 'L4'

/** A rule is broken. */
export interface Violation {
  readonly rule: Rule
  /** Of the store, as it was then. */
  readonly version: number
  readonly at: number
  /** What about: a group or a Lease, `<namespace>/<name>`, or a process. */
  readonly subject: string
  readonly text: string
}

export function describeViolation({ rule, version, at, subject, text }: Violation): string {
  return `${rule} broken at version ${version}, ${Math.round(at)} ms: ${subject}: ${text}`
}
