import { Dice } from './dice.ts'
import { faultsOf } from './make-faults.ts'
import type { ElectionPlan, OperatorPlan } from './operator-plan.ts'
import { PACES, type Pace } from './pace.ts'
import type { GroupPlan, Plan, PlannedEvent, PodEnd } from './plan.ts'
import type { ClockPlan } from './process-clock.ts'
import type { SlotPlan } from './slot.ts'

const NAMES = ['db', 'queue', 'cache'] as const

/** The plan of a seed: always the same one. */
export function planOf(seed: number): Plan {
  const dice = new Dice(`plan/${seed}`)
  const pace = PACES[dice.weighted({ storm: 6, hours: 2, days: 3 })]
  const groups = NAMES.slice(0, dice.whole(1, 3)).map((name) => groupOf(dice, name))
  const operators = operatorsOf(dice, pace)
  const servers = dice.whole(1, 3)
  const slots = sharing(
    dice,
    groups.flatMap((group) => slotsOf(dice, group, pace)),
    groups,
  )
  const lastAt = Math.round(dice.between(pace.spanMillis[0], pace.spanMillis[1]))
  const ends = groups.flatMap((group) => endsOf(dice, group, lastAt, pace))
  const faults = faultsOf(dice, { untilMillis: lastAt, servers, groups, pace, ends })
  return {
    seed,
    network: { servers, latencyMillis: dice.pick([1, 5, 5, 40]), lagMillis: dice.pick([1, 5, 30, 500]) },
    operators,
    groups,
    slots,
    events: [...ends, ...faults].toSorted((a, b) => a.at - b.at),
    calmAt: lastAt + 1_000,
  }
}

function groupOf(dice: Dice, name: string): GroupPlan {
  const mode = dice.chance(0.35) ? 'Observe' : 'Assign'
  const release = mode === 'Observe' && dice.chance(0.5)
  return {
    name,
    mode,
    spec: {
      mode,
      selector: { matchLabels: { [`app-${name}`]: 'yes' } },
      ...(dice.chance(0.2) ? { labelFollowers: true } : {}),
      ...(release ? { failover: { releaseDeadHolder: true } } : {}),
      ...(mode === 'Assign' && dice.chance(0.15) ? { failover: { notReadySeconds: dice.pick([1, 5]) } } : {}),
      ...(dice.chance(0.15) ? { services: SERVICES(name) } : {}),
    },
  }
}

const SERVICES = (name: string): object[] => [
  { name, role: 'Leader', ports: [{ name: 'sql', port: 5432, targetPort: 5432 }] },
  { name: `${name}-ro`, role: 'Follower', ports: [{ name: 'sql', port: 5432, targetPort: 5432 }] },
]

function operatorsOf(dice: Dice, pace: Pace): readonly OperatorPlan[] {
  // Two or three that act without asking are as safe as one, only wasteful.
  const isElected = dice.chance(0.7)
  const count = dice.pick(pace === PACES.days ? [1, 1, 1, 1, 2] : [1, 1, 2, 2, 3])
  const election = dice.pick(pace.operatorLeases)
  const isRolled = isElected && dice.chance(0.2)
  return ['operator-a', 'operator-b', 'operator-c'].slice(0, count).map((name) => ({
    name,
    clock: clockOf(dice, pace),
    ...(isElected ? { election } : {}),
    ...(isRolled ? { otherBuild: dice.pick<'first' | 'second'>(['first', 'second']) } : {}),
  }))
}

/** Half of them as good as exact. */
function clockOf(dice: Dice, { rates: [slowest, fastest] }: Pace): ClockPlan {
  if (dice.chance(0.5)) return { offsetMillis: 0, rate: 1 }
  const rate = 2 ** dice.between(Math.log2(slowest), Math.log2(fastest))
  return { offsetMillis: Math.round(dice.between(-3_600_000, 3_600_000)), rate }
}

/** Most nodes run as fast as the next, to the drift that electors allow for; some do not. */
function nodeClockOf(dice: Dice, isWild: boolean): ClockPlan {
  const offsetMillis = Math.round(dice.between(-3_600_000, 3_600_000))
  if (isWild) return { offsetMillis, rate: 2 ** dice.between(-1, 1) }
  return { offsetMillis, rate: dice.pick([1, 1, dice.between(0.95, 1.08)]) }
}

function slotsOf(dice: Dice, { name: group, mode }: GroupPlan, pace: Pace): readonly SlotPlan[] {
  const keepsName = dice.chance(0.6)
  const isWild = dice.chance(0.1)
  const timing = dice.pick(pace.candidateLeases)
  const identity = dice.weighted({ name_uid: 6, uid: 1, name: keepsName ? 0 : 1 })
  const others = dice.pick([0, 0, 0.5, 1])
  return Array.from({ length: dice.whole(2, 4) }, (_, index) => ({
    name: `${group}-${index}`,
    groups: [group],
    keepsName,
    startMillis: dice.millis(5, 2_000),
    recreateMillis: dice.millis(1, 1_000),
    stopMillis: dice.millis(10, 3_000),
    clock: nodeClockOf(dice, isWild),
    ...(dice.chance(0.5) ? { spareClock: nodeClockOf(dice, isWild) } : {}),
    ...(mode === 'Observe' ? { candidate: candidateOf(dice, group, timing, others, identity) } : {}),
  }))
}

function candidateOf(
  dice: Dice,
  lease: string,
  timing: ElectionPlan,
  others: number,
  identity: 'name_uid' | 'uid' | 'name',
): NonNullable<SlotPlan['candidate']> {
  const kind = dice.chance(others) ? 'client-go' : 'library'
  return { kind, lease, timing, releases: dice.chance(0.8), identity }
}

/** Now and then two groups select the same pods. */
function sharing(dice: Dice, slots: readonly SlotPlan[], groups: readonly GroupPlan[]): readonly SlotPlan[] {
  const [one, another] = groups
  if (!another || another.mode === 'Observe' || !dice.chance(0.2)) return slots
  return slots.map((slot) => (slot.groups[0] === one!.name ? { ...slot, groups: [one!.name, another.name] } : slot))
}

/** Leaders end, one after the other. */
function endsOf(
  dice: Dice,
  group: GroupPlan,
  lastAt: number,
  pace: Pace,
): readonly (PlannedEvent & { group: string })[] {
  const [shortest, longest] = group.mode === 'Observe' ? pace.termMillis : pace.gapMillis
  const ends: (PlannedEvent & { group: string })[] = []
  for (let at = 1_000 + dice.between(0, 3_000); ;) {
    at += dice.millis(shortest, longest)
    if (at > lastAt) return ends
    const who = dice.weighted<'leader' | 'other' | 'all'>({ leader: 22, other: 2, all: 1 })
    const how = dice.weighted<PodEnd>(group.mode === 'Observe' ? OBSERVED_ENDS : ASSIGNED_ENDS)
    // Now and then the next one just when it was named.
    const during = dice.chance(0.05) ? { during: { group: group.name, state: 'moving' as const } } : {}
    const millis = dice.millis(50, 5_000)
    ends.push({ at: Math.round(at), do: 'endPod', group: group.name, who, how, millis, ...during })
  }
}

const ASSIGNED_ENDS = { ineligible: 8, unready: 8, delete: 2, force: 3, crash: 2, fail: 0.3, succeed: 0.3, node: 0.3 }
const OBSERVED_ENDS = { giveWay: 14, delete: 2, force: 1, crash: 2, fail: 0.3, succeed: 0.3, node: 0.8, unready: 0.5 }
