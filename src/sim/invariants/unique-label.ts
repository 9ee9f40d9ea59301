import type { Fact } from './facts.ts'
import type { Knowledge } from './knowledge.ts'
import { labelRequest } from './label-request.ts'
import type { Invariant, Report } from './rule.ts'
import type { Group, Label, Step, World } from './world.ts'

/**
 * I1: at every version at most one pod of a group bears a leader label that operators put there.
 *
 * Labels of strangers are counted apart: no operator can prevent that somebody labels a pod in the moment in which it labels
 * another. But an operator that was shown such a label labels nobody before it is off; and all of them must be gone
 * within the bound of liveness once faults stop (L1).
 *
 * Not promised: uniqueness against a gate that somebody else wrote in due form, holder, UID, term and mark agreeing. It is
 * taken for the operator's own, so who leads by the naming that it overwrote is unknown to it. Such a label is excused
 * until it is off; all later ones count.
 */
export class UniqueLabel implements Invariant {
  readonly #world: World
  readonly #knowledge: Knowledge
  readonly #report: Report

  constructor(world: World, knowledge: Knowledge, report: Report) {
    this.#world = world
    this.#knowledge = knowledge
    this.#report = report
  }

  hear(fact: Fact): void {
    if (fact.kind !== 'asked') return
    const request = labelRequest(fact)
    const group = request && this.#world.groups.get(request.group)
    if (!group) return
    for (const { pod, version, isExcused } of group.labels.values()) {
      if (pod.uid === request.uid || isExcused) continue
      const known = this.#knowledge.versionBefore(fact.process, `pods ${group.namespace}/${pod.name}`, fact.at)
      if (known < version) continue
      const text = `${fact.process} labels ${request.pod}, and was shown the label on ${pod.name} (${pod.uid})`
      this.#report('I1', group.ref, text)
    }
  }

  commit({ keys, author }: Step): void {
    if (author !== 'operator') return
    for (const { group, label, labelBefore } of keys) {
      if (!label || label === labelBefore || !counts(label)) continue
      const labelled = counted(group)
      if (labelled.length < 2) continue
      const all = labelled.map(({ pod, term }) => `${pod.name} (${pod.uid}, term ${term})`)
      this.#report('I1', group.ref, `${labelled.length} pods bear the leader label: ${all.join(' and ')}`)
    }
  }
}

/** The labels that operators answer for. */
export function counted(group: Group): readonly Label[] {
  return group.labels.size === 0 ? [] : [...group.labels.values()].filter(counts)
}

function counts({ isOperators, isExcused }: Label): boolean {
  return isOperators && !isExcused
}
