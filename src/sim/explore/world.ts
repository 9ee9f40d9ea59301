import type { GroupAction } from '../../group/decision.ts'
import { formatIdentity } from '../../group/gate/gate.ts'
import { groupKeys } from '../../group/keys.ts'
import type { LeaderGroupStatus } from '../../group/leadergroup.ts'
import type { ObservedLease, ObservedPod } from '../../group/observation.ts'

/**
 * A world small enough to be explored whole: one group, its pods, its Lease and its status on a server that checks
 * versions, and operators that run the real `decide` on caches of their own, which lag object by object. Between a
 * decision and its effect anything may happen; replies may be lost; processes may crash.
 */
export interface World {
  readonly mode: 'Assign' | 'Observe'
  /** Mode Observe: what the pods' electors write into the Lease. */
  readonly identity: 'name' | 'nameAndUID'
  readonly pods: readonly (ServerPod | undefined)[]
  readonly lease: ServerLease | undefined
  readonly group: ServerGroup
  readonly operators: readonly OperatorState[]
  readonly budget: Budget
  /** Source of versions, UIDs and times. */
  readonly serial: number
  readonly past: Past
  /** What the last step broke. */
  readonly violation?: string
}

/** How often each of these may still happen. */
export type Budget = Readonly<Record<keyof typeof NOTHING, number>>

export const NOTHING = {
  /** A pod becomes ready or unready. */
  flips: 0,
  /** A pod is deleted, with its processes, and created anew under its name. */
  recreations: 0,
  /** The Lease is deleted. */
  deletions: 0,
  /** Somebody else writes the gate. */
  strangers: 0,
  /** Mode Observe: somebody wipes status, or the mark in it. */
  wipes: 0,
  /** A hand puts a leader's label on a pod, or takes one off. */
  hands: 0,
  acquisitions: 0,
  renewals: 0,
  releases: 0,
  /** The electing container of a pod ends. */
  deaths: 0,
  /** It is started again. */
  restarts: 0,
  /** One operator has seen no change of the record for its duration. */
  expiries: 0,
  crashes: 0,
  lostReplies: 0,
}

/** What of the past the invariants are about. */
export interface Past {
  /** The mark of the last gate write of an operator that named a holder, or, after a seal, nobody. */
  readonly named: string | undefined
  readonly highestTerm: number
  /** `status.leaseVersion` as an operator wrote it last. */
  readonly followed: string | undefined
}

/** What a process knows beyond the object itself. */
type Known =
  | 'seenAt'
  | 'untouchedSince'
  | 'notReadySince'
  | 'podIPsSeenAt'
  | 'firstSeenAt'
  | 'appeared'
  | 'electing'
  | 'standstill'
  | 'outOfService'
  | 'deleted'

export interface ServerPod extends Omit<ObservedPod, Known> {
  /** Its label was put on by a hand, and by no operator since. */
  readonly byHand: boolean
  /** The one container of it, which elects. */
  readonly process: Process
}

export interface Process {
  /** The how manieth of its pod. */
  readonly number: number
  readonly running: boolean
  /** When the last one ended, in serials. */
  readonly endedAt: number | undefined
}

export interface ServerLease extends Omit<ObservedLease, 'seenAt' | 'readAt' | 'sight' | 'readMillis'> {
  /** Who wrote the record: what its holder's name cannot say for certain. */
  readonly writer?: { readonly uid: string; readonly process: number } | undefined
}

/** Its writer is for the invariants only: no operator can read it. */
export type KnownLease = ObservedLease & Pick<ServerLease, 'writer'>

export interface ServerGroup {
  readonly version: number
  /** As far as anything is decided by it. */
  readonly status: LeaderGroupStatus
}

export interface OperatorState {
  readonly pods: readonly (ObservedPod | undefined)[]
  readonly deadHolders: readonly ObservedPod[]
  readonly lease: KnownLease | undefined
  readonly leaseAbsentAt: number | undefined
  /** The record has not changed for its duration. */
  readonly overdue: boolean
  readonly group: ServerGroup & { readonly seenAt: number; readonly readAt: number | undefined }
  readonly gone: readonly string[]
  readonly podsListedAt: number | undefined
  readonly tick: number
  readonly sent: Sent | undefined
}

/** Decided and sent, not yet arrived. */
export interface Sent {
  readonly action: GroupAction
  readonly begunAt: number
  /** The record was overdue when this began. */
  readonly overdue: boolean
}

/** A request that has reached the server. */
export interface Arrival {
  /** What changed there; absent when it refused, or was only read. */
  readonly effect?: Partial<World>
  readonly reply: OperatorState
}

/** A rule left out, to show that the exploration would notice. */
export type Omission =
  'noPodVersion' | 'noSeal' | 'noStamp' | 'noRound' | 'noGateVersion' | 'noLeaseVersion' | 'alwaysFresh' | 'lowBirth'

export type Step = readonly [words: string, world: World]

export const GROUP = 'g'
export const GROUP_UID = 'group'
export const KEYS = groupKeys(GROUP)

export function spend(world: World, item: keyof Budget): Pick<World, 'budget'> {
  return { budget: { ...world.budget, [item]: world.budget[item] - 1 } }
}

/** The world after a write to it: the next version is another one. */
export function wrote(world: World, item: keyof Budget, change: Partial<World>): World {
  return { ...world, ...spend(world, item), serial: world.serial + 1, ...change }
}

export function replacing({ pods }: World, index: number, pod: ServerPod): World['pods'] {
  return pods.map((other, at) => (at === index ? pod : other))
}

/** An hour is enough for a small world. */
export function timeAt(serial: number): string {
  const [minutes, seconds] = [Math.floor(serial / 60), serial % 60].map((part) => String(part).padStart(2, '0'))
  return `2026-01-01T12:${minutes}:${seconds}.000000Z`
}

export function identityOf({ identity }: World, pod: ServerPod): string {
  return identity === 'name' ? pod.name : formatIdentity(pod)
}

export function newPod(index: number, generation: string, serial: number): ServerPod {
  return {
    name: `p${index}`,
    uid: `${generation}${index}`,
    resourceVersion: String(serial),
    selected: true,
    phase: 'Running',
    terminating: false,
    ready: true,
    readyTime: '',
    excluded: false,
    revision: undefined,
    creationTime: timeAt(serial),
    role: undefined,
    term: undefined,
    sealed: undefined,
    podIPs: [],
    nodeName: undefined,
    zone: undefined,
    ports: [],
    hostNetwork: false,
    startTime: timeAt(serial),
    byHand: false,
    process: { number: 1, running: true, endedAt: undefined },
  }
}
