/** Of an elector, all that its health needs. */
export interface Checked {
  /** What is wrong; undefined: nothing. */
  check(maxTolerableExpiredLeaseSeconds: number): Error | undefined
}

/**
 * The health of an elector for a liveness endpoint: wrong when work outlives its term by more than `timeoutSeconds`.
 * `runOrDie` connects the one that its configuration has as `watchDog`.
 */
export class HealthzAdaptor {
  readonly #timeoutSeconds: number
  #elector: Checked | undefined

  /** @param timeoutSeconds what is tolerated beyond the lease duration; kube-controller-manager has 20 */
  constructor(timeoutSeconds: number) {
    this.#timeoutSeconds = timeoutSeconds
  }

  /** `leaderElection` */
  name(): string {
    return 'leaderElection'
  }

  /** What is wrong; undefined: nothing, or no elector has been set yet. */
  check(): Error | undefined {
    return this.#elector?.check(this.#timeoutSeconds)
  }

  /** Whose health it is from now on. */
  setLeaderElection(elector: Checked): void {
    this.#elector = elector
  }
}
