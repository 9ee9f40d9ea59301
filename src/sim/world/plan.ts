import type { Moment } from './lookout.ts'
import type { FrozenType, NetworkOptions } from './network.ts'
import type { OperatorPlan } from './operator-plan.ts'
import type { SlotPlan } from './slot.ts'
import type { Effect, Traffic } from './weather.ts'

/** All that a run depends on: data, so that a part of it can be left out, and the rest is played as before. */
export interface Plan {
  readonly seed: number
  readonly network: NetworkOptions
  readonly operators: readonly OperatorPlan[]
  readonly groups: readonly GroupPlan[]
  readonly slots: readonly SlotPlan[]
  readonly events: readonly PlannedEvent[]
  /** No fault begins after this, and all that last end. */
  readonly calmAt: number
}

export interface GroupPlan {
  readonly name: string
  readonly mode: 'Assign' | 'Observe'
  readonly spec: object
}

export type PlannedEvent = Deed & {
  /** True time in milliseconds since the start. */
  readonly at: number
  /** Not at once, but as soon as this moment comes. */
  readonly during?: Moment
}

/**
 * Of the operators the one that acts at that time, if one does; another one; each. Of the candidates those in the pods that
 * lead; those in all others.
 */
export type Which = OperatorRole | 'holders' | 'followers'

export type OperatorRole = 'acting' | 'other' | 'all'

/** `giveWay`: it hands over by itself, where pods elect. */
export type PodEnd = 'giveWay' | 'ineligible' | 'delete' | 'force' | 'unready' | 'crash' | 'fail' | 'succeed' | 'node'

/** What somebody does by hand who should not. */
export type Hand =
  | 'label'
  | 'unlabel'
  | 'unstamp'
  | 'forgeTerm'
  | 'wipeStatus'
  | 'deselect'
  | 'regroup'
  | 'followers'
  | 'deleteLease'
  | 'takeLease'
  | 'spoilMark'
  | 'copyLease'
  | 'garbageLease'
  | 'pauseGroup'
  | 'hostileGroup'
  | 'slices'

/**
 * What happens. Targets are roles, not names: who leads or acts is found out when it happens, so that what is left of a
 * plan still strikes where it hurts.
 */
export type Deed =
  | {
      readonly do: 'endPod'
      readonly group: string
      readonly who: 'leader' | 'other' | 'all'
      readonly how: PodEnd
      /** Until it is ready, or its node there, again. */
      readonly millis: number
    }
  | {
      readonly do: 'operator'
      readonly which: OperatorRole
      readonly how: 'kill' | 'stop'
      /** Until it is started again. */
      readonly millis: number
    }
  /** It is killed right after the server has carried out its next write but so many. */
  | { readonly do: 'killAfterWrite'; readonly which: OperatorRole; readonly writes: number; readonly millis: number }
  | { readonly do: 'stop'; readonly which: Which; readonly how: 'pause' | 'suspend'; readonly millis: number }
  | { readonly do: 'stepWall'; readonly which: Which; readonly byMillis: number }
  | {
      readonly do: 'weather'
      readonly which: Which
      readonly traffic: Traffic
      readonly probability: number
      readonly effect: Effect
      readonly millis: number
    }
  | { readonly do: 'cut'; readonly which: Which; readonly withError: boolean }
  | { readonly do: 'silence'; readonly which: Which; readonly millis: number }
  | { readonly do: 'freeze'; readonly server: number; readonly what: FrozenType; readonly millis: number }
  | { readonly do: 'serverDown'; readonly server: number | 'all'; readonly millis: number }
  | { readonly do: 'compact'; readonly refusal: 'event' | 'status' }
  | { readonly do: 'hand'; readonly group: string; readonly what: Hand; readonly millis: number }
  /** Somebody else writes to the same objects, again and again. */
  | {
      readonly do: 'strangers'
      readonly group: string
      readonly what: 'pods' | 'lease' | 'group'
      readonly everyMillis: number
      readonly times: number
    }
