import type { Election } from './election.ts'
import type { Gate } from './gate/gate-state.ts'
import type { LeaderGroup } from './leadergroup.ts'
import type { GroupObservation } from './observation.ts'
import { decideRouting, type RoutingDecision } from './routing/decide-routing.ts'
import type { RoutingAction } from './routing/routing-action.ts'
import { leads, stampedTerm } from './seal.ts'

/** The routing that follows from who leads. */
export function routeGroup(
  o: GroupObservation,
  group: LeaderGroup,
  gate: Gate,
  { preparing = false }: Pick<Election, 'preparing'>,
): RoutingDecision {
  const { beforeLabel, besideLabel, chores, conditions, problems } = decideRouting({
    namespace: o.namespace,
    group: { name: o.name, uid: group.metadata.uid },
    // One that is being deleted wants nothing any more.
    wishes: group.metadata.deletionTimestamp === undefined ? (group.spec.services ?? []) : [],
    pods: o.pods.filter((pod) => pod.selected),
    leader: leaderOf(o, gate),
    gateReadAt: gate.kind === 'absent' ? undefined : gate.object.readAt,
    groupReadAt: o.groupReadAt,
    services: o.services,
    slices: o.slices,
    fault: o.memory.fault,
  })
  // The last leader's slices wait for the next one's name, to be swapped in one write each.
  if (preparing) return { beforeLabel: [], besideLabel: [], chores: [], conditions, problems }
  const possible = (action: RoutingAction): boolean => action.kind !== 'readGate' || gate.kind !== 'absent'
  return {
    beforeLabel: beforeLabel.filter(possible),
    besideLabel,
    chores: chores.filter(possible),
    conditions,
    problems,
  }
}

/**
 * The gate's holder while it may lead, also before it is labelled and until it is sealed. Who leads goes on even if somebody
 * took its stamp off: it keeps its label, so it keeps its traffic.
 */
function leaderOf(o: GroupObservation, gate: Gate): { readonly uid: string; readonly term: number } | undefined {
  if (gate.kind !== 'held') return undefined
  const { holder, term } = gate
  const pod = o.pods.find(({ uid }) => uid === holder.uid)
  if (pod?.selected !== true) return undefined
  const mayLead = leads(pod, gate) || (stampedTerm(pod, gate) ?? Infinity) < term
  return mayLead ? { uid: holder.uid, term } : undefined
}
