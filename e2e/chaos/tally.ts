/** Counts what a run went through: leaders that followed one another, and why, and what was done. */
import { parseMark } from '../../src/group/gate/gate.ts'
import { GATE_ANNOTATION } from '../../src/group/keys.ts'
import type { Change } from '../history.ts'
import type { Ended } from './end-leaders.ts'
import type { FaultKind } from './faults.ts'
import type { GroupPlan } from './group-plan.ts'
import type { Seen } from './witness.ts'

export interface Failover {
  readonly group: string
  readonly mode: GroupPlan['mode']
  /** What ended the leader before; undefined: nobody meant it to end, so the faults did. */
  readonly cause: string | undefined
  /** From then on. */
  readonly millis: number | undefined
}

export interface FaultCount {
  readonly happened: number
  readonly missed: number
}

interface Course {
  readonly plan: GroupPlan
  uid?: string
  term?: number
  ended?: Ended & { readonly atMillis: number }
}

export class Tally {
  readonly failovers: Failover[] = []
  /** The same pod leads again under a new term. */
  terms = 0
  /** A Lease that names the dead is emptied by the operator. */
  released = 0
  readonly #faults = new Map<FaultKind, FaultCount>()
  readonly #groups: ReadonlyMap<string, Course>

  constructor(groups: readonly GroupPlan[]) {
    this.#groups = new Map(groups.map((plan) => [plan.name, { plan }]))
  }

  get faults(): readonly (readonly [FaultKind, FaultCount])[] {
    return [...this.#faults]
  }

  get faultCount(): number {
    return [...this.#faults.values()].reduce((sum, { happened }) => sum + happened, 0)
  }

  count(kind: FaultKind, isHit: boolean): void {
    const { happened, missed } = this.#faults.get(kind) ?? { happened: 0, missed: 0 }
    this.#faults.set(kind, { happened: happened + (isHit ? 1 : 0), missed: missed + (isHit ? 0 : 1) })
  }

  ended(ended: Ended, atMillis: number): void {
    this.#groups.get(ended.group)!.ended = { ...ended, atMillis }
  }

  /** By the gate: who is named after whom. */
  follow({ change, before, atMillis }: Seen): void {
    for (const course of this.#groups.values()) {
      const gate = gateIn(change, course.plan)
      if (gate !== undefined) this.#name(course, gate, atMillis)
      if (isReleased(change, before, course.plan)) this.released += 1
    }
  }

  #name(course: Course, gate: string, atMillis: number): void {
    const mark = parseMark(gate)
    if (!mark?.holder || mark.gateUID === undefined) return
    const { plan, uid: previous, term, ended } = course
    course.uid = mark.holder.uid
    course.term = mark.term
    if (previous === mark.holder.uid && term !== mark.term) this.terms += 1
    if (previous === undefined || previous === mark.holder.uid) return
    const isMeant = ended?.uid === previous
    const { name: group, mode } = plan
    const cause = isMeant ? ended.ending : undefined
    this.failovers.push({ group, mode, cause, millis: isMeant ? atMillis - ended.atMillis : undefined })
  }
}

function gateIn(change: Change, { name, mode, leaseName }: GroupPlan): string | undefined {
  if (change.gone || change.kind === 'pod') return undefined
  if (mode === 'Assign' && change.kind === 'lease' && change.object.metadata.name === leaseName) {
    return change.object.metadata.annotations?.[GATE_ANNOTATION]
  }
  return mode === 'Observe' && change.kind === 'group' && change.object.metadata.name === name
    ? change.object.status?.gate
    : undefined
}

/** An elector that releases writes a duration of its own; the operator changes nothing but the holder. */
function isReleased(change: Change, before: Change['object'] | undefined, plan: GroupPlan): boolean {
  if (change.kind !== 'lease' || plan.mode !== 'Observe' || plan.hostile || change.gone) return false
  if (change.object.metadata.name !== plan.leaseName || !before) return false
  const [was, is] = [(before as typeof change.object).spec, change.object.spec]
  return Boolean(was?.holderIdentity) && !is?.holderIdentity && was?.renewTime === is?.renewTime
}
