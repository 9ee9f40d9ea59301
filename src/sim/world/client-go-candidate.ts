import { sleepUntil } from '../../clock.ts'
import type { CandidatePlan } from './candidate.ts'
import { ClientGoRecord } from './client-go-record.ts'
import { ElectingProcess, type Birth } from './electing-process.ts'

/** JitterFactor of client-go. */
const JITTER = 1.2

/**
 * A program that elects as client-go's `leaderelection` does (release 1.36), with its weaknesses: it leads until its renewals
 * have failed for the whole renew deadline, whatever time says, and empties the Lease that it finds then. A process that
 * has lost begins anew, as one does that is started again.
 */
export class ClientGoCandidate extends ElectingProcess {
  readonly #record: ClientGoRecord
  readonly #plan: CandidatePlan
  #cancel = new AbortController()
  #isStopping = false
  #leads = false

  constructor(plan: CandidatePlan, birth: Birth) {
    super(plan, birth)
    this.#plan = plan
    this.#record = new ClientGoRecord(plan, this)
    this.#run().catch((error: unknown) => this.fault(error))
  }

  giveWay(): void {
    this.clock.whenRunning(() => this.#cancel.abort(new Error('it gives way')))
  }

  stop(): void {
    this.#isStopping = true
    this.giveWay()
  }

  protected believed(): { readonly number: number } | undefined {
    return this.#leads ? { number: this.#record.transitions } : undefined
  }

  async #run(): Promise<void> {
    const { retryPeriodSeconds } = this.#plan.timing
    while (!this.#isStopping) {
      this.#cancel = new AbortController()
      const { signal } = this.#cancel
      if (await this.#acquire(signal)) {
        this.#leads = true
        this.believe(this.believed())
        await this.#renew(signal)
        // First the release, then the callback that says that leading is over: the order of client-go.
        if (this.#plan.releases) await this.#record.release()
        this.#leads = false
        this.believe(undefined)
      }
      if (!this.#isStopping) await this.#sleep(retryPeriodSeconds * 1000 * (1 + JITTER) * 1.5)
    }
  }

  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { retryPeriodSeconds } = this.#plan.timing
    while (!signal.aborted) {
      if (await this.#record.tryAcquireOrRenew(signal)) return true
      await this.#sleep(retryPeriodSeconds * 1000 * (1 + this.random() * JITTER), signal)
    }
    return false
  }

  /** Until a poll has failed for the whole renew deadline. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { retryPeriodSeconds, renewDeadlineSeconds } = this.#plan.timing
    const { clock } = this
    while (!signal.aborted) {
      const until = clock.now() + renewDeadlineSeconds * 1000
      while (!(await this.#record.tryAcquireOrRenew(signal, until))) {
        if (signal.aborted || clock.now() + retryPeriodSeconds * 1000 >= until) return
        await this.#sleep(retryPeriodSeconds * 1000, signal)
      }
      await this.#sleep(retryPeriodSeconds * 1000, signal)
    }
  }

  /** Ends early, and without a word, when the signal aborts. */
  async #sleep(millis: number, signal = new AbortController().signal): Promise<void> {
    const { clock } = this
    try {
      await sleepUntil(clock, clock.now() + millis, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}
