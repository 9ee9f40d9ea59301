/**
 * What the judge is told, in the order in which it came about: what the store committed, and what processes asked for, were
 * shown, believed and did. The simulator tells it from its transport and its hooks, a test on real processes from etcd's
 * history, the audit log and the processes' own logs. A rule is judged as far as the facts reach: a history of commits
 * alone is enough for most of them.
 *
 * `at` is true time in milliseconds, the same for all processes and never going back; `version` is the store's revision.
 */
import type { KubeObject } from '../../kube/objects.ts'

export type Fact = Committed | Asked | Answered | Shown | Process | Rate | Belief | Act | Fault | End

interface At {
  readonly at: number
}

/** One write that took effect. Versions of all resources are one count, and facts come in its order. */
export interface Committed extends At {
  readonly kind: 'committed'
  readonly version: number
  /**
   * Who wrote: the name that `Process` facts give it, anybody else's for a stranger, a kubelet, a collector of garbage.
   * Absent: nobody knows, as in a history of watch events; then marks and terms tell what operators wrote.
   */
  readonly by?: string
  /** In the plural, as in paths: `pods`, `leases`, `leadergroups`, `services`, `endpointslices`, … */
  readonly resource: string
  /** Absent: it was created, or this is where the history begins. */
  readonly before?: KubeObject
  /** Absent: it is gone. */
  readonly after?: KubeObject
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** A process sends a request, whether or not it ever arrives. */
export interface Asked extends At {
  readonly kind: 'asked'
  readonly process: string
  /** Any number that {@link Answered} repeats. */
  readonly request: number
  readonly verb: Verb
  readonly resource: string
  readonly subresource?: string
  /** Absent: in all namespaces. */
  readonly namespace?: string
  readonly name?: string
  /** Of a write: the preconditions that it carries, in the body's metadata or a delete's options. */
  readonly uid?: string
  readonly version?: number
  /** Of a write, parsed. */
  readonly body?: object
}

/** What became of a request, when its process learned of it. */
export interface Answered extends At {
  readonly kind: 'answered'
  readonly process: string
  readonly request: number
  /** The HTTP status; 0: there was none. */
  readonly code: number
  /** Of a write that took effect: the version that the object has by it. */
  readonly version?: number
}

/** A process was given one version of an object: by the answer to its request, in a list, as an event of a watch. */
export interface Shown extends At {
  readonly kind: 'shown'
  readonly process: string
  readonly resource: string
  readonly namespace?: string
  readonly name: string
  readonly uid: string
  readonly version: number
  /** By an event of its deletion. */
  readonly gone?: boolean
}

export type Role = 'operator' | 'candidate'

/** A process begins or ends. One that is not named so is a stranger. */
export interface Process extends At {
  readonly kind: 'process'
  readonly process: string
  readonly role: Role
  readonly runs: boolean
  /** Of a candidate, and of an operator that is elected among its replicas. */
  readonly elector?: Elector
}

export interface Elector {
  /** `<namespace>/<name>` of the Lease. */
  readonly lock: string
  /** As it writes it into the Lease. */
  readonly identity: string
  readonly leaseDurationMillis: number
  readonly renewDeadlineMillis: number
  /**
   * False: a program with other rules than this library's, of which only those are asked that it is not known to break.
   * @default true
   */
  readonly ours?: boolean
  /** After a pause or a step of the clock it asks the clock before it believes to lead. @default ours */
  readonly fences?: boolean
  /** It takes a held Lease only after the whole duration of silence. @default ours */
  readonly waits?: boolean
  /** leaseTransitions grows by one with each new holder. @default ours */
  readonly counts?: boolean
}

/**
 * How fast the monotonic clock of a process goes from now on, beside true time: 1 unless told otherwise. 0 for a machine
 * that is suspended. A process that is only stopped has a clock that goes on.
 */
export interface Rate extends At {
  readonly kind: 'rate'
  readonly process: string
  readonly rate: number
}

/**
 * What an elector would answer if it were asked now whether it leads: told whenever that changes, of one instant those that
 * end before those that begin. It may be told again at any time, and is judged each time. One that is stopped or suspended
 * answers nothing, which is a belief without a term; when it goes on, it is told what it believes then.
 */
export interface Belief extends At {
  readonly kind: 'belief'
  readonly process: string
  /** Absent: it does not lead. */
  readonly term?: {
    readonly number: number
    /** The fencing token, of the electors that have one. */
    readonly token?: number
  }
}

/** A process did what only a leader may do. */
export interface Act extends At {
  readonly kind: 'act'
  readonly process: string
}

/** A fault begins or ends. While none is there, what must come about in time is judged. */
export interface Fault extends At {
  readonly kind: 'fault'
  readonly fault: string
  readonly active: boolean
}

/** Time has passed until here, and this may be the last fact. What is due by now is judged. */
export interface End extends At {
  readonly kind: 'end'
}
