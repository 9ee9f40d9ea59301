import { groupKeys, LEADER_ROLE } from '../../group/keys.ts'
import type { Revision } from '../store.ts'

/** What the history shows of one group: who bears its label. */
export class Board {
  readonly group: string
  readonly #role: string
  /** Names by UID. */
  readonly #labelled = new Map<string, string>()
  /** Pods that were labelled, each time anew. */
  terms = 0

  constructor(group: string) {
    this.group = group
    this.#role = groupKeys(group).role
  }

  get leader(): string | undefined {
    return this.#labelled.values().next().value
  }

  get leaderUid(): string | undefined {
    return this.#labelled.keys().next().value
  }

  get labelled(): number {
    return this.#labelled.size
  }

  committed({ type, object: { metadata } }: Revision): void {
    const bears = type !== 'DELETED' && metadata.labels?.[this.#role] === LEADER_ROLE
    if (!bears) this.#labelled.delete(metadata.uid)
    else if (!this.#labelled.has(metadata.uid)) {
      this.#labelled.set(metadata.uid, metadata.name)
      this.terms += 1
    }
  }
}
