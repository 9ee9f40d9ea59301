import type { LeaderGroup, LeaderGroupStatus } from '../../group/leadergroup.ts'
import type { Invariant, Report } from './rule.ts'
import type { GrowingTerms } from './terms.ts'
import type { Group, Step, World } from './world.ts'

/**
 * I6: status tells the truth, in each version that an operator writes.
 *
 * - It names only whom the gate has named in that term; in mode Assign, only who has borne its label.
 * - Its term never goes back, and is never above what the gate has named. What a stranger wrote there may stay: a higher
 *   number of his is taken over (so that it is never used again), a lower one is put right.
 * - `observedGeneration` never goes back and is never ahead of the spec.
 *
 * That it comes to agree with the gate once faults stop is judged with L1.
 */
export class StatusTruth implements Invariant {
  readonly #world: World
  readonly #terms: GrowingTerms
  readonly #report: Report
  /** By group: the highest term that a stranger wrote into status. */
  readonly #strange = new Map<string, { readonly uid: string; readonly term: number }>()

  /** @param terms has followed each step before this does */
  constructor(world: World, terms: GrowingTerms, report: Report) {
    this.#world = world
    this.#terms = terms
    this.#report = report
  }

  commit({ fact, author }: Step): void {
    if (fact.resource !== 'leadergroups' || !fact.after) return
    const after = fact.after as LeaderGroup
    const before = fact.before?.metadata.uid === after.metadata.uid ? (fact.before as LeaderGroup) : undefined
    const group = this.#world.group(after.metadata.namespace ?? '', after.metadata.name)
    if (author !== 'operator') return this.#remember(group, before, after)
    this.#judge(group, before?.status ?? {}, after)
  }

  #remember(group: Group, before: LeaderGroup | undefined, { metadata: { uid }, status }: LeaderGroup): void {
    const term = status?.term ?? 0
    if (term !== (before?.status?.term ?? 0))
      this.#strange.set(group.ref, { uid, term: Math.max(term, this.#strangest(group)) })
  }

  #strangest({ ref, uid }: Group): number {
    const strange = this.#strange.get(ref)
    return strange && strange.uid === uid ? strange.term : 0
  }

  #judge(group: Group, before: LeaderGroupStatus, { metadata, status = {} }: LeaderGroup): void {
    const { term = 0, holder, holderUID, observedGeneration = 0 } = status
    const report = (text: string): void => this.#report('I6', group.ref, text)
    if (term < (before.term ?? 0)) report(`status.term went from ${before.term} to ${term}`)
    const highest = Math.max(this.#terms.highest(group), this.#strangest(group))
    // In mode Observe the gate is born above every number on the pods, before it names anybody.
    const isBirth = status.gate !== undefined && group.gate.kind === 'open'
    if (term > highest && !isBirth && before.term !== term) {
      report(`status.term is ${term}, the gate has named ${highest} at most`)
    }
    if (holderUID !== undefined && this.#terms.named(group).get(term) !== holderUID) {
      report(`status names ${holder} (${holderUID}) in term ${term}, which the gate never did`)
    }
    if (holderUID !== undefined && status.gate === undefined && !this.#terms.hasLed(group, term)) {
      report(`status names ${holder} (${holderUID}) in term ${term}, of which nobody bore the label`)
    }
    if (observedGeneration < (before.observedGeneration ?? 0)) {
      report(`observedGeneration went from ${before.observedGeneration} to ${observedGeneration}`)
    }
    if (observedGeneration > (metadata.generation ?? Infinity)) {
      report(`observedGeneration is ${observedGeneration}, the generation ${metadata.generation}`)
    }
  }
}
