import type { ElectionOmission } from './election-world.ts'

export interface ElectionRules {
  /** Writes take no time. */
  readonly promptWrites?: boolean
  /** Reads take no time. */
  readonly promptReads?: boolean
  /** Work returns as soon as its term is over. */
  readonly promptWork?: boolean
  /** A process may be stopped between what it decides and what it sends. */
  readonly hesitant?: boolean
  readonly omission?: ElectionOmission
}
