import { describeGate, describeNaming, sameNaming } from './gate.ts'
import type { Invariant, Report } from './rule.ts'
import { counted } from './unique-label.ts'
import { readTerm } from './wire.ts'
import type { GateChange, KeysChange, Step } from './world.ts'

/**
 * I2: the label implies the gate.
 *
 * - An operator labels only the pod, by name and UID, that the gate named last, and in its term. *Last*: when a stranger
 *   deletes, empties or scribbles on the gate while a label is on its way, the label may still arrive, until an operator's
 *   gate write names somebody or nobody: no operator can prevent that. The same holds for a group that is deleted and
 *   created again under its name.
 * - No gate write of an operator names another holder, another term or nobody while an operator's label stands that says
 *   something else. A gate that is born names nobody and is no such write: the pods are sealed after that.
 * - An operator deletes its gate only when the mark there cannot be read.
 *
 * In mode Observe the gate is status; the Lease moves without the operator, and the label follows it within the bound of
 * liveness (L1).
 *
 * The handbook demands a read of the gate, begun after that of the pod whose version the patch carries. That is how it is
 * kept; what is judged is what it is for: with a read too early the label lands after the gate has moved, or the gate moves
 * under a label.
 */
export class LabelImpliesGate implements Invariant {
  readonly #report: Report

  constructor(report: Report) {
    this.#report = report
  }

  commit(step: Step): void {
    if (step.author !== 'operator') return
    for (const change of step.keys) this.#followLabel(change)
    for (const change of step.gates) this.#followGate(change)
  }

  #followLabel({ group, pod, label, labelBefore }: KeysChange): void {
    if (!label || label === labelBefore || label.isExcused) return
    const term = readTerm(label.term)
    const { naming } = group
    if (naming && sameNaming(naming, term === undefined ? undefined : { holder: pod, term })) return
    const named = naming ? describeNaming(naming) : 'nobody'
    this.#report(
      'I2',
      group.ref,
      `label on ${pod.name} (${pod.uid}) in term ${label.term}; the gate named ${named} last`,
    )
  }

  #followGate({ group, was, is, isNaming }: GateChange): void {
    if (is.kind === 'none' && was.kind !== 'none' && group.object?.metadata.deletionTimestamp === undefined) {
      if (group.object) this.#report('I2', group.ref, `the operator removed the gate, which was ${describeGate(was)}`)
      return
    }
    if (!isNaming && is.kind !== 'vacant') return
    const standing = counted(group).filter(({ pod, term }) => {
      return is.kind !== 'named' || !sameNaming(is, { holder: pod, term: readTerm(term) ?? NaN })
    })
    if (standing.length === 0) return
    const labelled = standing.map(({ pod, term }) => `${pod.name} (${pod.uid}) bears the label of term ${term}`)
    this.#report('I2', group.ref, `the gate says ${describeGate(is)} while ${labelled.join(' and ')}`)
  }
}
