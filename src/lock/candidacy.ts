import type { Clock } from '../clock.ts'
import { decide, type Action } from '../election/decide.ts'
import {
  endByTime,
  firstObservation,
  isAtRest,
  lookAt,
  remainingMillis,
  type EndReason,
  type Instant,
  type Observation,
} from '../election/observation.ts'
import { observe, type Event } from '../election/observe.ts'
import { isReleased } from '../election/record.ts'
import { Loop, type Acted } from '../loop.ts'
import { Contest } from './challenge.ts'
import { asElectionError, ElectionError } from './errors.ts'
import type { ElectorSettings } from './options.ts'
import { Requests } from './requests.ts'
import { ElectedTerm, type Term } from './term.ts'

/**
 * One stretch of contending for a lock, over any number of terms, until it is withdrawn: the shell around `observe`
 * and `decide`.
 *
 * Whatever happens is folded into the observation at once, also while a request hangs, and the term's signal, the
 * deadline's timer and the hooks follow from what the observation has become. Requests are the loop's: one at a time.
 */
export class Candidacy {
  readonly #settings: ElectorSettings
  readonly #clock: Clock
  readonly #loop: Loop<Observation, Action>
  readonly #requests: Requests
  readonly #contest = new Contest()
  readonly #watching = new AbortController()
  readonly #closed = Promise.withResolvers<void>()
  #o: Observation
  /** The last term that began. */
  #term: ElectedTerm | undefined
  #claim: ((term: Term | undefined) => void) | undefined
  #atRest: (() => void)[] = []
  #cancelDeadline: (() => void) | undefined
  #cancelOverrun: (() => void) | undefined
  #deadlineAt: number | undefined
  #lastRenewedAt = 0
  #overrun = false
  #isPaused = false
  #isClosing = false

