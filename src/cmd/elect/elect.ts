import { once } from 'node:events'
import type { Timing } from '../../election/timing.ts'
import type { TermEndedError } from '../../lock/errors.ts'
import type { Term } from '../../lock/term.ts'
import type { Surroundings } from '../operator.ts'
import { withCandidate, type Candidate } from './candidate.ts'
import type { ElectFlags } from './flags.ts'
import { grantOf, lastGrant, type Grant } from './grant.ts'
import { Guarded, type End } from './guarded.ts'
import { hostClock as clock } from './host-clock.ts'
import { repeat } from './repeat.ts'

/** With `--on-lost exit`. */
const EXIT_LOST = 1

/** `leadergroup elect`: resolves to the exit code. */
export async function runElect(flags: ElectFlags, surroundings: Surroundings): Promise<number> {
  const { signal } = surroundings
  let guarded: Guarded | undefined
  // The guard has done it already, unless it hangs.
  const onOverrun = (): void => guarded?.kill()
  return withCandidate(flags, surroundings, { onOverrun }, async (candidate) => {
    const { elector, log } = candidate
    try {
      guarded = flags.command && new Guarded()
      for await (const term of elector.terms({ signal })) {
        log.info('leading', { term: term.number })
        const end =
          flags.command && guarded ? await run(flags.command, guarded, term, candidate, surroundings) : await idle(term)
        if (end.failure !== undefined) log.error('the command was not run to its end', { why: end.failure })
        else if (flags.command) log.info('the command has ended', { exitCode: end.exitCode, isTold: end.isTold })
        if (!end.isTold || signal.aborted) return end.exitCode
        log.info('the term has ended', { term: term.number, why: reasonOf(term) })
        if (flags.onLost === 'exit') return EXIT_LOST
        guarded = flags.command && new Guarded()
      }
      return 0
    } finally {
      guarded?.discard()
    }
  })
}

/** Without a command: a term is held for as long as it may be. */
async function idle({ signal }: Term): Promise<End> {
  if (!signal.aborted) await once(signal, 'abort')
  return { exitCode: 0, isTold: true }
}

async function run(
  command: readonly [string, ...string[]],
  guarded: Guarded,
  term: Term,
  { timing }: Candidate,
  { env, signal }: Surroundings,
): Promise<End> {
  let grant = grantNow(term, timing)
  const stop = (): void => {
    following[Symbol.dispose]()
    const now = { monotonic: clock.now(), wall: clock.wallNow() }
    const asked = signal.aborted ? (signal.reason as NodeJS.Signals) : 'SIGTERM'
    guarded.stop(asked, lastGrant(grant, reasonOf(term), now))
  }
  guarded.start(command, { ...env, ...termEnv(term) }, grant)
  const following = repeat(clock, timing.retryPeriodMillis / 2, () => {
    const next = grantNow(term, timing)
    if (term.signal.aborted) return
    grant = next
    guarded.extend(grant)
  })
  term.signal.addEventListener('abort', stop, { once: true })
  if (term.signal.aborted) stop()
  const end = await guarded.ended
  following[Symbol.dispose]()
  term.signal.removeEventListener('abort', stop)
  return end
}

/** What a command finds in its environment. */
export function termEnv({ number, token, identity }: Term): Record<string, string> {
  return { LEADERGROUP_TERM: String(number), LEADERGROUP_TOKEN: String(token), LEADERGROUP_IDENTITY: identity }
}

export function grantNow(term: Term, timing: Timing): Grant {
  const now = { monotonic: clock.now(), wall: clock.wallNow() }
  return grantOf(term.remainingMillis(), now, timing)
}

/** Why a term has ended, or if it has not: the guard's clock was a little before ours. */
export function reasonOf(term: Term): TermEndedError['reason'] {
  const { signal } = term
  // Looks at the clock, and aborts the signal if its timer is late.
  if (!signal.aborted) term.isCurrent()
  return signal.aborted ? (signal.reason as TermEndedError).reason : 'deadline'
}
