import { abortOf } from '../../lock/abort-of.ts'
import { Elector } from '../../lock/elector.ts'
import type { TermEndedError } from '../../lock/errors.ts'
import { leaseLock } from '../../lock/lease-lock.ts'
import type { Term } from '../../lock/term.ts'
import type { CandidatePlan } from './candidate.ts'
import { ElectingProcess, type Birth } from './electing-process.ts'
import { NAMESPACE } from './hands.ts'

/** A program that elects with this library. */
export class LibraryCandidate extends ElectingProcess {
  readonly #elector: Elector
  readonly #stop = new AbortController()
  readonly #releases: boolean
  #term: Term | undefined

  constructor(plan: CandidatePlan, birth: Birth) {
    super(plan, birth)
    this.#releases = plan.releases
    const { clock, random, identity } = this
    const lock = leaseLock(this.api, { namespace: NAMESPACE, name: plan.lease, clock, random })
    this.#elector = new Elector({ lock, identity, ...plan.timing, clock, random, onError: () => undefined })
    this.#elector
      .lead((term) => this.#work(term), { signal: this.#stop.signal })
      .catch((error: unknown) => this.fault(error))
  }

  giveWay(): void {
    this.clock.whenRunning(() => void this.#elector.stepDown())
  }

  stop(): void {
    if (this.#releases) this.clock.whenRunning(() => this.#stop.abort())
  }

  protected believed(): { readonly number: number; readonly token: number } | undefined {
    const term = this.#term
    if (!term || !this.#elector.isLeader()) return undefined
    return { number: term.number, token: Number(term.token) }
  }

  async #work(term: Term): Promise<void> {
    this.#term = term
    this.believe({ number: term.number, token: Number(term.token) })
    await abortOf(term.signal)
    this.ended(term.signal.reason as TermEndedError)
  }
}
