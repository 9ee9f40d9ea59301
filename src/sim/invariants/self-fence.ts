import type { Act, Belief, Fact, Process } from './facts.ts'
import { fences, isOurs, type Lock, type Locks, waits } from './locks.ts'
import type { Invariant, Report } from './rule.ts'
import type { World } from './world.ts'

/** Clocks are read to a millisecond. */
const ROUNDING_MILLIS = 1

interface Leading {
  readonly process: string
  readonly term: NonNullable<Belief['term']>
}

/**
 * I5: who leads stops by itself, in time.
 *
 * - At any instant at most one process believes that it leads on a Lease, and an act is that of the one which does.
 * - Less than its renew deadline has passed, by its own monotonic clock, since it sent its last write that took effect. So
 *   it holds whatever becomes of its requests, and its term is over before another can have waited for the duration.
 *
 * Two at once are no fault of theirs
 * - where one clock goes faster than the other by more than the drift that was allowed for (20 %): the handbook says so;
 * - where a stranger made another record, or deleted the Lease, after the last write of the one that led: it learns of that
 *   at its next try, and stops within its deadline (the second rule, which has no exceptions);
 * - where one of them is known to break these rules, being of another project: `fences` for the one that led, `waits`
 *   for the one that follows.
 * A belief is judged whenever it is told, so a run that tells it after each event leaves no gap.
 *
 * I8, of electors: the token of a term is the version of the write by which its process became the holder, and larger than
 * that of every term before it, also if the Lease was deleted in between.
 */
export class SelfFence implements Invariant {
  readonly #world: World
  readonly #locks: Locks
  readonly #drift: number
  readonly #report: Report
  /** By Lease: who believes to lead, in the order in which they began. */
  readonly #leading = new Map<string, Leading[]>()
  readonly #highestToken = new Map<string, number>()

  /** @param locks has followed each fact before this does */
  constructor(world: World, locks: Locks, drift: number, report: Report) {
    this.#world = world
    this.#locks = locks
    this.#drift = drift
    this.#report = report
  }

  hear(fact: Fact): void {
    if (fact.kind === 'belief') return this.#followBelief(fact)
    if (fact.kind === 'act') return this.#followAct(fact)
    if (fact.kind !== 'process' || fact.runs) return
    const elector = this.#world.processes.get(fact.process)?.elector
    if (elector) this.#end(elector.lock, fact.process)
  }

  #followBelief({ process: name, term, at }: Belief): void {
    const process = this.#world.processes.get(name)
    const lock = process?.elector && this.#locks.find(process.elector.lock)
    if (!process || !lock) return
    if (!term) return this.#end(lock.ref, name)
    const leading = this.#at(lock.ref)
    const known = leading.find((each) => each.process === name)
    if (known?.term.number !== term.number || known.term.token !== term.token) {
      this.#end(lock.ref, name)
      this.#at(lock.ref).push({ process: name, term })
      this.#judgeOthers(lock, process, 'begins to lead')
      if (term.token !== undefined) this.#judgeToken(lock, process, term.token)
    }
    this.#judgeDeadline(lock, process, at, 'believes to lead')
  }

  #followAct({ process: name, at }: Act): void {
    const process = this.#world.processes.get(name)
    const lock = process?.elector && this.#locks.find(process.elector.lock)
    if (!process?.elector || !lock) return
    if (!this.#at(lock.ref).some((each) => each.process === name)) {
      if (fences(process.elector)) this.#report('I5', lock.ref, `${name} acts, and does not believe to lead`)
      return
    }
    this.#judgeOthers(lock, process, 'acts')
    this.#judgeDeadline(lock, process, at, 'acts')
  }

  #at(ref: string): Leading[] {
    let leading = this.#leading.get(ref)
    if (!leading) this.#leading.set(ref, (leading = []))
    return leading
  }

  #end(ref: string, process: string): void {
    const leading = this.#leading.get(ref)
    const index = leading?.findIndex((each) => each.process === process) ?? -1
    if (index >= 0) leading!.splice(index, 1)
  }

  #judgeOthers(lock: Lock, process: Process, what: string): void {
    const leading = this.#at(lock.ref)
    if (leading.length < 2) return
    const own = leading.findIndex((each) => each.process === process.process)
    for (const [index, other] of leading.entries()) {
      if (index === own) continue
      const [first, second] = index < own ? [other.process, process.process] : [process.process, other.process]
      if (!this.#isPromised(lock, first, second)) continue
      this.#report('I5', lock.ref, `${process.process} ${what} while ${other.process} believes to lead as well`)
    }
  }

  /** @param first the one that led when `second` began */
  #isPromised(lock: Lock, first: string, second: string): boolean {
    const before = this.#world.processes.get(first)?.elector
    const after = this.#world.processes.get(second)?.elector
    if (!before || !after || !fences(before) || !waits(after)) return false
    if (lock.disturbedVersion > (lock.writes.get(first)?.version ?? 0)) return false
    return this.#locks.clocks.ratio(second, first) <= 1 + this.#drift
  }

  #judgeDeadline(lock: Lock, { process, elector }: Process, at: number, what: string): void {
    const write = lock.writes.get(process)
    if (!write || !elector || !fences(elector)) return
    const { clocks } = this.#locks
    const millis = clocks.read(process, at) - clocks.read(process, write.sentAt)
    if (millis < elector.renewDeadlineMillis + ROUNDING_MILLIS) return
    const text = `${process} ${what} ${Math.round(millis)} ms after its last renewal was sent`
    this.#report('I5', lock.ref, `${text}, with a renew deadline of ${elector.renewDeadlineMillis} ms`)
  }

  #judgeToken(lock: Lock, { process, elector }: Process, token: number): void {
    if (!elector || !isOurs(elector)) return
    const highest = this.#highestToken.get(lock.ref) ?? 0
    if (token <= highest) this.#report('I8', lock.ref, `${process} leads with token ${token}, after ${highest}`)
    else this.#highestToken.set(lock.ref, token)
    if (lock.acquisitions.get(token) !== process) {
      this.#report('I8', lock.ref, `${process} leads with token ${token}, which is no write of its own to the Lease`)
    }
  }
}
