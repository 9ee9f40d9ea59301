import { once } from 'node:events'
import type { Term } from '../../lock/term.ts'
import type { Surroundings } from '../operator.ts'
import { withCandidate, type Candidate } from './candidate.ts'
import type { ElectFlags } from './flags.ts'
import { lastGrant } from './grant.ts'
import { Guarded, type End } from './guarded.ts'
import { hostClock as clock, instant } from './host-clock.ts'
import { environmentOf, grantNow, reasonOf } from './of-term.ts'
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
    const guard = (): Guarded => new Guarded((pid) => log.info('the command has started', { pid }))
    try {
      guarded = flags.command && guard()
      for await (const term of elector.terms({ signal })) {
        log.info('leading', { term: term.number })
        const end =
          flags.command && guarded ? await run(flags.command, guarded, term, candidate, surroundings) : await idle(term)
        if (end.failure !== undefined) log.error('the command was not run to its end', { why: end.failure })
        else if (flags.command) log.info('the command has ended', { exitCode: end.exitCode, isTold: end.isTold })
        if (!end.isTold || signal.aborted) return end.exitCode
        log.info('the term has ended', { term: term.number, why: reasonOf(term) })
        if (flags.onLost === 'exit') return EXIT_LOST
        guarded = flags.command && guard()
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
    const asked = signal.aborted ? (signal.reason as NodeJS.Signals) : 'SIGTERM'
    guarded.stop(asked, lastGrant(grant, reasonOf(term), instant()))
  }
  guarded.start(command, { ...env, ...environmentOf(term) }, grant)
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
