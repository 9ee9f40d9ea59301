import { once } from 'node:events'
import type { Elector } from '../../lock/elector.ts'
import type { Term } from '../../lock/term.ts'
import type { Log } from '../../operator/log.ts'
import type { Surroundings } from '../operator.ts'
import { answer, type Answer } from './answer.ts'
import { withCandidate, type Candidate } from './candidate.ts'
import type { SidecarFlags } from './flags.ts'
import { lastGrant, type Grant } from './grant.ts'
import { Guarded, type End } from './guarded.ts'
import { hostClock as clock, instant } from './host-clock.ts'
import { LeaderFile } from './leader-file.ts'
import { environmentOf, grantNow, reasonOf } from './of-term.ts'
import { repeat } from './repeat.ts'
import { serveLeader, type LeaderServer } from './serve-leader.ts'

/** `leadergroup sidecar`: resolves after a graceful end. */
export async function runSidecar(flags: SidecarFlags, surroundings: Surroundings): Promise<void> {
  let sidecar: Sidecar | undefined
  const hooks = {
    onNewLeader: () => sidecar?.changed(),
    onOverrun: () => sidecar?.overrun(),
  }
  await withCandidate(flags, surroundings, hooks, async (candidate) => {
    sidecar = new Sidecar(flags, candidate, surroundings)
    await sidecar.run()
  })
}

class Sidecar {
  readonly #flags: SidecarFlags
  readonly #candidate: Candidate
  readonly #elector: Elector
  readonly #log: Log
  readonly #surroundings: Surroundings
  readonly #file: LeaderFile | undefined
  #server: LeaderServer | undefined
  #term: Term | undefined
  #grant: Grant | undefined
  #hook: Guarded | undefined
  /** As it stands in the file. */
  #writtenUntil = 0

  constructor(flags: SidecarFlags, candidate: Candidate, surroundings: Surroundings) {
    this.#flags = flags
    this.#candidate = candidate
    this.#elector = candidate.elector
    this.#log = candidate.log
    this.#surroundings = surroundings
    this.#file = flags.file === undefined ? undefined : new LeaderFile(flags.file)
  }

  async run(): Promise<void> {
    const { signal } = this.#surroundings
    if (this.#flags.address) {
      this.#server = await serveLeader(this.#flags.address, () => this.#answer())
      this.#log.info('serving', { port: this.#server.port })
    }
    // Renewals move the deadline, and another's lease expires, without anybody saying so.
    using _ = repeat(clock, this.#candidate.timing.retryPeriodMillis / 2, () => this.changed())
    try {
      for await (const term of this.#elector.terms({ signal })) await this.#lead(term)
    } finally {
      await this.#server?.close()
    }
  }

  /** Whatever this process shows is brought up to date. */
  changed(): void {
    if (this.#term?.isCurrent() && !this.#term.signal.aborted) {
      this.#grant = grantNow(this.#term, this.#candidate.timing)
      this.#hook?.extend(this.#grant)
    }
    this.#writeFile()
    this.#server?.publish()
  }

  /** A hook still runs when another may lead, though its guard should have ended it. */
  overrun(): void {
    this.#hook?.kill()
  }

  #answer(): Answer {
    const term = this.#term
    return answer({
      me: this.#candidate.identity,
      term: term && { number: term.number, remainingMillis: term.signal.aborted ? 0 : term.remainingMillis() },
      observed: this.#elector.observed(),
      leaseDurationMillis: this.#candidate.timing.leaseDurationMillis,
      wall: clock.wallNow(),
    })
  }

  async #lead(term: Term): Promise<void> {
    const { onStart, onStop } = this.#flags
    this.#term = term
    this.#log.info('leading', { term: term.number })
    term.signal.addEventListener('abort', () => this.changed(), { once: true })
    this.changed()
    // Started by now: at the end there may be a second for all of it.
    const stopHook = onStop === undefined ? undefined : this.#guarded('--on-stop')
    if (onStart !== undefined) await this.#runOnStart(onStart, term)
    if (!term.signal.aborted) await once(term.signal, 'abort')
    this.#term = undefined
    this.changed()
    this.#log.info('the term has ended', { term: term.number, why: reasonOf(term) })
    if (onStop !== undefined && stopHook) await this.#runOnStop(stopHook, onStop, term)
  }

  async #runOnStart(script: string, term: Term): Promise<void> {
    const hook = this.#guarded('--on-start')
    const grant = this.#grant ?? grantNow(term, this.#candidate.timing)
    const stop = (): void => hook.stop('SIGTERM', this.#lastGrant(term))
    hook.start(shell(script), this.#environment(term), grant)
    term.signal.addEventListener('abort', stop, { once: true })
    if (term.signal.aborted) stop()
    const end = await this.#untilEnded(hook)
    term.signal.removeEventListener('abort', stop)
    if (end.isTold) this.#log.info('--on-start was ended with its term', { exitCode: end.exitCode })
    else this.#logEnd('--on-start', end)
  }

  #guarded(hook: string): Guarded {
    return new Guarded((pid) => this.#log.info(`${hook} has started`, { pid }))
  }

  /** It has the time that is left of the term, and is not told to end: it is the end. */
  async #runOnStop(hook: Guarded, script: string, term: Term): Promise<void> {
    const grant = this.#lastGrant(term)
    hook.start(shell(script), this.#environment(term), { ...grant, tellAt: grant.killAt })
    this.#logEnd('--on-stop', await this.#untilEnded(hook))
  }

  async #untilEnded(hook: Guarded): Promise<End> {
    this.#hook = hook
    const end = await hook.ended
    this.#hook = undefined
    return end
  }

  #logEnd(flag: string, { exitCode, isTold, failure }: End): void {
    if (failure !== undefined) this.#log.error(`${flag} was not run to its end`, { why: failure })
    else if (isTold) this.#log.warn(`${flag} was out of time`)
    else if (exitCode !== 0) this.#log.warn(`${flag} has failed`, { exitCode })
    else this.#log.info(`${flag} is done`)
  }

  #lastGrant(term: Term): Grant {
    return lastGrant(this.#grant ?? grantNow(term, this.#candidate.timing), reasonOf(term), instant())
  }

  #environment(term: Term): NodeJS.ProcessEnv {
    return { ...this.#surroundings.env, ...environmentOf(term) }
  }

  #writeFile(): void {
    try {
      const { isLeader, deadline } = this.#answer()
      if (!isLeader || deadline === null) {
        if (this.#writtenUntil > 0) this.#file?.remove()
        this.#writtenUntil = 0
      } else if (this.#grant && this.#grant.tellAt > this.#writtenUntil + 1) {
        this.#file?.write(deadline)
        this.#writtenUntil = this.#grant.tellAt
      }
    } catch (error) {
      // What stands in it is a deadline that has passed or will: it misleads nobody who compares.
      this.#log.error('the file cannot be written', { error })
    }
  }
}

function shell(script: string): readonly [string, ...string[]] {
  return ['/bin/sh', '-c', script]
}
