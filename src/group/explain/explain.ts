import { explainAssign } from './assign.ts'
import { explainObserve } from './observe.ts'
import { explainServices } from './services.ts'
import { foresee, without, type Foresight } from './foresee.ts'
import type { LeaderGroup } from '../leadergroup.ts'
import type { GroupObservation, Instant } from '../observation.ts'
import type { Routed } from '../routing/enacted.ts'
import { stepsOf } from './steps.ts'
import { modeOf } from '../spec.ts'
import type { ExplainedElection, ExplainedLeader, Explanation, Outlook } from './explanation.ts'

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
