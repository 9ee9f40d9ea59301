/**
 * A request about one object that is written by comparing versions, as a Lease is, and what its sender learned. All times
 * are of one clock.
 */
export type Operation = Read | Write | Removal

interface Timed {
  /** Not after the server could see it. */
  readonly calledAt: number
  /** Not before the server had decided; absent: no answer came, or one that tells nothing. */
  readonly returnedAt?: number
  /** Who and what, for messages. */
  readonly what?: string
}

/** A quorum read that was answered. */
export interface Read extends Timed {
  readonly kind: 'read'
  readonly returnedAt: number
  /** Absent: there was no object. */
  readonly found?: number
}

export interface Write extends Timed {
  readonly kind: 'create' | 'update'
  /** The version that it replaces; absent: whatever is there, or, of a create, nothing. */
  readonly expected?: number
  readonly outcome: 'ok' | 'conflict' | 'unknown'
  /** What it made; the one it replaced if it changed nothing. */
  readonly version?: number
}

export interface Removal extends Timed {
  readonly kind: 'delete'
  /** The version that it removes. Of one that succeeded without a precondition, the one that the store says. */
  readonly expected?: number
  readonly outcome: 'ok' | 'conflict' | 'unknown'
}

export function describeOperation(operation: Operation): string {
  const { what = 'somebody', calledAt, returnedAt = '?' } = operation
  return `${what} ${deed(operation)} [${calledAt}, ${returnedAt}]`
}

function deed(operation: Operation): string {
  if (operation.kind === 'read') return `read ${operation.found ?? 'nothing'}`
  const { kind, expected, outcome } = operation
  const made = kind === 'delete' || operation.version === undefined ? '' : ` → ${operation.version}`
  return `${kind} ${expected ?? 'any'}${made}: ${outcome}`
}
