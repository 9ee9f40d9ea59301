import type { Clock } from '../clock.ts'

/**
 * One write of a pod at a time, whichever groups share it. Each write names the version that it was decided on, so of several
 * at once all but one would be refused: thirty groups that lost one leader sent 436 patches, fifteen for each that took. Whose
 * turn comes after another's write decides anew, which costs no request, and keeps its turn for that: at the end of the line
 * it would be outdated again, by each of those before it.
 */
export class PodTurns {
  readonly #clock: Clock
  /** By UID of the pod. */
  readonly #lines = new Map<string, Line>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** In the order of the calls. The turn begins when what is `before` it is over, and lasts until it is disposed of. */
  queue(uid: string, group: string): PodTurn {
    const line = this.#lines.get(uid)
    if (!line) this.#lines.set(uid, { keptFor: undefined, waiting: [] })
    else if (line.keptFor === group) line.keptFor = undefined
    else {
      const { promise, resolve } = Promise.withResolvers<void>()
      line.waiting.push(resolve)
      return this.#turn(uid, group, promise)
    }
    return this.#turn(uid, group, undefined)
  }

  #turn(uid: string, group: string, before: Promise<void> | undefined): PodTurn {
    let isKept = false
    return {
      before,
      keep: () => {
        isKept = true
        this.#keep(uid, group)
      },
      [Symbol.dispose]: () => {
        if (!isKept) this.#next(uid)
      },
    }
  }

  #keep(uid: string, group: string): void {
    const line = this.#lines.get(uid)!
    line.keptFor = group
    // To decide anew takes no time. Who has not come back after that wants nothing any more.
    this.#clock.timer(this.#clock.now(), () => {
      if (line.keptFor !== group) return
      line.keptFor = undefined
      this.#next(uid)
    })
  }

  #next(uid: string): void {
    const begin = this.#lines.get(uid)!.waiting.shift()
    if (begin) begin()
    else this.#lines.delete(uid)
  }
}

interface Line {
  /** The group that decides anew before it takes its turn. */
  keptFor: string | undefined
  readonly waiting: (() => void)[]
}

export interface PodTurn extends Disposable {
  /** Undefined: it is this one's turn. */
  readonly before: Promise<void> | undefined
  /** The turn goes to the same group's next call, if that comes at once. */
  keep(): void
}