  constructor(settings: ElectorSettings) {
    this.#settings = settings
    this.#clock = settings.clock
    const { identity, timing, lock, random, clock, hooks } = settings
    const canWatch = lock.watch !== undefined
    this.#o = firstObservation({
      identity,
      timing,
      phase: random(),
      canWatch,
      termLimitMillis: settings.termLimitMillis,
    })
    this.#requests = new Requests(settings, {
      now: () => this.#instant(),
      fold: (event) => this.#fold(event),
      report: (error) => hooks.error(error),
    })
    this.#loop = new Loop<Observation, Action>(
      {
        observe: () => this.#o,
        // Two writes within a millisecond, even of two processes that share an identity, shall not be the same record:
        // the clock has no finer digits, so they are drawn.
        decide: (o, now) => decide(o, { monotonic: now, wall: clock.wallNow() + random() }),
        act: (_key, { actions }) => this.#act(actions),
        mayAct: () => true,
        failed: (_key, error) => hooks.error(asElectionError(lock.describe, error)),
      },
      { clock, random },
    )
  }

  start(): void {
    this.#wake()
  }

  /** The next term that begins; undefined once this candidacy is withdrawn. One caller at a time. */
  next(): Promise<Term | undefined> {
    if (this.#o.intent === 'withdrawn') return Promise.resolve(undefined)
    return new Promise((resolve) => {
      this.#claim = resolve
      this.#updateIntent()
    })
  }

  /** Contends no more: the term's signal aborts, and once its work has returned, what is held is released. */
  withdraw(): void {
    if (this.#o.intent === 'withdrawn') return
    this.#fold({ kind: 'intent', at: this.#instant(), intent: 'withdrawn' })
    if (isAtRest(this.#o)) this.#requests.giveUpReading()
    this.#claim?.(undefined)
    this.#claim = undefined
  }

  /** Resolves once withdrawn, with nothing held, under way or left to wait for but work that has overrun its term. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Ends the term, if there is one, and lets others come first for a while. Resolves when nothing is held any more. */
  stepDown(standBackMillis: number): Promise<void> {
    const at = this.#instant()
    this.#fold({ kind: 'standBack', at, millis: standBackMillis })
    this.#fold({ kind: 'end', at, reason: 'stepDown' })
    return this.#whenAtRest()
  }

  setPaused(paused: boolean): Promise<void> {
    this.#isPaused = paused
    this.#updateIntent()
    return paused ? this.#whenAtRest() : Promise.resolve()
  }

  isLeader(): boolean {
    this.#lookAtTime()
    return this.#o.tenure !== undefined && this.#o.tenure.ending === undefined
  }

  get observation(): Observation {
    return this.#o
  }

  // ---- folding, and what follows from it

  #instant(): Instant {
    return { monotonic: this.#clock.now(), wall: this.#clock.wallNow() }
  }

  #fold(event: Event): void {
    const before = this.#o
    this.#o = observe(before, event)
    this.#armDeadline()
    this.#followTerm()
    this.#tellHooks(before, this.#o)
    this.#wake()
    this.#settle()
  }

  /** Contends only while somebody waits for a term: one without work would keep others from leading. */
  #updateIntent(): void {
    const isWanted = this.#claim !== undefined || this.#o.working
    const intent = isWanted && !this.#isPaused ? 'contend' : 'paused'
    if (this.#o.intent === intent || this.#o.intent === 'withdrawn') return
    this.#fold({ kind: 'intent', at: this.#instant(), intent })
  }

  #wake(): void {
    if (!this.#isClosing) this.#loop.wake(this.#settings.lock.describe)
  }

  /** A term that is over stays over, though no timer may have fired yet: whoever asks must not see it come back. */
  #lookAtTime(): void {
    const at = this.#instant()
    if (endByTime(this.#o, at)) this.#fold({ kind: 'tick', at })
  }

  #armDeadline(): void {
    const { tenure } = this.#o
    const at = tenure && lookAt(this.#o, tenure)
    if (at === this.#deadlineAt) return
    this.#deadlineAt = at
    this.#cancelDeadline?.()
    this.#cancelDeadline =
      at === undefined ? undefined : this.#clock.timer(at, () => this.#fold({ kind: 'tick', at: this.#instant() }))
  }

  #followTerm(): void {
    const { tenure, lastEnd, working } = this.#o
    const term = this.#term
    const isHeld = tenure !== undefined && tenure.token === term?.token.toString()
    if (isHeld) this.#lastRenewedAt = tenure.renewedAt.monotonic
    if (term && !isHeld) this.#endTerm(term, lastEnd?.reason ?? 'changed')
    else if (term && tenure?.ending) this.#endTerm(term, tenure.ending)
    if (tenure && working && !isHeld) this.#beginTerm(tenure)
  }

  #beginTerm({ number, token, renewedAt }: { number: number; token: string; renewedAt: Instant }): void {
    const term = new ElectedTerm(
      { number, token, identity: this.#o.identity },
      { remainingMillis: () => this.#remainingMillis(term), finish: () => this.finish(term) },
    )
    this.#term = term
    this.#overrun = false
    this.#lastRenewedAt = renewedAt.monotonic
    this.#claim?.(term)
    this.#claim = undefined
  }

  #endTerm(term: ElectedTerm, reason: EndReason): void {
    if (term.signal.aborted) return
    const { leaseDurationMillis, clockDrift } = this.#settings.timing
    if (this.#o.working) {
      // Until then no other clock, however fast, has counted a whole lease duration.
      const overrunAt = this.#lastRenewedAt + leaseDurationMillis / (1 + clockDrift)
      this.#cancelOverrun = this.#clock.timer(overrunAt, () => this.#overran(term))
    }
    term.end(reason)
  }

  #overran(term: Term): void {
    this.#overrun = true
    this.#settings.hooks.overrun(term)
    this.#settle()
  }

  #remainingMillis(term: ElectedTerm): number {
    this.#lookAtTime()
    const { tenure, working } = this.#o
    if (tenure?.token !== term.token.toString() || !working) return 0
    return remainingMillis(this.#o, tenure, this.#instant())
  }

  /** The work of `term` has returned: its lock is released, and a next term may begin. */
  finish(term: Term): Promise<void> {
    if (term === this.#term && this.#o.working) {
      this.#cancelOverrun?.()
      this.#fold({ kind: 'returned', at: this.#instant() })
      this.#updateIntent()
    }
    return this.#whenAtRest()
  }

  #whenAtRest(): Promise<void> {
    if (isAtRest(this.#o)) return Promise.resolve()
    return new Promise((resolve) => this.#atRest.push(resolve))
  }

  #settle(): void {
    if (!isAtRest(this.#o)) return
    for (const resolve of this.#atRest.splice(0)) resolve()
    const isWorking = this.#o.working && !this.#overrun
    if (this.#o.intent === 'withdrawn' && !isWorking && !this.#isClosing) this.#close()
  }

  #close(): void {
    this.#isClosing = true
    this.#watching.abort()
    void this.#loop.stop().then(this.#closed.resolve)
  }

  #tellHooks(before: Observation, after: Observation): void {
    const holder = holderOf(after)
    if (holder !== holderOf(before)) this.#settings.hooks.newLeader(holder)
    const challenge = this.#contest.follow(before, after)
    if (challenge) this.#settings.hooks.challenge(challenge)
    const refused = refusalOf(after)
    if (refused !== undefined && refused !== refusalOf(before))
      this.#settings.hooks.error(new ElectionError('notOurs', refused))
  }

  // ---- acting

  async #act(actions: readonly Action[]): Promise<Acted> {
    for (const action of actions) await this.#perform(action)
    return { kind: 'done' }
  }

  async #perform(action: Action): Promise<void> {
    switch (action.kind) {
      case 'tick':
        return this.#fold({ kind: 'tick', at: this.#instant() })
      case 'watch':
        return this.#requests.watch(this.#watching.signal)
      case 'read':
        return this.#requests.read()
      case 'write':
        return this.#requests.write(action)
    }
  }
}

function holderOf({ sight }: Observation): string | undefined {
  return sight?.kind === 'record' && !isReleased(sight.record) ? sight.record.holderIdentity : undefined
}

function refusalOf({ sight }: Observation): string | undefined {
  return sight?.kind === 'record' ? sight.refused : undefined
}
