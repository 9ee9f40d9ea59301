import type { LeaderGroup } from './leadergroup.ts'

export function modeOf(group: LeaderGroup): NonNullable<LeaderGroup['spec']['mode']> {
  return group.spec.mode ?? 'Assign'
}

export function leaseNameOf(group: LeaderGroup): string {
  return group.spec.leaseName ?? group.metadata.name
}
