import { isBlind, isChange, type State } from './chain.ts'
import { fits, type Lost } from './lost.ts'
import type { Operation, Removal, Write } from './operation.ts'
import type { Bound } from './times.ts'

/** Bounds which together explain an operation. */
export type Way = readonly Bound[]

/** Where among the states an operation can have been. */
export class Placement {
  readonly #states: readonly State[]
  readonly #lost: readonly Lost[]
  readonly #present = new Map<number, number>()
  readonly #absent: number[] = []
  readonly #unseen: readonly number[]
  readonly #made = new Map<Operation, number>()

  constructor(states: readonly State[], lost: readonly Lost[]) {
    this.#states = states
    this.#lost = lost
    const last = states.at(-1)?.version
    this.#unseen = last === 'unseen' || last === 'changed' ? [states.length - 1] : []
    for (const [index, { version, maker }] of states.entries()) {
      if (maker) this.#made.set(maker, index)
      if (typeof version === 'number') this.#present.set(version, index)
      else if (version !== 'changed') this.#absent.push(index)
    }
  }

  waysOf(operation: Operation): 'free' | readonly Way[] {
    if (operation.kind === 'read')
      return operation.found === undefined ? this.#absence(operation) : [this.#sight(operation, operation.found)]
    if (operation.outcome === 'conflict') return this.#refusal(operation)
    const made = this.#made.get(operation)
    if (made !== undefined) return [[bound(made, 'notBefore', operation), bound(made, 'notAfter', operation)]]
    if (isChange(operation) || operation.kind === 'delete' || operation.version === undefined) return []
    return [this.#sight(operation, operation.version)]
  }

  /** That state had begun before the answer, and had not ended before the request. */
  #sight(operation: Operation, version: number): readonly Bound[] {
    return this.#during(this.#present.get(version)!, operation)
  }

  #during(state: number, operation: Operation): readonly Bound[] {
    return [bound(state, 'notAfter', operation), bound(state + 1, 'notBefore', operation)]
  }

  #absence(operation: Operation): 'free' | readonly Way[] {
    if (this.#isRemovedUnseen(operation)) return 'free'
    return this.#absent.map((state) => this.#during(state, operation))
  }

  #refusal(operation: Write | Removal): 'free' | readonly Way[] {
    if (operation.kind === 'create') return this.#presence(operation)
    const { expected } = operation
    // Without a precondition it is refused for want of an object.
    if (expected === undefined) return this.#absence(operation)
    const state = this.#present.get(expected)
    if (state === undefined || this.#mayHaveBeenReplacedUnseen(state, operation)) return 'free'
    return [[bound(state, 'notBefore', operation)], [bound(state + 1, 'notAfter', operation)]]
  }

  /** There was an object already. */
  #presence(operation: Write): 'free' | readonly Way[] {
    if (this.#isCreatedUnseen(operation)) return 'free'
    return [...this.#present.values(), ...this.#unseen].map((state) => this.#during(state, operation))
  }

  /** A lost removal may have come before, and a lost creation after it: an absence that is no state of its own. */
  #isRemovedUnseen(operation: Operation): boolean {
    const isCreated = this.#lost.some(({ kind }) => kind === 'create')
    return isCreated && this.#lost.some((each) => each.kind === 'delete' && isBefore(each, operation))
  }

  /** A lost creation may have come before, and something that ended what it made: an object that is no state of its own. */
  #isCreatedUnseen(operation: Operation): boolean {
    const isEnded =
      this.#lost.some(({ kind }) => kind !== 'create') || this.#states.some(({ maker }) => maker && isBlind(maker))
    return isEnded && this.#lost.some((each) => each.kind === 'create' && isBefore(each, operation))
  }

  #mayHaveBeenReplacedUnseen(state: number, operation: Operation): boolean {
    const next = this.#states[state + 1]
    if (!next || this.#unseen.includes(state + 1) || next.maker?.expected !== undefined) return false
    const version = this.#states[state]!.version as number
    const replaces = (each: Lost): boolean => each.kind !== 'create' && fits(each, version)
    // The next state came from what was not seen, by an answered write that named no version or by another lost one.
    const isFollowed =
      next.maker !== undefined || this.#lost.some((each) => !replaces(each) || each.expected === undefined)
    return isFollowed && this.#lost.some((each) => replaces(each) && isBefore(each, operation))
  }
}

function isBefore({ calledAt }: Operation, { returnedAt = Infinity }: Operation): boolean {
  return calledAt <= returnedAt
}

function bound(state: number, side: Bound['side'], operation: Operation): Bound {
  const { calledAt, returnedAt = Infinity } = operation
  return { state, side, at: side === 'notBefore' ? calledAt : returnedAt, operation }
}
