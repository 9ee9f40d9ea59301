/** Something that at most one of all that want it holds at a time. */
export interface Leaser {
  /** Names it to people, such as `etcd key leases/controllers`. */
  readonly describe: string
  /**
   * Waits until it is held, calls `acquired` once, and holds it. Resolves when `signal` has aborted or `release` was
   * called: what is held is not renewed from then on, and left for `release`. One call at a time.
   *
   * @throws LeaseLostError, or another error that says why, when what was held is lost
   */
  acquireAndHold(acquired: () => void, options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Compares clocks: whether work may go on. False before `acquired` was called. */
  isHeld(): boolean
  /**
   * Resolves when somebody else may hold it by the mere passing of time, however the holding ended, or when `signal`
   * aborts. Even if that time has come already, work that stops as soon as it is told to is given its turn before.
   * Never rejects.
   */
  expiry(signal: AbortSignal): Promise<void>
  /**
   * Lets somebody else have it at once. Also ends the waiting of `acquireAndHold`. Resolves when nothing of ours is left
   * there, or nothing can be done about it but to wait until it expires. Never rejects.
   */
  release(): Promise<void>
}
