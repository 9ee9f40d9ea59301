import type { LeaseRecord, Versioned } from '../election/record.ts'

/**
 * An object that candidates compete for: read, and replaced only if it is still as it was read.
 *
 * Versions are decimal integers that grow with every write of the object, also when it is deleted and created anew:
 * they order what arrives out of order, and the version that acquires is the fencing token of its term.
 *
 * What can be expected is a value. Whatever else goes wrong is thrown, preferably as an ElectionError, and means for a
 * write that it may have happened or not. An implementation retries nothing.
 */
export interface Lock {
  /** Names the lock to people, such as `Lease default/db`. */
  readonly describe: string
  /** The object as it is now: never an older state than that of the moment of the call. */
  read(signal: AbortSignal): Promise<Versioned | 'absent'>
  /**
   * Replaces the record of exactly `version`, or creates the object if there is none and `version` is undefined.
   * `conflict`: nothing was written, because the object is another one by now.
   */
  write(next: LeaseRecord, version: string | undefined, signal: AbortSignal): Promise<Versioned | 'conflict'>
  /** Tells of changes soon after they happen, states in between left out or not. Ends when `signal` aborts. */
  watch?(signal: AbortSignal): AsyncIterable<Versioned | 'absent'>
  /** Nobody contends any more, for now: connections of its own end. The next request opens them again. */
  close?(): Promise<void>
}
