/** What a candidate says of itself, one JSON line each. */
export interface Line {
  readonly event: 'started' | 'leading' | 'stopped' | 'newLeader' | 'acts'
  /** Of `newLeader`; absent when there is none. Of `acts`: the token of the term. */
  readonly leader?: string
  /** The clock that all processes of a machine share, and that no step of the wall clock moves. */
  readonly monotonicMillis: number
  readonly wallMillis: number
}

/** The same clock as in the candidates' lines. */
export function monotonicMillis(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
