import { GATE_ANNOTATION, groupKeys, LEADER_ROLE } from '../../group/keys.ts'
import { EndpointSlices, Leases, Pods } from '../../kube/objects.ts'
import { LeaderGroups } from '../../operator/resources.ts'
import { hostileGroup } from './hostile.ts'
import type { Deed, PlannedEvent } from './plan.ts'
import type { World } from './world.ts'

/** What a person, or another program, does to the objects of a group. */
export function meddle(world: World, { at, group, what, millis }: PlannedEvent & Extract<Deed, { do: 'hand' }>): void {
  const { user } = world
  const keys = groupKeys(group)
  const leader = world.slotOf(group, 'leader')?.podName
  const other = world.slotOf(group, 'other')?.podName
  const annotate = (pod: string | undefined, annotations: object): void => {
    if (pod !== undefined) user.patch(Pods, pod, { metadata: { annotations } })
  }
  switch (what) {
    case 'label':
      if (other !== undefined) user.patch(Pods, other, { metadata: { labels: { [keys.role]: LEADER_ROLE } } })
      return
    case 'unlabel':
      if (leader !== undefined) user.patch(Pods, leader, { metadata: { labels: { [keys.role]: null } } })
      return
    case 'unstamp':
      return annotate(leader ?? other, { [keys.sealed]: null })
    case 'forgeTerm':
      return annotate(other, { [keys.term]: '4711' })
    case 'wipeStatus':
      user.patch(LeaderGroups, group, { status: null }, 'status')
      return
    case 'deselect': {
      const pod = leader ?? other
      if (pod === undefined) return
      user.patch(Pods, pod, { metadata: { labels: { [`app-${group}`]: 'no' } } })
      return world.later(millis, () => user.patch(Pods, pod, { metadata: { labels: { [`app-${group}`]: 'yes' } } }))
    }
    case 'regroup':
      user.delete(LeaderGroups, group)
      return world.later(millis, () => world.createGroup(group))
    case 'followers':
      user.patch(LeaderGroups, group, { spec: { labelFollowers: true } })
      return world.later(millis, () => user.patch(LeaderGroups, group, { spec: { labelFollowers: null } }))
    case 'pauseGroup':
      user.patch(LeaderGroups, group, { spec: { paused: true } })
      return world.later(millis, () => user.patch(LeaderGroups, group, { spec: { paused: null } }))
    case 'deleteLease':
      user.delete(Leases, group)
      return
    case 'takeLease':
      user.patch(Leases, group, { spec: { holderIdentity: 'a-stranger' } })
      return
    case 'garbageLease':
      user.patch(Leases, group, { spec: { holderIdentity: '\u0000 __proto__', leaseTransitions: 0 } })
      return
    case 'spoilMark':
      user.patch(Leases, group, { metadata: { annotations: { [GATE_ANNOTATION]: 'spoilt' } } })
      return
    case 'hostileGroup': {
      const hostile = hostileGroup(`${world.seed}/hostile/${at}`)
      user.create(LeaderGroups, hostile)
      return world.later(millis, () => user.delete(LeaderGroups, hostile.metadata.name))
    }
    case 'copyLease':
      return putBack(world, group)
    case 'slices':
      for (const slice of world.slicesOf(group)) user.delete(EndpointSlices, slice)
  }
}

/** A Lease that is deleted and put back from a copy. */
function putBack({ user }: World, group: string): void {
  const lease = user.find(Leases, group)
  if (!lease) return
  const { uid: _uid, resourceVersion: _version, creationTimestamp: _created, ...metadata } = lease.metadata
  user.delete(Leases, group)
  user.create(Leases, { ...lease, metadata })
}

/** Writes to it without changing what it says. */
export function touch(world: World, group: string, what: 'pods' | 'lease' | 'group'): void {
  const { user } = world
  const metadata = { annotations: { 'example.com/touched': String(world.world.now()) } }
  if (what === 'lease') user.patch(Leases, group, { metadata })
  if (what === 'group') user.patch(LeaderGroups, group, { metadata })
  if (what !== 'pods') return
  for (const { plan, podName } of world.slots) {
    if (podName !== undefined && plan.groups.includes(group)) user.patch(Pods, podName, { metadata })
  }
}
