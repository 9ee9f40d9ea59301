/**
 * One write of a pod at a time, whichever groups share it. Each write names the version that it was decided on, so of several
 * at once all but one would be refused: thirty groups that lost one leader sent 436 patches, fifteen for each that took. Whose
 * turn comes late decides as often as others went before, which costs no request.
 */
export class PodTurns {
  readonly #last = new Map<string, Promise<void>>()

  /** In the order of the calls. The turn begins when what is `before` it is over, and lasts until it is disposed of. */
  queue(uid: string): PodTurn {
    const before = this.#last.get(uid)
    const { promise: over, resolve } = Promise.withResolvers<void>()
    this.#last.set(uid, over)
    const end = (): void => {
      resolve()
      if (this.#last.get(uid) === over) this.#last.delete(uid)
    }
    return { before, [Symbol.dispose]: end }
  }
}

export interface PodTurn extends Disposable {
  /** Undefined: it is this one's turn. */
  readonly before: Promise<void> | undefined
}
