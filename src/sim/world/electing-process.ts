import { Api } from '../../kube/api.ts'
import type { Belief } from '../invariants/facts.ts'
import type { TermEndedError } from '../../lock/errors.ts'
import type { Candidate, CandidatePlan } from './candidate.ts'
import { Dice } from './dice.ts'
import { NAMESPACE } from './hands.ts'
import { Link } from './link.ts'
import { ProcessClock } from './process-clock.ts'
import type { Stage } from './stage.ts'

/** Where a candidate runs, and as whom. */
export interface Birth {
  readonly identity: string
  readonly process: string
  readonly node: ProcessClock
  readonly stage: Stage
}

/** What all candidates are: a process on a node, with a way to the API servers, and a belief that the judge is told. */
export abstract class ElectingProcess implements Candidate {
  readonly process: string
  readonly identity: string
  readonly clock: ProcessClock
  readonly link: Link
  readonly api: Api
  readonly random: () => number
  readonly #stage: Stage
  readonly #lease: string
  #told: Belief['term']
  #isOver = false

  constructor(plan: CandidatePlan, { identity, process, node, stage }: Birth) {
    const { world, seed, witness } = stage
    const { leaseDurationSeconds, renewDeadlineSeconds } = plan.timing
    this.process = process
    this.identity = identity
    this.#stage = stage
    this.#lease = plan.lease
    // One oscillator: the clocks of a node's processes agree.
    this.clock = new ProcessClock(world, { offsetMillis: node.wallNow() - world.wallNow(), rate: node.rate })
    this.random = new Dice(`${seed}/${process}`).random
    this.link = new Link({ process, host: process }, stage, this.clock, new Dice(`${seed}/${process}/link`))
    this.api = new Api(this.link, this.clock, { timeoutMillis: Math.min(5_000, renewDeadlineSeconds * 500) })
    witness.begins(process, 'candidate', node.rate, {
      lock: `${NAMESPACE}/${plan.lease}`,
      identity,
      leaseDurationMillis: leaseDurationSeconds * 1000,
      renewDeadlineMillis: renewDeadlineSeconds * 1000,
      ...(plan.kind === 'library' ? {} : { ours: false }),
    })
    stage.trace.tell(world.now(), process, () => `starts to elect (${plan.kind})`)
    this.clock.onRate = (rate) => witness.rate(process, rate)
    this.clock.onRunning = (runs) => this.believe(runs ? withoutToken(this.believed()) : undefined)
  }

  abstract giveWay(): void
  abstract stop(): void

  /** What it would answer now if it were asked whether it leads. */
  protected abstract believed(): Belief['term']

  tell(lease: string): void {
    if (lease === this.#lease && this.#told && !this.clock.isStopped) this.believe(withoutToken(this.believed()), true)
  }

  /** The process is gone. */
  kill(): void {
    if (this.#isOver) return
    this.#isOver = true
    const { world, trace, witness } = this.#stage
    this.clock.kill()
    this.link.close()
    witness.ends(this.process, 'candidate')
    trace.tell(world.now(), this.process, () => 'is gone')
  }

  /** @param anew also if it is what was told last: whoever else may lead by now */
  protected believe(term: Belief['term'], anew = false): void {
    if (this.#isOver || (!anew && term?.number === this.#told?.number && !term === !this.#told)) return
    this.#told = term
    const { world, trace, witness } = this.#stage
    witness.tell({ kind: 'belief', at: world.now(), process: this.process, ...(term ? { term } : {}) })
    if (!anew)
      trace.tell(world.now(), this.process, () => (term ? `leads in term ${term.number}` : 'does not lead any more'))
  }

  protected ended({ reason }: TermEndedError): void {
    this.#stage.reach(`term ends: ${reason}`)
    this.believe(undefined)
  }

  protected fault(error: unknown): void {
    this.#stage.fault(this.process, error)
  }
}

/** After a pause: the term may be the one that it was in, whose token is no new one. */
function withoutToken(term: Belief['term']): Belief['term'] {
  return term && { number: term.number }
}
