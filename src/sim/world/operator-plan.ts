import type { ClockPlan } from './process-clock.ts'

/** In seconds, as flags give them. */
export interface ElectionPlan {
  readonly leaseDurationSeconds: number
  readonly renewDeadlineSeconds: number
  readonly retryPeriodSeconds: number
}

export interface OperatorPlan {
  readonly name: string
  readonly clock: ClockPlan
  /** Absent: it acts without asking the others. */
  readonly election?: ElectionPlan
  /**
   * Present: a version is rolled out and taken back all the while, so that its lives are of this build and of the other by
   * turns; says which life is the first of the other.
   */
  readonly otherBuild?: 'first' | 'second'
}
