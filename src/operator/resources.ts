import type { LeaderGroup } from '../group/leadergroup.ts'
import type { Resource } from '../kube/objects.ts'

export const LeaderGroups: Resource<LeaderGroup> = {
  group: 'leadergroup.io',
  version: 'v1alpha1',
  plural: 'leadergroups',
  kind: 'LeaderGroup',
}
