import type { ElectorOptions } from '../lock/options.ts'
import type { Term } from '../lock/term.ts'
import type { HealthzAdaptor } from './healthz-adaptor.ts'
import type { ResourceLock } from './resource-lock.ts'

type Extras = Pick<
  ElectorOptions,
  'clockDrift' | 'termLimitSeconds' | 'onChallenge' | 'onError' | 'onOverrun' | 'clock' | 'random'
>

/** How a {@link LeaderElector} elects: client-go's names, and of an Elector's options what client-go has no word for. */
export interface LeaderElectionConfig extends Extras {
  /** What is competed for, and as whom. */
  readonly lock: ResourceLock
  /** For how long nobody else may lead after the last renewal they saw. client-go's programs have 15. */
  readonly leaseDurationSeconds: number
  /** When a term ends, counted from the start of the last write that succeeded. client-go's programs have 10. */
  readonly renewDeadlineSeconds: number
  /** Between two renewals, and at least between two tries. client-go's programs have 2. */
  readonly retryPeriodSeconds: number
  /** What is told. */
  readonly callbacks: LeaderCallbacks
  /** Told of the elector by `runOrDie`. */
  readonly watchDog?: HealthzAdaptor
  /** Of the election in metrics and health. @default that of the lock */
  readonly name?: string
}

/** What a {@link LeaderElector} calls. Promises are awaited before the lock is released. */
export interface LeaderCallbacks {
  /**
   * It leads, until `signal` aborts. The term goes on when this returns, and ends when it throws. Whatever must have
   * stopped before another leads belongs into its promise; `term` knows more than the signal does.
   */
  readonly onStartedLeading: (signal: AbortSignal, term: Term) => unknown
  /** It leads no more: called once after every `onStartedLeading`, as soon as the signal has aborted. */
  readonly onStoppedLeading: () => unknown
  /** Another holder than before was seen, possibly this elector; empty: none. What it throws goes to `onError`. */
  readonly onNewLeader?: (identity: string) => unknown
}
