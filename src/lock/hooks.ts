import type { Challenge } from './challenge.ts'
import { ElectionError } from './errors.ts'
import type { Term } from './term.ts'

/** What the caller is told. Results are ignored; what a hook throws, or its promise rejects with, goes to `onError`. */
export interface Hooks {
  /** Another holder than before was seen, or none. May name this elector. */
  readonly onNewLeader?: (holder: string | undefined) => unknown
  /**
   * Somebody else wrote the lock while this elector led, with a name on it: the term has ended. `by.holder` is who took
   * it, or this elector's own identity, if another living process goes by the same: then there is no election at all.
   */
  readonly onChallenge?: (by: Challenge) => unknown
  /** Whatever goes wrong and is nobody's return value. The election goes on. @default console.error */
  readonly onError?: (error: ElectionError) => unknown
  /**
   * The work still runs when another may begin to lead, leaseDuration / (1 + clockDrift) after the start of the last
   * renewal. Pass something that ends the process.
   */
  readonly onOverrun?: (term: Term) => unknown
}

export const HOOKS = ['onNewLeader', 'onChallenge', 'onError', 'onOverrun'] as const satisfies readonly (keyof Hooks)[]

/** Hooks that are always there and never throw: none of them can harm a term. */
export class GuardedHooks {
  readonly #hooks: Hooks

  constructor(hooks: Hooks) {
    this.#hooks = hooks
  }

  newLeader(holder: string | undefined): void {
    this.#call('onNewLeader', () => this.#hooks.onNewLeader?.(holder))
  }

  challenge(by: Challenge): void {
    this.#call('onChallenge', () => this.#hooks.onChallenge?.(by))
  }

  overrun(term: Term): void {
    this.#call('onOverrun', () => this.#hooks.onOverrun?.(term))
  }

  error(error: ElectionError): void {
    const { onError = print } = this.#hooks
    const failed = (thrown: unknown): void => {
      print(error)
      print(thrown)
    }
    settle(() => onError(error), failed)
  }

  #call(name: string, call: () => unknown): void {
    settle(call, (cause) => this.error(new ElectionError('hook', `${name} has thrown: ${String(cause)}`, { cause })))
  }
}

function settle(call: () => unknown, failed: (thrown: unknown) => void): void {
  try {
    const result = call()
    if (result instanceof Promise) result.catch(failed)
  } catch (thrown) {
    failed(thrown)
  }
}

/** The last resort: an error must not vanish because nobody asked for it, or because a hook failed. */
function print(error: unknown): void {
  globalThis.console.error(error)
}
