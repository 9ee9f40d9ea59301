/** What both kinds of candidates are told, in the words of client-go. */
export interface Timing {
  readonly leaseDurationSeconds: number
  readonly renewDeadlineSeconds: number
  readonly retryPeriodSeconds: number
}

export interface CandidateFlags extends Timing {
  readonly kubeconfig: string
  readonly namespace: string
  readonly lease: string
  readonly identity: string
  /** Empty the Lease on SIGTERM. */
  readonly releaseOnCancel: boolean
}

export function candidateArgs(flags: CandidateFlags): readonly string[] {
  return [
    `--kubeconfig=${flags.kubeconfig}`,
    `--namespace=${flags.namespace}`,
    `--lease=${flags.lease}`,
    `--id=${flags.identity}`,
    `--lease-duration=${flags.leaseDurationSeconds}s`,
    `--renew-deadline=${flags.renewDeadlineSeconds}s`,
    `--retry-period=${flags.retryPeriodSeconds}s`,
    ...(flags.releaseOnCancel ? ['--release-on-cancel'] : []),
  ]
}
