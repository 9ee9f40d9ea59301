import { Dice } from './dice.ts'
import type { ElectionPlan, OperatorPlan } from './operator-process.ts'
import type { Deed, GroupPlan, Plan, PlannedEvent, PodEnd, Which } from './plan.ts'
import type { ClockPlan } from './process-clock.ts'
import type { SlotPlan } from './slot.ts'
import type { Effect, Traffic } from './weather.ts'

const GROUPS = ['db', 'queue', 'cache'] as const

/**
 * How time is spent. `storm`: leaders end every second, and faults follow one another; `weeks`: the same over days, with
 * Leases of an hour.
 */
const PACES = {
  storm: { gapMillis: [40, 4_000], faultMillis: [200, 8_000], leaders: [60, 140], shortLeases: true },
  hours: { gapMillis: [2_000, 600_000], faultMillis: [2_000, 900_000], leaders: [40, 80], shortLeases: false },
  days: { gapMillis: [30_000, 7_200_000], faultMillis: [60_000, 7_200_000], leaders: [20, 40], shortLeases: false },
} as const

/** The plan of a seed: always the same one. */
export function planOf(seed: number): Plan {
  const dice = new Dice(`plan/${seed}`)
  const pace = PACES[dice.weighted({ storm: 6, hours: 2, days: 2 })]
  const groups = GROUPS.slice(0, dice.whole(1, 3)).map((name) => groupOf(dice, name))
  const operators = operatorsOf(dice, pace.shortLeases)
  const servers = dice.whole(1, 3)
  const slots = groups.flatMap(({ name }) => slotsOf(dice, name))
  const leaders = dice.whole(pace.leaders[0], pace.leaders[1])
  const ends = groups.flatMap(({ name }) => endsOf(dice, name, leaders, pace.gapMillis))
  const lastAt = Math.max(...ends.map(({ at }) => at))
  const faults = faultsOf(dice, { untilMillis: lastAt, servers, everyMillis: pace.faultMillis })
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
  return {
    name,
    spec: {
      selector: { matchLabels: { [`app-${name}`]: 'yes' } },
      ...(dice.chance(0.3) ? { labelFollowers: true } : {}),
      ...(dice.chance(0.2) ? { failover: { notReadySeconds: dice.pick([1, 5]) } } : {}),
    },
  }
}

function operatorsOf(dice: Dice, shortLeases: boolean): readonly OperatorPlan[] {
  // 2 and 3 that act without asking are as safe as one, only wasteful.
  const isElected = dice.chance(0.6)
  const count = isElected ? dice.whole(1, 3) : dice.whole(1, 3)
  const election = shortLeases ? dice.pick(SHORT_LEASES) : dice.pick(LONG_LEASES)
  return ['operator-a', 'operator-b', 'operator-c'].slice(0, count).map((name) => ({
    name,
    clock: clockOf(dice),
    ...(isElected ? { election } : {}),
  }))
}

const SHORT_LEASES: readonly ElectionPlan[] = [
  { leaseDurationSeconds: 5, renewDeadlineSeconds: 3, retryPeriodSeconds: 1 },
  { leaseDurationSeconds: 15, renewDeadlineSeconds: 10, retryPeriodSeconds: 2 },
]
const LONG_LEASES: readonly ElectionPlan[] = [
  { leaseDurationSeconds: 900, renewDeadlineSeconds: 600, retryPeriodSeconds: 120 },
  { leaseDurationSeconds: 3600, renewDeadlineSeconds: 2400, retryPeriodSeconds: 600 },
]

/** Half of them as good as exact. */
function clockOf(dice: Dice): ClockPlan {
  if (dice.chance(0.5)) return { offsetMillis: 0, rate: 1 }
  return { offsetMillis: Math.round(dice.between(-3_600_000, 3_600_000)), rate: 2 ** dice.between(-1, 1) }
}

