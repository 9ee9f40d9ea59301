import type { Gate } from '../gate/gate-state.ts'
import type { ObservedPod } from '../observation.ts'
import type { ExplainedService } from './services.ts'

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
