/**
 * When nothing is done to them any more, all groups become right within a bound (L1), and then nothing is written (I14): one
 * ready pod bears the label, and gate, status, condition and the slice of its Service say so.
 */
import { formatIdentity, parseMark } from '../../src/group/gate/gate.ts'
import { GATE_ANNOTATION, LEADER_ROLE, groupKeys } from '../../src/group/keys.ts'
import { EndpointSlices, type Pod } from '../../src/kube/objects.ts'
import { ApiError } from '../../src/kube/outcome.ts'
import { podsIn, readyOf, termOf } from '../operator-scene.ts'
import type { GroupPlan } from './group-plan.ts'
import { sleep } from './persist.ts'
import type { World } from './world.ts'

/**
 * A Lease that strangers delete again and again is made anew after a minute at the latest, and processes, watches and the
 * operators' own election need some seconds before that, on a machine that is busy.
 */
export const BOUND_MILLIS = 90_000
/** Longer than the operator waits with what may wait in status. */
const QUIET_MILLIS = 2_500
const LOOK_MILLIS = 100

/** What is not right yet, by group. */
export type Unrest = ReadonlyMap<string, string>

export interface Calm {
  /** Until the last group was right, and stayed so. */
  readonly millis: number
  /** Nothing, if it came in time. */
  readonly unrest: Unrest
}

export async function untilCalm(world: World, groups: readonly GroupPlan[], boundMillis = BOUND_MILLIS): Promise<Calm> {
  const beginning = performance.now()
  let quietFrom = beginning
  let picture = ''
  for (;;) {
    const [now, unrest] = [pictureOf(world, groups), await unrestOf(world, groups)]
    if (now !== picture || unrest.size > 0) quietFrom = performance.now()
    picture = now
    if (performance.now() - quietFrom >= QUIET_MILLIS) return { millis: quietFrom - beginning, unrest }
    if (performance.now() - beginning > boundMillis + QUIET_MILLIS) {
      const restless = unrest.size > 0 ? unrest : new Map([['all groups', 'something is written all the time']])
      return { millis: performance.now() - beginning, unrest: restless }
    }
    await sleep(LOOK_MILLIS, world.signal)
  }
}

async function unrestOf(world: World, groups: readonly GroupPlan[]): Promise<Unrest> {
  const unrest = new Map<string, string>()
  for (const group of groups) {
    const why = wrongWith(world, group) ?? (await wrongBehind(world, group))
    if (why !== undefined) unrest.set(group.name, why)
  }
  return unrest
}

/** All that somebody could write, but for the renewals of candidates. */
function pictureOf({ witness }: World, groups: readonly GroupPlan[]): string {
  const pods = [...witness.pods.values()]
  const ours = groups.flatMap(({ name, mode, leaseName }) => [
    witness.groups.get(name),
    ...(mode === 'Assign' ? [witness.leases.get(leaseName)] : []),
  ])
  return [...pods, ...ours].map((object) => object?.metadata.resourceVersion).join()
}

function wrongWith(world: World, group: GroupPlan): string | undefined {
  const { name, mode, leaseName } = group
  const members = world.membersOf(name)
  const missing = members.find(
    (member) => world.witness.pods.get(member.name)?.metadata.uid !== member.pod?.metadata.uid,
  )
  if (missing) return `pod ${missing.name} is not there`
  const labelled = [...world.witness.pods.values()].filter(
    ({ metadata }) => metadata.labels?.[groupKeys(name).role] === LEADER_ROLE,
  )
  const [leader] = labelled
  const object = world.witness.groups.get(name)
  const ready = object && readyOf(object)
  if (!leader || labelled.length > 1) {
    return `${labelled.length} pods bear the label; Ready ${ready?.status} ${ready?.reason}: ${ready?.message}`
  }
  const { status } = object ?? {}
  const lease = world.witness.leases.get(leaseName)
  const identity = formatIdentity(leader.metadata)
  const gate = parseMark(mode === 'Assign' ? lease?.metadata.annotations?.[GATE_ANNOTATION] : status?.gate)
  const claims = {
    ready: leader.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True',
    'named by the gate': gate?.holder?.uid === leader.metadata.uid && String(gate.term) === termOf(leader, name),
    'holder of the Lease': lease?.spec?.holderIdentity === identity,
    'named by status': status?.holderUID === leader.metadata.uid && String(status.term) === termOf(leader, name),
    'leading by its own word': mode === 'Assign' || memberOf(world, leader)?.isLeading === true,
    'alone in that': members.filter(({ isLeading }) => isLeading).length <= 1,
  }
  const untrue = Object.entries(claims).find(([, isTrue]) => !isTrue)
  if (untrue) return `${leader.metadata.name} bears the label, and is not ${untrue[0]}`
  return ready?.status === 'True' && ready.reason === 'LeaderElected'
    ? undefined
    : `Ready ${ready?.status} ${ready?.reason}`
}

function memberOf(world: World, { metadata }: Pod) {
  return world.members.find(({ pod }) => pod?.metadata.uid === metadata.uid)
}

/** The slices of its Service lead to the leader alone. */
async function wrongBehind(world: World, { name }: GroupPlan): Promise<string | undefined> {
  const { api, namespace, witness } = world
  try {
    const labelSelector = `kubernetes.io/service-name=${name}`
    const slices = await api.list(EndpointSlices, { namespace, labelSelector })
    if (slices.kind !== 'ok') return `its slices: ${slices.message}`
    const behind = podsIn(slices.object.items).join()
    const leader = witness.groups.get(name)?.status?.holder
    return behind === leader ? undefined : `its Service leads to ${behind || 'nobody'}`
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return `the API server: ${error.message}`
  }
}
