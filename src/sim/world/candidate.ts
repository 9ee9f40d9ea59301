import type { ProcessClock } from './process-clock.ts'
import type { ElectionPlan } from './operator-process.ts'

/** How the program in a pod elects. */
export interface CandidatePlan {
  readonly kind: 'library' | 'client-go'
  readonly lease: string
  readonly timing: ElectionPlan
  /** It empties the Lease when it is asked to stop. */
  readonly releases: boolean
}

/** A process that elects. */
export interface Candidate {
  readonly process: string
  readonly identity: string
  readonly clock: ProcessClock
  /** What it would say if it were asked now; undefined while it can't answer. */
  leads(): boolean | undefined
  /** SIGTERM. */
  stop(): void
  kill(): void
}
