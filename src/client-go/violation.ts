import type { LeaderElectionConfig } from './config.ts'
import { JitterFactor } from './jitter-factor.ts'

/** The first thing that client-go would find wrong, in its words. What it finds right may still be wrong to an Elector. */
export function violationOf(config: LeaderElectionConfig): string | undefined {
  const lease = nanosOf(config.leaseDurationSeconds)
  const renew = nanosOf(config.renewDeadlineSeconds)
  const retry = nanosOf(config.retryPeriodSeconds)
  if (lease <= renew) return 'leaseDuration must be greater than renewDeadline'
  // A Go duration is a whole number of nanoseconds: the product loses its fraction.
  if (renew <= Math.trunc(JitterFactor * retry)) return 'renewDeadline must be greater than retryPeriod*JitterFactor'
  if (lease < 1) return 'leaseDuration must be greater than zero'
  if (renew < 1) return 'renewDeadline must be greater than zero'
  if (retry < 1) return 'retryPeriod must be greater than zero'
  return missing(config)
}

/** From JavaScript, anything may be missing. */
function missing({ callbacks, lock }: Partial<LeaderElectionConfig>): string | undefined {
  if (typeof callbacks?.onStartedLeading !== 'function') return 'OnStartedLeading callback must not be nil'
  if (typeof callbacks.onStoppedLeading !== 'function') return 'OnStoppedLeading callback must not be nil'
  if (!lock) return 'Lock must not be nil.'
  return lock.identity ? undefined : 'Lock identity is empty'
}

/** What is left out is Go's zero value. */
const nanosOf = (seconds: number | undefined): number => Math.round((seconds ?? 0) * 1e9)
