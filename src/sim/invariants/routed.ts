import type { LeaderGroup, LeaderGroupService } from '../../group/leadergroup.ts'
import type { EndpointSlice } from '../../kube/objects.ts'
import { ownerOf } from './wire.ts'
import type { Group, World } from './world.ts'

/** What is wrong with where the group's own Services lead the leader's traffic to; undefined: nothing. */
export function routedWrongly(world: World, group: Group, { spec, metadata }: LeaderGroup): string | undefined {
  for (const service of spec.services ?? []) {
    if (service.role !== 'Leader' || service.routing === 'Selector') continue
    const found = world.services.get(`${group.namespace}/${service.name}`)
    if (!found) return `there is no Service ${service.name}`
    // Somebody else's is left alone.
    if (ownerOf(found)?.uid !== metadata.uid) continue
    const wrong = misled(world, group, service)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function misled(world: World, { namespace, labels }: Group, service: LeaderGroupService): string | undefined {
  const [leader] = labels.keys()
  let isReached = false
  for (const slice of world.slicesIn(namespace).values()) {
    if (!isOf(slice, service.name)) continue
    for (const { targetRef } of slice.endpoints ?? []) {
      if (targetRef?.uid !== leader) return `Service ${service.name} leads to ${targetRef?.name}`
      isReached = true
    }
  }
  // A port by name may be one that the pod does not have.
  const isSure = service.ports.every(({ targetPort }) => typeof targetPort !== 'string')
  const pod = leader === undefined ? undefined : world.podsIn(namespace).get(leader)
  const hasAddress = pod?.status?.podIP !== undefined
  return isSure && hasAddress && !isReached ? `Service ${service.name} leads to nobody` : undefined
}

function isOf({ metadata: { labels = {} } }: EndpointSlice, service: string): boolean {
  return labels['kubernetes.io/service-name'] === service && labels['leadergroup.io/group'] !== undefined
}
