import { Elector as LockElector } from '../lock/elector.ts'
import type { ElectorOptions } from '../lock/options.ts'
import type { Term } from '../lock/term.ts'
import { surroundings } from './surroundings.ts'

/**
 * Leader election on a lock. At most one of all electors of a lock leads at any instant, as long as their clocks' rates
 * differ by no more than `clockDrift` and identities are unique.
 *
 * One use at a time: `lead`, `terms` or `acquire`. Nothing is requested before, and nothing is left after.
 *
 * @example
 * const elector = new Elector({ lock: { name: 'db' } })
 * await elector.lead(async (term) => serve(term.signal), { signal: shutdown })
 */
export class Elector extends LockElector {
  /** @throws InvalidOptionsError with every violation, and the values */
  constructor(options: ElectorOptions) {
    super(options, surroundings)
  }
}

/**
 * `new Elector(options).lead(work)`, for whoever needs no more: contends, works while it leads, contends again when the
 * term was lost before the work returned.
 *
 * @param options those of an elector; once `signal` aborts, the work is told to stop, waited for, and the lock released
 * @returns what the first work returned in its term; undefined once `signal` aborted and all is released
 * @throws InvalidOptionsError with every violation; what `work` throws, unless it only says that its term has ended
 *
 * @example
 * await lead({ lock: { name: 'db' }, signal: shutdown }, async (term) => serve(term.signal))
 */
export async function lead<T>(
  options: ElectorOptions & { readonly signal?: AbortSignal },
  work: (term: Term) => T | Promise<T>,
): Promise<T | undefined> {
  const { signal, ...rest } = options
  await using elector = new Elector(rest)
  return await elector.lead(work, signal ? { signal } : {})
}
