import type { State } from './state.ts'

/** A group in a state that may last for as long as two requests take. */
export interface Moment {
  readonly group: string
  readonly state: State
}

interface Waiting {
  readonly moment: Moment
  readonly strike: () => void
}

/** Lets a fault strike in the very moment it is meant for: by luck alone it would hardly ever find it. */
export class Lookout {
  readonly #stateOf: (group: string) => State | undefined
  #waiting: readonly Waiting[] = []

  constructor(stateOf: (group: string) => State | undefined) {
    this.#stateOf = stateOf
  }

  /** Strikes as soon as it has come, unless all faults end before. */
  wait(moment: Moment, strike: () => void): void {
    this.#waiting = [...this.#waiting, { moment, strike }]
    this.look()
  }

  /** To be called after each commit. */
  look(): void {
    if (this.#waiting.length === 0) return
    const hasCome = ({ moment: { group, state } }: Waiting): boolean => this.#stateOf(group) === state
    const struck = this.#waiting.filter(hasCome)
    if (struck.length === 0) return
    this.#waiting = this.#waiting.filter((each) => !struck.includes(each))
    for (const { strike } of struck) strike()
  }

  calm(): void {
    this.#waiting = []
  }
}
