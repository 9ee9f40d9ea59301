import type { Dice } from './dice.ts'
import type { FrozenType } from './network.ts'
import type { Pace } from './pace.ts'
import type { Deed, GroupPlan, Hand, OperatorRole, PlannedEvent, Which } from './plan.ts'
import type { State } from './state.ts'
import type { Effect, Traffic } from './weather.ts'

interface Setting {
  readonly untilMillis: number
  readonly servers: number
  readonly groups: readonly GroupPlan[]
  readonly pace: Pace
  /** When leaders end. */
  readonly ends: readonly { readonly at: number; readonly group: string }[]
}

/** A change of leader takes as long, mostly. */
const CHANGE_MILLIS = 500

/** Faults, one after the other, over the whole time; some of them while a leader is just being replaced. */
export function faultsOf(dice: Dice, setting: Setting): readonly PlannedEvent[] {
  const faults: PlannedEvent[] = []
  const [shortest, longest] = setting.pace.faultMillis
  for (let next = 3_000; ;) {
    next += dice.millis(shortest, longest)
    if (next >= setting.untilMillis) return faults
    const chosen = setting.ends.length > 0 && dice.chance(0.4) ? dice.pick(setting.ends) : undefined
    if (!chosen) faults.push({ at: Math.round(next), ...faultOf(dice, setting) })
    else faults.push(...atEnd(dice, chosen, setting))
  }
}

/** After the end of a leader; or, lest it depends on luck, as soon as the group is without one, or has one that is no leader yet. */
function atEnd(dice: Dice, { at, group }: Setting['ends'][number], setting: Setting): readonly PlannedEvent[] {
  const fault = faultOf(dice, { ...setting, groups: setting.groups.filter(({ name }) => name === group) })
  if (dice.chance(0.5)) return [{ at: Math.round(at + dice.millis(1, CHANGE_MILLIS)), ...fault }]
  const state = dice.weighted<State>({ moving: 3, leaderless: 1 })
  return [{ at, ...fault, during: { group, state } }]
}

const KINDS = {
  weather: 8,
  stop: 4,
  death: 3,
  cut: 1,
  silence: 1,
  freeze: 2,
  down: 1,
  compact: 1,
  step: 1,
  hand: 3,
  strangers: 1,
}

function faultOf(dice: Dice, { servers, groups, pace }: Setting): Deed {
  const role = dice.weighted<OperatorRole>({ acting: 6, other: 2, all: 1 })
  const hasCandidates = groups.some(({ mode }) => mode === 'Observe')
  const which = hasCandidates && dice.chance(0.35) ? dice.pick<Which>(['holders', 'holders', 'followers']) : role
  const millis = dice.millis(pace.lastMillis[0], pace.lastMillis[1])
  const group = dice.pick(groups)
  switch (dice.weighted(KINDS)) {
    case 'weather': {
      const traffic = dice.weighted<Traffic>(TRAFFIC)
      return { do: 'weather', which, traffic, probability: dice.pick([0.1, 0.5, 1]), effect: effectOf(dice), millis }
    }
    case 'stop':
      return { do: 'stop', which, how: dice.pick(['pause', 'pause', 'suspend']), millis }
    case 'death':
      if (dice.chance(0.6)) return { do: 'killAfterWrite', which: role, writes: dice.whole(0, 6), millis: millis / 4 }
      return { do: 'operator', which: role, how: dice.pick(['kill', 'stop']), millis: millis / 4 }
    case 'cut':
      return { do: 'cut', which, withError: dice.chance(0.5) }
    case 'silence':
      return { do: 'silence', which, millis }
    case 'freeze':
      return { do: 'freeze', server: dice.whole(0, servers - 1), what: dice.weighted<FrozenType>(FROZEN), millis }
    case 'down':
      return { do: 'serverDown', server: dice.chance(0.3) ? 'all' : dice.whole(0, servers - 1), millis }
    case 'compact':
      return { do: 'compact', refusal: dice.pick(['event', 'status']) }
    case 'step':
      return { do: 'stepWall', which, byMillis: Math.round(dice.between(-3_600_000, 3_600_000)) }
    case 'hand':
      return { do: 'hand', group: group.name, what: dice.weighted<Hand>(HANDS[group.mode]), millis }
    case 'strangers':
      return {
        do: 'strangers',
        group: group.name,
        what: dice.pick(['pods', 'lease', 'group']),
        everyMillis: dice.millis(1, 50),
        times: dice.whole(5, 60),
      }
  }
}

const FROZEN = { all: 3, pods: 1, leases: 1, leadergroups: 1 }
const TRAFFIC = { all: 3, writes: 4, reads: 1, watches: 1, pods: 3, leases: 2, status: 2, events: 0.5, slices: 0.5 }

const COMMON_HANDS = {
  label: 2,
  unlabel: 2,
  unstamp: 1,
  forgeTerm: 0.5,
  wipeStatus: 1,
  deselect: 1,
  regroup: 0.5,
  followers: 1,
  hostileGroup: 1,
}
const HANDS: Readonly<Record<GroupPlan['mode'], Partial<Record<Hand, number>>>> = {
  Assign: {
    ...COMMON_HANDS,
    deleteLease: 1.5,
    takeLease: 1,
    spoilMark: 1,
    copyLease: 0.5,
    pauseGroup: 0.5,
    slices: 0.5,
  },
  Observe: { ...COMMON_HANDS, deleteLease: 1, takeLease: 0.5, garbageLease: 0.5, slices: 0.5 },
}

function effectOf(dice: Dice): Effect {
  const kind = dice.weighted({ lose: 1, mute: 3, reset: 3, refuse: 1, twice: 1, late: 3, slow: 2, answer: 4 })
  if (kind === 'late' || kind === 'slow') return { kind, millis: dice.millis(5, 20_000) }
  if (kind !== 'answer') return { kind }
  const status = dice.pick([429, 500, 503, 504, 401, 403])
  return { kind, status, ...(dice.chance(0.3) ? { applied: true as const } : {}) }
}
