/**
 * What is to go wrong, and when: a seed and a length decide all of it. Who is hit is said by a number, for who is there at that
 * moment is known only then. So the same seed gives the same plan, and never the same run: its times are real.
 */
import { Dice } from '../dice.ts'
import { ENDINGS, type Ending, FAULTS, FAULT_KINDS, type Fault, type FaultKind } from './faults.ts'
import { type GroupPlan, groupPlans } from './group-plan.ts'

/** Faults, one after the other and beside each other, until all of them are lifted and the groups have to come to rest. */
export interface Round {
  readonly millis: number
  /** Both operators act at once, as if the Lease of their own election did not exist. */
  readonly bothAct: boolean
  /** In the order of their times. */
  readonly faults: readonly Fault[]
}

export interface Plan {
  readonly seed: number
  readonly rounds: readonly Round[]
  readonly groups: readonly GroupPlan[]
}

export interface PlanOptions {
  readonly seed: number
  readonly storms: number
  readonly stormMillis: number
  readonly groups: number
  /** Programs on client-go contend as well. */
  readonly clientGo: boolean
}

const STORM_MILLIS = 70_000
/** What a storm and the calm after it take, on a machine with much else to do. */
const ROUND_MILLIS = 90_000
/** Between the beginnings of two faults. */
const GAP_MILLIS = 1_600
const BLINK_GAP_MILLIS = 400

/** As many as fit; in the shortest run the one storm is cut short. */
export function stormsIn(minutes: number): Pick<PlanOptions, 'storms' | 'stormMillis'> {
  const millis = minutes * 60_000
  return { storms: Math.max(1, Math.round(millis / ROUND_MILLIS)), stormMillis: Math.min(STORM_MILLIS, millis) }
}

export function planOf({ seed, storms, stormMillis, groups, clientGo }: PlanOptions): Plan {
  const dice = new Dice(seed)
  const rounds = Array.from({ length: storms }, (_, index) => roundOf(dice.fork(), stormMillis, index % 2 === 1))
  return { seed, rounds, groups: groupPlans(groups, dice.fork(), { clientGo }) }
}

function roundOf(dice: Dice, millis: number, bothAct: boolean): Round {
  const weights = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, FAULTS[kind].weight])) as Record<
    FaultKind,
    number
  >
  const faults = faultsIn(millis, GAP_MILLIS, dice, () => dice.weighted(weights))
  const blinks = bothAct ? faultsIn(millis, BLINK_GAP_MILLIS, dice, () => 'operator blinks') : []
  return { millis, bothAct, faults: [...faults, ...blinks].toSorted((a, b) => a.atMillis - b.atMillis) }
}

function faultsIn(millis: number, gapMillis: number, dice: Dice, next: () => FaultKind): readonly Fault[] {
  const faults: Fault[] = []
  for (let at = dice.between(0, gapMillis); at < millis; at += dice.between(0, 2 * gapMillis)) {
    const kind = next()
    const [from, to] = FAULTS[kind].lastsMillis
    const lasts = Math.min(dice.acrossScales(from, to), millis - at)
    faults.push({ kind, atMillis: Math.round(at), millis: Math.round(lasts), whom: dice.random(), how: dice.random() })
  }
  return faults
}

/** How the leaders of a group end, one after the other, for ever; `breathMillis`: how long each is left in peace before. */
export function* endingsOf({
  mode,
  seed,
}: GroupPlan): Generator<{ readonly ending: Ending; readonly breathMillis: number }> {
  const dice = new Dice(seed)
  const { weights, breathMillis } = ENDINGS[mode]
  for (;;) {
    const ending = dice.weighted<Ending>(weights)
    // Some at once: in the middle of what the operator does upon the label.
    yield { ending, breathMillis: dice.random() < 0.3 ? 0 : Math.round(dice.random() * breathMillis) }
  }
}
