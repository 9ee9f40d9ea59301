import type { Election } from './election.ts'
import type { LeaderGroup } from './leadergroup.ts'
import type { GroupObservation, ObservedPod } from './observation.ts'
import { quoted } from './quoted.ts'
import { forbidden, noPods, type Verdict } from './verdict.ts'
import { leaseNameOf } from './spec.ts'

/** Mode Observe: the condition `Ready`. True only while the pod that holds the Lease bears the label. */
export function followedVerdict(
  o: GroupObservation,
  group: LeaderGroup,
  leader: ObservedPod | undefined,
  { reason: why, follow }: Pick<Election, 'reason' | 'follow'>,
): Verdict {
  const target = follow?.target
  const leads = leader !== undefined && target?.kind !== 'nobody'
  if (leads && (target?.kind !== 'holder' || target.pod.uid === leader.uid)) {
    const holder = quoted(o.lease?.holderIdentity ?? '')
    // The same words also where an operator has just started: nothing has changed for whoever reads them.
    return {
      status: 'True',
      reason: 'LeaderElected',
      message: `${leader.name} holds Lease ${leaseNameOf(group)} as ${holder}`,
    }
  }
  const fault = forbidden(o)
  if (fault) return fault
  if (!o.pods.some(({ selected }) => selected)) return noPods()
  switch (target?.kind) {
    case 'nobody':
      return { status: 'False', reason: target.reason, message: target.message }
    case 'stay':
      return { status: 'False', reason: 'HolderUnproven', message: target.message }
    case 'holder':
    case undefined:
      return { status: 'Unknown', reason: 'Pending', message: why }
  }
}
