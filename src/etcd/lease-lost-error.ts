/**
 * Why a lease that was held is held no more. `taken`: the key has another's value. `revoked`: the key was deleted, or
 * its lease has ended. `changed`: somebody wrote our own value, who must be another process of the same name.
 * `deadline`: no renewal succeeded in time.
 */
export type Loss = 'taken' | 'revoked' | 'changed' | 'deadline'

const EXPLANATIONS: Readonly<Record<Loss, string>> = {
  taken: 'another client has taken the lease',
  revoked: 'another client has revoked the lease, or it has expired',
  changed: 'another client has written the same value: is the value shared?',
  deadline: 'unable to renew the lease in time',
}

/** What was held is lost, and its work has to stop. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
  /** Why, in one word. */
  readonly reason: Loss
  constructor(lease: string, reason: Loss) {
    super(`${lease}: ${EXPLANATIONS[reason]}`)
    this.reason = reason
  }
}