function slotsOf(dice: Dice, group: string): readonly SlotPlan[] {
  const keepsName = dice.chance(0.6)
  return Array.from({ length: dice.whole(2, 4) }, (_, index) => ({
    name: `${group}-${index}`,
    groups: [group],
    keepsName,
    startMillis: dice.millis(5, 2_000),
    recreateMillis: dice.millis(1, 1_000),
    stopMillis: dice.millis(10, 3_000),
    clock: { offsetMillis: Math.round(dice.between(-5_000, 5_000)), rate: 1 },
  }))
}

/** Leaders end, one after the other. */
function endsOf(
  dice: Dice,
  group: string,
  count: number,
  [shortest, longest]: readonly [number, number],
): readonly PlannedEvent[] {
  let at = 1_000 + dice.between(0, 3_000)
  return Array.from({ length: count }, () => {
    at += dice.millis(shortest, longest)
    const who = dice.chance(0.85) ? 'leader' : 'other'
    const how = dice.weighted<PodEnd>({ delete: 2, force: 2, unready: 8, crash: 2, fail: 0.3, succeed: 0.3, node: 0.3 })
    return { at: Math.round(at), do: 'endPod', group, who, how, millis: dice.millis(50, 5_000) }
  })
}

interface FaultTime {
  readonly untilMillis: number
  readonly servers: number
  readonly everyMillis: readonly [number, number]
}

function faultsOf(dice: Dice, time: FaultTime): readonly PlannedEvent[] {
  const faults: PlannedEvent[] = []
  const [shortest, longest] = time.everyMillis
  for (let at = 3_000; ;) {
    at += dice.millis(shortest, longest)
    if (at >= time.untilMillis) return faults
    faults.push({ at: Math.round(at), ...faultOf(dice, time) })
  }
}

function faultOf(dice: Dice, { servers }: FaultTime): Deed {
  const which = dice.weighted<Which>({ acting: 5, other: 2, all: 1 })
  const one = which === 'all' ? 'acting' : which
  const millis = dice.millis(50, 12_000)
  switch (dice.weighted({ weather: 8, process: 5, cut: 1, silence: 1, freeze: 2, down: 1, compact: 1, step: 1 })) {
    case 'weather': {
      const traffic = dice.weighted<Traffic>({ all: 3, writes: 4, reads: 1, watches: 1, pods: 3, leases: 2, status: 2 })
      return { do: 'weather', which, traffic, probability: dice.pick([0.1, 0.5, 1]), effect: effectOf(dice), millis }
    }
    case 'process':
      if (dice.chance(0.4)) return { do: 'killAfterWrite', which: one, writes: dice.whole(0, 6), millis: millis / 4 }
      return {
        do: 'operator',
        which: one,
        how: dice.pick(['kill', 'pause', 'pause', 'pause', 'suspend', 'stop']),
        millis,
      }
    case 'cut':
      return { do: 'cut', which, withError: dice.chance(0.5) }
    case 'silence':
      return { do: 'silence', which, millis }
    case 'freeze':
      return { do: 'freeze', server: dice.whole(0, servers - 1), millis }
    case 'down':
      return { do: 'serverDown', server: dice.chance(0.3) ? 'all' : dice.whole(0, servers - 1), millis }
    case 'compact':
      return { do: 'compact', refusal: dice.pick(['event', 'status']) }
    case 'step':
      return { do: 'stepWall', which, byMillis: Math.round(dice.between(-3_600_000, 3_600_000)) }
  }
}

function effectOf(dice: Dice): Effect {
  const kind = dice.weighted({ lose: 1, mute: 3, reset: 3, refuse: 1, twice: 1, late: 3, slow: 2, answer: 2 })
  if (kind === 'late' || kind === 'slow') return { kind, millis: dice.millis(5, 20_000) }
  if (kind !== 'answer') return { kind }
  const status = dice.pick([429, 500, 503, 504, 401, 403])
  return { kind, status, ...(dice.chance(0.3) ? { applied: true as const } : {}) }
}
