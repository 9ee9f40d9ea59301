import type { ElectionPlan } from './operator-plan.ts'

type Range = readonly [from: number, to: number]

/** How time is spent in a run. */
export interface Pace {
  /** From the end of one leader to that of the next. */
  readonly gapMillis: Range
  /** The same where pods elect among themselves. */
  readonly termMillis: Range
  /** From one fault to the next. */
  readonly faultMillis: Range
  /** How long a fault lasts. */
  readonly lastMillis: Range
  /** How long leaders end, and faults strike. */
  readonly spanMillis: Range
  /** How fast the clocks of operators run. */
  readonly rates: Range
  readonly operatorLeases: readonly ElectionPlan[]
  readonly candidateLeases: readonly ElectionPlan[]
}

/** `storm`: leaders end every second, and faults follow one another; `days`: both rarely, with Leases of up to an hour. */
export const PACES: Readonly<Record<'storm' | 'hours' | 'days', Pace>> = {
  storm: {
    gapMillis: [30, 2_000],
    termMillis: [200, 4_000],
    faultMillis: [300, 10_000],
    lastMillis: [50, 12_000],
    spanMillis: [40_000, 120_000],
    rates: [0.5, 2],
    operatorLeases: [lease(5, 3, 1), lease(15, 10, 2)],
    candidateLeases: [lease(3, 2, 0.5), lease(5, 3, 1), lease(15, 10, 2)],
  },
  hours: {
    gapMillis: [500, 300_000],
    termMillis: [5_000, 600_000],
    faultMillis: [5_000, 900_000],
    lastMillis: [50, 120_000],
    spanMillis: [2_400_000, 5_400_000],
    rates: [0.5, 2],
    operatorLeases: [lease(120, 80, 20), lease(300, 200, 60)],
    candidateLeases: [lease(300, 200, 60), lease(600, 400, 120)],
  },
  days: {
    gapMillis: [5_000, 7_200_000],
    termMillis: [60_000, 7_200_000],
    faultMillis: [60_000, 14_400_000],
    lastMillis: [50, 1_800_000],
    spanMillis: [43_200_000, 108_000_000],
    // Faster ones take the silence between two bookmarks for a dead connection.
    rates: [0.5, 1.1],
    operatorLeases: [lease(900, 600, 120), lease(3600, 2400, 600)],
    candidateLeases: [lease(1800, 1200, 300), lease(3600, 2400, 600)],
  },
}

function lease(leaseDurationSeconds: number, renewDeadlineSeconds: number, retryPeriodSeconds: number): ElectionPlan {
  return { leaseDurationSeconds, renewDeadlineSeconds, retryPeriodSeconds }
}
