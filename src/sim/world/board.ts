import { groupKeys, LEADER_ROLE } from '../../group/keys.ts'
import type { Revision } from '../store.ts'

/** What the history shows of one group: who bears its label. */
export class Board {
  readonly group: string
  readonly #role: string
  /** UIDs. */
  readonly #labelled = new Set<string>()
  /** Labels that went to another pod than the one before. */
  failovers = 0
  #latest: string | undefined

  constructor(group: string) {
    this.group = group
    this.#role = groupKeys(group).role
  }

  get leaderUid(): string | undefined {
    return this.#labelled.values().next().value
  }

  get labelled(): number {
    return this.#labelled.size
  }

  committed({ type, object: { metadata } }: Pick<Revision, 'type' | 'object'>): void {
    const bears = type !== 'DELETED' && metadata.labels?.[this.#role] === LEADER_ROLE
    if (!bears) this.#labelled.delete(metadata.uid)
    else if (!this.#labelled.has(metadata.uid)) {
      this.#labelled.add(metadata.uid)
      if (this.#latest !== undefined && this.#latest !== metadata.uid) this.failovers += 1
      this.#latest = metadata.uid
    }
  }
}
