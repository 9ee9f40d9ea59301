import type { Candidate, CandidatePlan } from './candidate.ts'
import type { ProcessClock } from './process-clock.ts'
import type { Stage } from './stage.ts'

/** Where a candidate runs, and as whom. */
export interface Birth {
  readonly identity: string
  readonly process: string
  readonly node: ProcessClock
  readonly stage: Stage
}

export function startCandidate(_plan: CandidatePlan, _birth: Birth): Candidate {
  throw new Error('no candidates yet')
}
