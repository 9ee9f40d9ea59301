/**
 * What is known of each elector in a mixed electorate: what it can't do, and for how long it may be wrong. Every entry
 * says where it is known from; docs/interoperability.md says the same in prose. Whatever is not here is a failure.
 */
import type { Timing } from './flags.ts'
import type { Kind } from './programs.ts'

export interface Peer {
  readonly version: string
  readonly language: string
  /** How it gives its Lease up when it is told to stop. */
  readonly release: 'empties' | 'shortens' | 'none'
  /**
   * For how long after a pause it may still believe to lead, although another one does: with its source. Absent: it
   * looks at the clock first.
   */
  readonly afterPause?: Known<(timing: Timing) => number>
  /** It may take a Lease over this much before its time. */
  readonly earlyMillis?: Known<number>
  /** It cannot take what these leave behind on release. */
  readonly cannotFollow?: Known<readonly Kind[]>
  /** What it says when such a Lease has ended its election for good. Its program is told nothing. Absent: it tries on. */
  readonly lastWords?: string
  /** leaseTransitions is not its business: it grows with none of its terms. */
  readonly keepsTransitions?: Known<true>
}

interface Known<T> {
  readonly value: T
  readonly source: string
}

/** What all of them accept: fabric8 wants more than 2.2 retry periods before the deadline, Python's a second at least. */
export const EVERYBODYS_TIMING: Timing = { leaseDurationSeconds: 3, renewDeadlineSeconds: 2.4, retryPeriodSeconds: 1 }

export const PEERS: Readonly<Record<Kind, Peer>> = {
  leadergroup: { version: 'this one', language: 'TypeScript', release: 'empties' },
  'client-go': {
    version: '0.36.3',
    language: 'Go',
    release: 'empties',
    afterPause: {
      value: ({ retryPeriodSeconds, renewDeadlineSeconds }) => seconds(retryPeriodSeconds + renewDeadlineSeconds),
      source:
        'LeaderElector.renew: another holder is one more failed try, and tries go on until the renew deadline; ' +
        'kubernetes/kubernetes#23731',
    },
    earlyMillis: {
      value: 1000,
      source:
        'resourcelock compares records as JSON of metav1.Time, in whole seconds: of two renewals in one it sees one',
    },
  },
  fabric8: {
    version: '8.0.0',
    language: 'Java',
    release: 'shortens',
    afterPause: {
      value: ({ retryPeriodSeconds }) => seconds(retryPeriodSeconds),
      source: 'LeaderElector.renewWithTimeout: it looks at the deadline, and at the Lease, at its next try only',
    },
    cannotFollow: {
      value: ['client-java', 'kubert'],
      source:
        'LeaseLock.toRecord, LeaderElectionRecord: no null duration, no null times (measured: a NullPointerException ends ' +
        'its acquisition, and the future of LeaderElector.start never completes)',
    },
    lastWords: 'Exception during leader election',
  },
  'client-java': {
    version: '25.0.0',
    language: 'Java',
    release: 'empties',
    afterPause: {
      value: ({ retryPeriodSeconds, renewDeadlineSeconds }) => seconds(retryPeriodSeconds + renewDeadlineSeconds),
      source: 'LeaderElector.renewLoop: another holder is one more failed try until the renew deadline',
    },
    cannotFollow: {
      value: ['kubert'],
      source:
        'LeaseLock.getRecordFromLease unboxes duration and transitions (measured: NullPointerException at each try; ' +
        'so it does where the Python client has created the Lease)',
    },
  },
  'client-python': {
    version: '37.0.2',
    language: 'Python',
    release: 'none',
    afterPause: {
      value: ({ retryPeriodSeconds, renewDeadlineSeconds }) => seconds(2 * retryPeriodSeconds + renewDeadlineSeconds),
      source:
        'LeaderElection.renew_loop: another holder is one more failed try until the renew deadline, and the sleep after ' +
        'the last one goes beyond it',
    },
    keepsTransitions: { value: true, source: 'LeaseLock.get_lease_spec sets four fields, leaseTransitions is not one' },
  },
  kubert: { version: '0.25.0', language: 'Rust', release: 'empties' },
}

function seconds(value: number): number {
  return value * 1000
}
