import type { LeaderGroup } from '../../group/leadergroup.ts'
import type { Fact } from './facts.ts'
import type { Knowledge } from './knowledge.ts'
import { labelRequest } from './label-request.ts'
import type { Invariant, Report } from './rule.ts'
import { readTerm } from './wire.ts'
import type { Group, KeysChange, Step, World } from './world.ts'

interface Lost {
  readonly term: number
  /** An operator took it off. Else a stranger did, while status of this version said that the pod led. */
  readonly shownVersion: number | undefined
}

/**
 * I3, of labels: a term that was lost is never resumed.
 *
 * - Once an operator has taken the label of a term off a pod, no operator puts that term's label on it again.
 * - Once somebody else has, no operator does so either that was shown before that the pod has led in this term: in status,
 *   which says so only after the label was there. An operator that was not can't tell a label that was lost from one that
 *   never was; to put it on again then harms nobody, for the gate has named no one else (I2).
 *
 * Of a group that is created again (another UID) terms may begin anew.
 */
export class NoResurrection implements Invariant {
  readonly #world: World
  readonly #knowledge: Knowledge
  readonly #report: Report
  /** By group's UID and pod's UID: the last term that it lost. */
  readonly #lost = new Map<string, Lost>()
  /** By group and pod's UID: the UID of the group under which it bears its label. */
  readonly #under = new Map<string, string | undefined>()
  /** By group: the first version of status that says of a pod that it led in a term. */
  readonly #shown = new Map<string, { readonly uid: string; readonly term: number; readonly version: number }>()

  constructor(world: World, knowledge: Knowledge, report: Report) {
    this.#world = world
    this.#knowledge = knowledge
    this.#report = report
  }

  commit(step: Step): void {
    const { fact } = step
    if (fact.resource === 'leadergroups') this.#followStatus(fact.after as LeaderGroup | undefined, fact.version)
    for (const change of step.keys) this.#followLabel(change, step)
  }

  hear(fact: Fact): void {
    if (fact.kind !== 'asked') return
    const request = labelRequest(fact)
    const group = request && this.#world.groups.get(request.group)
    const lost = group && this.#lost.get(`${group.uid} ${request.uid}`)
    if (!group || lost?.shownVersion === undefined || lost.term !== request.term) return
    if (this.#knowledge.versionBefore(fact.process, `leadergroups ${group.ref}`, fact.at) < lost.shownVersion) return
    const text = `${fact.process} labels ${request.pod} in term ${lost.term} again, after somebody took that off`
    this.#report('I3', group.ref, `${text}, and was shown that it has led`)
  }

  #followStatus(group: LeaderGroup | undefined, version: number): void {
    if (!group) return
    const { ref } = this.#world.group(group.metadata.namespace ?? '', group.metadata.name)
    const { holderUID: uid, term = 0, gate, conditions } = group.status ?? {}
    const isReady = conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
    const shown = this.#shown.get(ref)
    // In mode Observe status names the holder before the label; that it led, the condition says.
    if (uid === undefined || (gate !== undefined && !isReady)) this.#shown.delete(ref)
    else if (shown?.uid !== uid || shown.term !== term) this.#shown.set(ref, { uid, term, version })
  }

  #followLabel({ group, pod, label, labelBefore, isGone }: KeysChange, { author }: Step): void {
    if (label === labelBefore) return
    const key = `${group.uid} ${pod.uid}`
    const place = `${group.ref} ${pod.uid}`
    // A label may outlive its group, and be taken off only when another of that name is there.
    const under = this.#under.get(place) ?? group.uid
    if (label) this.#under.set(place, group.uid)
    else this.#under.delete(place)
    const term = readTerm(label?.term)
    const lost = this.#lost.get(key)
    if (isGone) {
      this.#lost.delete(key)
      return
    }
    if (author === 'operator' && term !== undefined && lost?.shownVersion === undefined && term <= (lost?.term ?? -1)) {
      this.#report(
        'I3',
        group.ref,
        `${pod.name} (${pod.uid}) bears the label of term ${term} again, after it was sealed`,
      )
    }
    const before = readTerm(labelBefore?.term)
    if (before !== undefined && labelBefore?.isOperators && before !== term)
      this.#lose(group, `${under} ${pod.uid}`, pod.uid, before, author)
  }

  #lose({ ref }: Group, key: string, uid: string, term: number, author: Step['author']): void {
    const lost = this.#lost.get(key)
    if (lost?.shownVersion === undefined && (lost?.term ?? -1) >= term) return
    const shown = this.#shown.get(ref)
    const shownVersion = shown?.uid === uid && shown.term === term ? shown.version : Infinity
    this.#lost.set(key, { term, shownVersion: author === 'operator' ? undefined : shownVersion })
  }
}
