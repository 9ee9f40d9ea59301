/** What differs between locks, as far as it changes what an elector may do. */
export interface LockRules {
  /** False: the object is somebody else's, who creates it. An elector waits for it. */
  readonly mayCreate: boolean
  /**
   * A coordinator names the holder (coordinated leader election, KEP-4355). A candidate takes the lock only when it bears
   * its name, neither creates it nor takes it from anybody, and yields when the coordinator prefers another.
   */
  readonly coordinated: boolean
}

export const COMMON_RULES: LockRules = { mayCreate: true, coordinated: false }
