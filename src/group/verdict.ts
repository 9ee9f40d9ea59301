import type { NobodyReason } from './follow/follow.ts'
import { forbiddenMessage } from './forbidden.ts'
import type { GroupObservation } from './observation.ts'

export type ReadyReason =
  | 'LeaderElected'
  | 'NoPods'
  | 'NoEligiblePod'
  | 'Paused'
  | 'LeaseHeldByAnother'
  | 'LeaseDeleted'
  | 'Forbidden'
  | 'Pending'
  | NobodyReason

/** What the condition `Ready` says. */
export interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: ReadyReason
  readonly message: string
}

/** The operator lacks a permission; undefined: it does not. */
export function forbidden({ memory: { fault } }: GroupObservation): Verdict | undefined {
  if (!fault?.forbidden) return undefined
  return { status: 'False', reason: 'Forbidden', message: forbiddenMessage(fault.message) }
}

export function noPods(): Verdict {
  return {
    status: 'False',
    reason: 'NoPods',
    message: 'The selector matches no pod in this namespace: compare it with the labels of your pods',
  }
}
