/** Makes the metric of an elector: client-go's `MetricsProvider`. */
export interface MetricsProvider {
  /** Called once for each elector. */
  newLeaderMetric(): LeaderMetric
}

/** Follows the leadership of one elector. What its functions throw goes to `onError`. */
export interface LeaderMetric {
  /** The elector of this name leads. */
  on(name: string): unknown
  /** It does not: said when it is made, and at every end of a term. */
  off(name: string): unknown
  /** Never called: a renewal that meets a changed lock ends the term here, so that there is no slow path. */
  slowpathExercised?(name: string): unknown
}

const NOTHING: LeaderMetric = { on: () => undefined, off: () => undefined }

/** Holds the provider of a process: the first that is set stays. */
export class LeaderMetrics {
  #provider: MetricsProvider | undefined

  setProvider(provider: MetricsProvider): void {
    this.#provider ??= provider
  }

  newLeaderMetric(): LeaderMetric {
    return this.#provider?.newLeaderMetric() ?? NOTHING
  }
}

/** Those of this process. */
export const leaderMetrics = new LeaderMetrics()

/** Sets who makes the metrics of all electors made from now on. The first call counts, as in client-go. */
export function setProvider(provider: MetricsProvider): void {
  leaderMetrics.setProvider(provider)
}
