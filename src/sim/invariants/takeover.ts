import type { Lease, LeaseSpec } from '../../kube/objects.ts'
import { counts, isOurs, type Locks, type LockWrite, waits } from './locks.ts'
import type { Invariant, Report } from './rule.ts'
import type { Step } from './world.ts'

const INT32_MOST = 2 ** 31 - 1
/** Times are told in whole milliseconds, by some. */
const ROUNDING_MILLIS = 1

/**
 * I9: a held Lease changes hands only after silence.
 *
 * - Who takes it from another holder sends its write not before the record has been as it is for the duration that the
 *   record itself says (the taker's own, where it says none), by the taker's monotonic clock, counted from the commit of the
 *   record: earlier nobody can have seen it. That nobody wrote in between is what the server's comparison of versions
 *   says, so the taker need not have looked in between. Whom a process succeeds under its own identity is no other holder.
 * - It is not for an operator to take: it may only empty the Lease of a holder that is proved dead. What is judged is the
 *   truth, not the proof: no process of that identity runs.
 *
 * I3, on a Lease: nothing that is over comes back.
 * - A new holder, and a holder that begins anew, counts one up from the record that it replaces; so a renewal of a term that
 *   was released, taken or lost cannot pass as one: it would leave the number as it is, or go back.
 * - Nobody but the holder empties the Lease (an elector that releases late would clobber its successor).
 *
 * What strangers write there is not judged, and a number that they put beyond what can be counted up from is passed over.
 * Of electors of other projects only those rules are asked that they are not known to break (`waits`, `counts`).
 */
export class Takeover implements Invariant {
  readonly #locks: Locks
  readonly #report: Report

  /** @param locks has followed each step before this does */
  constructor(locks: Locks, report: Report) {
    this.#locks = locks
    this.#report = report
  }

  commit({ fact, author }: Step): void {
    const { write } = this.#locks
    if (write) return this.#follow(write)
    if (fact.resource !== 'leases' || author !== 'operator') return
    const before: Lease | undefined = fact.before
    const after: Lease | undefined = fact.after
    if (before?.spec?.holderIdentity && after && !after.spec?.holderIdentity) this.#followRelease(before)
  }

  #followRelease({ metadata: { namespace, name }, spec }: Lease): void {
    const ref = `${namespace}/${name}`
    // A container that was started again has the identity of the one that died, and has not written yet.
    const wrote = this.#locks.find(ref)?.writes
    const living = this.#locks
      .electorsOf(ref)
      .find(({ process, elector }) => elector?.identity === spec?.holderIdentity && wrote?.has(process))
    if (living) this.#report('I9', ref, `an operator emptied the Lease, whose holder ${living.process} runs`)
  }

  #follow(write: LockWrite): void {
    const { lock, elector, before, after } = write
    const holder = after?.holderIdentity ?? ''
    const last = before?.holderIdentity ?? ''
    const report = (text: string): void => this.#report('I3', lock.ref, `${elector.identity}: ${text}`)
    if (!after) return report('deleted the Lease')
    if (holder === '') {
      // client-go's late release is known to: it reads the Lease anew, and looks at its own record only.
      if (last !== elector.identity && last !== '' && isOurs(elector)) report(`emptied the Lease, which ${last} held`)
      return
    }
    if (holder !== elector.identity) return report(`wrote ${holder} into the Lease`)
    if (before && counts(elector)) this.#judgeCount(write, before, after, report)
    if (last !== '' && last !== holder && waits(elector)) this.#judgeSilence(write, last)
  }

  #judgeSilence({ lock, process, elector, sentAt, before }: LockWrite, last: string): void {
    const { clocks, replacedAt } = this.#locks
    if (replacedAt === undefined) return
    const seconds = before?.leaseDurationSeconds ?? 0
    const due = seconds > 0 ? seconds * 1000 : elector.leaseDurationMillis
    const silence = clocks.read(process.process, sentAt) - clocks.read(process.process, replacedAt)
    if (silence >= due - ROUNDING_MILLIS) return
    const text = `${elector.identity} took the Lease from ${last} after ${Math.round(silence)} ms of ${due} ms of silence`
    this.#report('I9', lock.ref, text)
  }

  #judgeCount({ elector }: LockWrite, before: LeaseSpec, after: LeaseSpec, report: (text: string) => void): void {
    const last = before.leaseTransitions ?? 0
    const next = after.leaseTransitions ?? 0
    if (last < 0 || last >= INT32_MOST) return
    const isNew = before.holderIdentity !== elector.identity
    const isRenewal = next === last && before.acquireTime === after.acquireTime
    if (isNew ? next === last + 1 : next === last + 1 || isRenewal || !isOurs(elector)) return
    report(`leaseTransitions went from ${last} to ${next} as it ${isNew ? 'became the holder' : 'went on'}`)
  }
}
