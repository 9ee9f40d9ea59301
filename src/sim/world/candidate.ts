import type { Link } from './link.ts'
import type { ElectionPlan } from './operator-plan.ts'
import type { ProcessClock } from './process-clock.ts'

/** How the program in a pod elects. */
export interface CandidatePlan {
  readonly kind: 'library' | 'client-go'
  readonly lease: string
  readonly timing: ElectionPlan
  /** It empties the Lease when it is asked to stop. */
  readonly releases: boolean
  /** What it calls itself in the Lease. */
  readonly identity: 'name_uid' | 'uid' | 'name'
}

/** A process that elects. */
export interface Candidate {
  readonly process: string
  readonly identity: string
  readonly clock: ProcessClock
  readonly link: Link
  /** Says what it believes now, if that is asked for: of the Lease of this name. */
  tell(lease: string): void
  /** It gives the Lease back, and lets others come first. */
  giveWay(): void
  /** SIGTERM. */
  stop(): void
  kill(): void
}
