import { inMillis, type Timing } from '../../election/timing.ts'
import { Elector } from '../../lock/elector.ts'
import type { Hooks } from '../../lock/hooks.ts'
import { identityOf } from '../../lock/identity.ts'
import { leaseLock } from '../../lock/lease-lock.ts'
import type { Log } from '../../operator/log.ts'
import { withConnection } from '../connection.ts'
import { winstonLog } from '../log.ts'
import type { Surroundings } from '../operator.ts'
import type { CandidateFlags } from './flags.ts'
import { hostClock as clock } from './host-clock.ts'

/** A candidate that says what happens to it. */
export interface Candidate {
  readonly elector: Elector
  readonly identity: string
  readonly timing: Timing
  readonly log: Log
}

/** Runs what needs a candidate. Afterwards nothing is held, and nothing left. */
export function withCandidate<T>(
  flags: CandidateFlags,
  { env, stderr, version }: Surroundings,
  { onNewLeader, onOverrun }: Pick<Hooks, 'onNewLeader' | 'onOverrun'>,
  use: (candidate: Candidate) => Promise<T>,
): Promise<T> {
  const log = winstonLog(flags.log, clock, stderr)
  const identity = flags.identity ?? identityOf(env)
  return withConnection(flags.cluster, { env, version }, async ({ api, namespace: own, server }) => {
    const { namespace = own, lease: name, timing, termLimitSeconds } = flags
    const elector = new Elector({
      lock: leaseLock(api, { name, namespace, clock, random: Math.random }),
      identity,
      ...timing,
      termLimitSeconds,
      clock,
      onNewLeader(holder) {
        if (holder === undefined) log.info('nobody leads')
        else log.info('new leader elected', { leader: holder, isMe: holder === identity || undefined })
        return onNewLeader?.(holder)
      },
      onChallenge: ({ holder, number }) => log.warn('somebody else has taken the Lease', { by: holder, term: number }),
      onError: (error) => log.warn(error.message),
      ...(onOverrun ? { onOverrun } : {}),
    })
    log.info('contending', { lease: `${namespace}/${name}`, identity, server })
    return use({ elector, identity, timing: inMillis(timing), log })
  })
}
