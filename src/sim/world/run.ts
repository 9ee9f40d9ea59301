import { groupKeys, LEADER_ROLE } from '../../group/keys.ts'
import { Pods } from '../../kube/objects.ts'
import { LeaderGroups } from '../../operator/resources.ts'
import type { Bounds } from '../invariants/liveness.ts'
import { describeViolation } from '../invariants/violation.ts'
import type { Revision } from '../store.ts'
import { boundsOf, SILENCE_MILLIS, slowestRateOf } from './bounds.ts'
import { perform } from './deeds.ts'
import type { Network } from './network.ts'
import type { Plan, PlannedEvent } from './plan.ts'
import { World } from './world.ts'
import type { Line } from './trace.ts'

export interface Violation {
  readonly rule: string
  readonly text: string
}

export interface Outcome {
  readonly seed: number
  /** Equal for two runs that went alike. */
  readonly digest: string
  readonly violations: readonly Violation[]
  /** Pods that were labelled after another one had been. */
  readonly failovers: number
  readonly simulatedMillis: number
  readonly writes: number
  /** Faults with the states that they struck in, and branches of decisions. */
  readonly reached: readonly string[]
  readonly lines: readonly Line[]
}

const STEP_MILLIS = 2_000
/** Once all is well, counts in status and events follow. */
const SETTLE_MILLIS = 10_000
/** Then nothing is written any more. */
const QUIET_MILLIS = 20_000

export interface RunOptions {
  /** Keeps what happens, for a reader. */
  readonly isTold?: boolean
  readonly tamper?: Network['tamper']
  /** How soon all must be well. @default what the plan's clocks and Leases ask for */
  readonly bounds?: Bounds
}

/** Plays a plan: the same plan, the same outcome. */
export async function run(
  plan: Plan,
  { isTold = false, tamper, bounds = boundsOf(plan) }: RunOptions = {},
): Promise<Outcome> {
  const world = new World(plan, { isTold, bounds })
  if (tamper) world.network.tamper = tamper
  const violations: Violation[] = []
  world.begin()
  for (const event of plan.events) {
    world.world.timer(event.at, () => {
      const { during } = event
      // Not within the commit that brings the moment, but at its time.
      if (during) world.lookout.wait(during, () => world.later(0, () => begin(world, event)))
      else begin(world, event)
    })
  }
  await world.world.advance(plan.calmAt)
  calm(world)
  const isWell = (): boolean => {
    return plan.groups.every(({ name }) => unwell(world, name) === undefined) && world.witness.missing().length === 0
  }
  for (const until = world.world.now() + bounds.recoveryMillis; !isWell() && world.world.now() < until;) {
    await world.world.advance(STEP_MILLIS)
  }
  await world.world.advance(SETTLE_MILLIS + SILENCE_MILLIS / slowestRateOf(plan))
  const writesBefore = world.api.history.length
  await world.world.advance(QUIET_MILLIS)
  for (const { name } of plan.groups) {
    const text = unwell(world, name)
    if (text !== undefined) violations.push({ rule: 'L1', text })
  }
  for (const { rule, subject, text } of world.witness.missing()) violations.push({ rule, text: `${subject}: ${text}` })
  const loud = loudIn(world.api.history.slice(writesBefore))
  if (loud !== undefined) violations.push({ rule: 'I14', text: loud })
  for (const violation of world.witness.violations)
    violations.push({ rule: violation.rule, text: describeViolation(violation) })
  for (const { who, error } of world.faults) {
    violations.push({ rule: 'crash', text: `${who}: ${error instanceof Error ? error.stack : String(error)}` })
  }
  return {
    seed: plan.seed,
    digest: world.trace.digest(),
    violations,
    failovers: world.boards.reduce((sum, { failovers }) => sum + failovers, 0),
    simulatedMillis: world.world.now(),
    writes: world.api.history.length,
    reached: [...world.reached],
    lines: world.trace.lines,
  }
}

function begin(world: World, event: PlannedEvent): void {
  world.outages.begin(event, (millis, end) => world.later(millis, end))
  perform(world, event)
}

/** All faults end: what is paused goes on, what is dead is started, and what was of another build is of this one. */
function calm(world: World): void {
  world.trace.tell(world.world.now(), 'fate', () => 'calm: all faults end')
  world.lookout.calm()
  world.network.calm()
  world.outages.calm()
  for (const operator of world.operators) {
    operator.clock?.resume()
    operator.link?.calm()
    operator.rollOut()
  }
  for (const slot of world.slots) slot.calm()
}

/** Why the group is not as it should be, if anybody can lead it. */
function unwell(world: World, group: string): string | undefined {
  const observes = world.plan.groups.some(({ name, mode }) => name === group && mode === 'Observe')
  const slots = world.slots.filter(({ plan, isReady, isEligible, candidate }) => {
    return plan.groups.includes(group) && (observes ? candidate !== undefined : isReady && isEligible)
  })
  if (slots.length === 0) return undefined
  const { role } = groupKeys(group)
  const leaders = slots.filter(
    ({ podName }) => world.user.find(Pods, podName!)?.metadata.labels?.[role] === LEADER_ROLE,
  )
  const status = world.user.find(LeaderGroups, group)?.status
  const said = `status names ${status?.holder}`
  const board = world.boards.find((each) => each.group === group)!
  if (leaders.length !== 1 || board.labelled !== 1) {
    return `${group}: ${leaders.length} of ${slots.length} ready pods lead, ${board.labelled} in all; ${said}`
  }
  if (status?.holderUID !== leaders[0]?.podUid) return `${group}: ${leaders[0]?.podName} leads, ${said}`
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' ? undefined : `${group}: condition Ready is ${ready?.status}, ${ready?.reason}`
}

/** What an operator wrote although nothing happened; leaving events and its own Lease aside. */
function loudIn(revisions: readonly Revision[]): string | undefined {
  const loud = revisions.find(
    ({ resource, object, user }) =>
      resource.kind !== 'Event' && object.metadata.namespace !== 'leadergroup-system' && user.startsWith('operator'),
  )
  return loud && `in a stable world ${loud.user} wrote ${loud.resource.plural} ${loud.object.metadata.name}`
}
