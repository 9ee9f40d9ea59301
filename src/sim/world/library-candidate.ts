import { Elector } from '../../lock/elector.ts'
import type { TermEndedError } from '../../lock/errors.ts'
import { leaseLock } from '../../lock/lease-lock.ts'
import type { Term } from '../../lock/term.ts'
import type { Candidate, CandidatePlan } from './candidate.ts'
import { CandidateLife, type Birth } from './candidate-life.ts'
import { NAMESPACE } from './hands.ts'
import type { Link } from './link.ts'
import type { ProcessClock } from './process-clock.ts'

/** A program that elects with this library. */
export class LibraryCandidate implements Candidate {
  readonly #life: CandidateLife
  readonly #elector: Elector
  readonly #stop = new AbortController()
  readonly #releases: boolean
  #term: Term | undefined

  constructor(plan: CandidatePlan, birth: Birth) {
    const life = new CandidateLife(plan, birth, () => this.#believed())
    this.#life = life
    this.#releases = plan.releases
    const { clock, random, identity } = life
    const lock = leaseLock(life.api, { namespace: NAMESPACE, name: plan.lease, clock, random })
    this.#elector = new Elector({ lock, identity, ...plan.timing, clock, random, onError: () => undefined })
    this.#elector
      .lead((term) => this.#work(term), { signal: this.#stop.signal })
      .catch((error: unknown) => life.fault(error))
  }

  get process(): string {
    return this.#life.process
  }

  get identity(): string {
    return this.#life.identity
  }

  get clock(): ProcessClock {
    return this.#life.clock
  }

  get link(): Link {
    return this.#life.link
  }

  tell(lease: string): void {
    this.#life.tell(lease)
  }

  giveWay(): void {
    this.#life.clock.whenRunning(() => void this.#elector.stepDown())
  }

  stop(): void {
    if (this.#releases) this.#life.clock.whenRunning(() => this.#stop.abort())
  }

  kill(): void {
    this.#life.end()
  }

  #believed(): { readonly number: number; readonly token: number } | undefined {
    const term = this.#term
    if (!term || !this.#elector.isLeader()) return undefined
    return { number: term.number, token: Number(term.token) }
  }

  async #work(term: Term): Promise<void> {
    this.#term = term
    this.#life.believe({ number: term.number, token: Number(term.token) })
    await new Promise<void>((resolve) => {
      if (term.signal.aborted) resolve()
      else term.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    this.#life.ended(term.signal.reason as TermEndedError)
  }
}
