import type { Fact } from './facts.ts'
import type { Bounds } from './liveness.ts'
import type { Lock, Locks } from './locks.ts'
import type { Invariant, Missing, Report } from './rule.ts'
import { isAssigned } from './wire.ts'
import type { Step, World } from './world.ts'

/**
 * L2: renewals go on after any outage, without a restart. Once no fault was there for the bound, a Lease on which a process
 * elects is held by one that runs, and was written by it within its duration. The bound begins anew where one of them
 * releases it.
 *
 * Not promised on a Lease whose last record a stranger wrote (it may say that he holds it for 68 years), or which a group in
 * mode Assign has made.
 */
export class Renewals implements Invariant {
  readonly #world: World
  readonly #locks: Locks
  readonly #bounds: Bounds
  readonly #report: Report
  readonly #faults = new Set<string>()
  readonly #writtenAt = new Map<string, number>()
  /** By Lease: since when nothing was in its way; a Lease is judged once after that. */
  readonly #since = new Map<string, number>()
  #nextDue = Infinity

  constructor(world: World, locks: Locks, bounds: Bounds, report: Report) {
    this.#world = world
    this.#locks = locks
    this.#bounds = bounds
    this.#report = report
  }

  reach(at: number): void {
    if (this.#faults.size > 0 || at < this.#nextDue) return
    this.#nextDue = Infinity
    for (const [ref, since] of this.#since) {
      const due = since + this.#bounds.recoveryMillis
      if (due > at) this.#nextDue = Math.min(this.#nextDue, due)
      else {
        this.#since.delete(ref)
        this.#judge(this.#locks.find(ref)!, at)
      }
    }
  }

  hear(fact: Fact): void {
    if (fact.kind === 'process') {
      const lock = this.#world.processes.get(fact.process)?.elector?.lock
      if (lock !== undefined) this.#disturb(lock, fact.at)
    } else if (fact.kind === 'fault') {
      if (fact.active) this.#faults.add(fact.fault)
      else this.#faults.delete(fact.fault)
      for (const { ref } of this.#locks.all()) this.#disturb(ref, fact.at)
    }
  }

  commit({ fact }: Step): void {
    if (fact.resource !== 'leases') return
    const { write } = this.#locks
    if (!write) return
    this.#writtenAt.set(write.lock.ref, fact.at)
    if (write.before?.holderIdentity && !write.after?.holderIdentity) this.#disturb(write.lock.ref, fact.at)
  }

  #disturb(ref: string, at: number): void {
    this.#since.set(ref, at)
    this.#nextDue = Math.min(this.#nextDue, at + this.#bounds.recoveryMillis)
  }

  missing(at: number): readonly Missing[] {
    return [...this.#locks.all()].flatMap((lock) => {
      const text = this.#unrenewed(lock, at)
      return text === undefined ? [] : [{ rule: 'L2', subject: lock.ref, text }]
    })
  }

  #judge(lock: Lock, at: number): void {
    const text = this.#unrenewed(lock, at)
    if (text !== undefined) this.#report('L2', lock.ref, text)
  }

  #unrenewed({ ref, disturbedVersion, writes }: Lock, at: number): string | undefined {
    const electors = this.#locks.electorsOf(ref)
    if (electors.length === 0) return undefined
    const lease = this.#world.leases.get(ref)
    const written = Math.max(0, ...[...writes.values()].map(({ version }) => version))
    if (disturbedVersion > written || (lease && isAssigned(lease))) return undefined
    const holder = lease?.spec?.holderIdentity ?? ''
    const its = electors.find(({ elector }) => elector?.identity === holder)
    if (!its?.elector) {
      const waiting = electors.map(({ process }) => process).join(', ')
      return `${holder || 'nobody'} holds the Lease, and these elect: ${waiting}`
    }
    const silence = at - (this.#writtenAt.get(ref) ?? -Infinity)
    if (silence <= its.elector.leaseDurationMillis / this.#bounds.slowestRate) return undefined
    return `${holder} has not renewed the Lease for ${Math.round(silence)} ms`
  }
}
