import { explainAssign } from './explain-assign.ts'
import { explainObserve } from './explain-observe.ts'
import { explainServices, type ExplainedService } from './explain-services.ts'
import { foresee, without, type Foresight } from './foresee.ts'
import type { Gate } from './gate-state.ts'
import type { LeaderGroup } from './leadergroup.ts'
import type { GroupObservation, Instant, ObservedPod } from './observation.ts'
import type { Routed } from './routing/enacted.ts'
import { stepsOf } from './explain-steps.ts'
import { modeOf } from './spec.ts'

/** The decision about a group, for a person who asks why. */
export interface Explanation {
  /** Absent: nobody leads. */
  readonly leader: ExplainedLeader | undefined
  /** The reason of the decision: what holds, or what is done about it. */
  readonly reason: string
  /** By name: those that are selected, and those that bear keys of the group all the same. */
  readonly pods: readonly ExplainedPod[]
  /** Those of the spec in its order, then others that select the group's label, by name. */
  readonly services: readonly ExplainedService[]
  /** What the operator would do now; undefined when all is as it should be. */
  readonly due: Outlook | undefined
  /** What it would do after a time, if nothing changes until then. */
  readonly later: (Outlook & { readonly inSeconds: number }) | undefined
  /** What it would do if the leader's pod were gone now; undefined without a leader. */
  readonly ifLeaderDied: Outlook | undefined
}

export interface ExplainedLeader {
  readonly name: string
  readonly uid: string
  readonly term: number
  /** As the Lease says. RFC 3339. */
  readonly since: string | undefined
  /** Sentences, each without its full stop. */
  readonly why: readonly string[]
}

export interface ExplainedPod {
  readonly name: string
  readonly uid: string
  readonly verdict: 'leads' | 'could lead' | 'cannot lead'
  readonly why: string
  readonly ready: boolean
  /** When it became ready, or not ready. RFC 3339. */
  readonly readyTime: string | undefined
  readonly revision: string | undefined
  /** It bears the stamp without which it may not be named. */
  readonly enrolled: boolean
}

/** The part of an explanation that depends on the group's mode, since it is the mode that says who elects. */
export interface ExplainedElection {
  /** What the Services follow. */
  readonly gate: Gate
  readonly leader: (Omit<ExplainedLeader, 'name' | 'uid'> & { readonly pod: ObservedPod }) | undefined
  readonly pods: readonly ExplainedPod[]
}

/** A chain of writes, and what holds at its end. */
export interface Outlook {
  readonly steps: readonly string[]
  readonly result: string
}

/**
 * Explains the decision on this observation, whose lists must be complete. `group`: the group in it. `around`: all
 * Services and slices of the namespace that are to be told of, in full; the observation may be without some of them.
 */
export function explain(o: GroupObservation, group: LeaderGroup, now: Instant, around: Routed = o): Explanation {
  const isObserved = modeOf(group) === 'Observe'
  const { gate, leader, pods } = isObserved ? explainObserve(o, group) : explainAssign(o, group, now)
  const present = foresee(o, now)
  return {
    leader: leader && leaderOf(leader),
    reason: present.begins,
    pods: pods.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    services: explainServices(o, group, gate, around),
    due: dueOf(present, stepsOf(present, o)),
    later: laterOf(present, now),
    ifLeaderDied: leader && outlook(without(o, leader.pod), now),
  }
}

function leaderOf({ pod: { name, uid }, ...rest }: NonNullable<ExplainedElection['leader']>): ExplainedLeader {
  return { name, uid, ...rest }
}

function dueOf({ actions, reason }: Foresight, steps: readonly string[]): Outlook | undefined {
  if (steps.length > 0) return { steps, result: reason }
  // Status follows whatever is done, so it is a step only where it is all that is due.
  const lags = actions.some(({ kind }) => kind === 'writeStatus')
  return lags ? { steps: ['bring status up to date'], result: reason } : undefined
}

function laterOf({ end, wakeAt }: Foresight, now: Instant): Explanation['later'] {
  if (wakeAt === undefined || wakeAt <= now.monotonic) return undefined
  const then = outlook(end, { ...now, monotonic: wakeAt })
  return then.steps.length > 0 ? { inSeconds: Math.ceil((wakeAt - now.monotonic) / 1000), ...then } : undefined
}

function outlook(from: GroupObservation, now: Instant): Outlook {
  const foresight = foresee(from, now)
  return { steps: stepsOf(foresight, from), result: foresight.reason }
}
