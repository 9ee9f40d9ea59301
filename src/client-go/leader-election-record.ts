import type { LeaseRecord } from '../election/record.ts'

/** What an elector writes, under the names that client-go's JSON has: that of its annotations, for example. */
export interface LeaderElectionRecord {
  /** Empty: released. */
  readonly holderIdentity: string
  /** For how long after its last change nobody else may take the lock. */
  readonly leaseDurationSeconds: number
  /** RFC 3339; null: none. */
  readonly acquireTime: string | null
  /** RFC 3339, of the holder's last write; null: none. */
  readonly renewTime: string | null
  /** `leaseTransitions` of a Lease. */
  readonly leaderTransitions: number
  /** Of coordinated leader election. */
  readonly strategy?: string
  /** Whom a coordinator would rather have lead. */
  readonly preferredHolder?: string
}

/** A record of this library in client-go's form. */
export function leaseSpecToLeaderElectionRecord(record: LeaseRecord): LeaderElectionRecord {
  const { leaseTransitions, acquireTime = null, renewTime = null, ...same } = record
  return { ...same, acquireTime, renewTime, leaderTransitions: leaseTransitions }
}

/** A record in client-go's form as one of this library. */
export function leaderElectionRecordToLeaseSpec(record: LeaderElectionRecord): LeaseRecord {
  const { leaderTransitions, acquireTime, renewTime, ...same } = record
  return {
    ...same,
    ...(acquireTime === null ? {} : { acquireTime }),
    ...(renewTime === null ? {} : { renewTime }),
    leaseTransitions: leaderTransitions,
  }
}
