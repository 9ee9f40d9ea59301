import { Impossible, type State } from './chain.ts'
import type { Operation } from './operation.ts'

/** A bound of the time at which a state began: at or after `at`, or at or before it. */
export interface Bound {
  readonly state: number
  readonly side: 'notBefore' | 'notAfter'
  readonly at: number
  readonly operation: Operation
}

interface Limit {
  readonly at: number
  readonly by: Operation | undefined
}

interface Limits {
  readonly notBefore: readonly Limit[]
  readonly notAfter: readonly Limit[]
}

/**
 * When each of a row of states may have begun, none before the one that precedes it. The first was there before all
 * operations; the one after the last never begins.
 */
export class Times {
  readonly #notBefore: Limit[]
  readonly #notAfter: Limit[]
  /** What follows for each state from the bounds of all: those before it, and those after. */
  #implied: Limits | undefined

  constructor(states: readonly State[], from?: Times) {
    const never = { at: Infinity, by: undefined }
    this.#notBefore = from
      ? [...from.#notBefore]
      : [...states.map(({ notBefore, maker }) => ({ at: notBefore, by: maker })), never]
    this.#notAfter = from
      ? [...from.#notAfter]
      : this.#notBefore.map((_limit, state) => (state === 0 ? { at: -Infinity, by: undefined } : never))
  }

  copy(): Times {
    return new Times([], this)
  }

  add({ state, side, at, operation }: Bound): void {
    const bounds = side === 'notBefore' ? this.#notBefore : this.#notAfter
    const isTighter = side === 'notBefore' ? at > bounds[state]!.at : at < bounds[state]!.at
    if (!isTighter) return
    bounds[state] = { at, by: operation }
    this.#implied = undefined
  }

  /** @throws Impossible where a state would have to begin before one that precedes it can */
  check(): void {
    const { notBefore } = this.#implications()
    for (const [state, { at, by }] of this.#notAfter.entries()) {
      const earliest = notBefore[state]!
      if (earliest.at <= at) continue
      const operations = [earliest.by, by].filter((each) => each !== undefined)
      throw new Impossible('these contradict each other', operations)
    }
  }

  /** Those of one way never contradict each other. */
  allows(way: readonly Bound[]): boolean {
    const { notBefore, notAfter } = this.#implications()
    return way.every(({ state, side, at }) => {
      return side === 'notBefore' ? at <= notAfter[state]!.at : at >= notBefore[state]!.at
    })
  }

  implies({ state, side, at }: Bound): boolean {
    const { notBefore, notAfter } = this.#implications()
    return side === 'notBefore' ? notBefore[state]!.at >= at : notAfter[state]!.at <= at
  }

  #implications(): Limits {
    if (this.#implied) return this.#implied
    const notBefore = [...this.#notBefore]
    for (let state = 1; state < notBefore.length; state++) {
      if (notBefore[state - 1]!.at > notBefore[state]!.at) notBefore[state] = notBefore[state - 1]!
    }
    const notAfter = [...this.#notAfter]
    for (let state = notAfter.length - 2; state >= 0; state--) {
      if (notAfter[state + 1]!.at < notAfter[state]!.at) notAfter[state] = notAfter[state + 1]!
    }
    return (this.#implied = { notBefore, notAfter })
  }
}
