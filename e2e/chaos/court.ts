/** Follows the store's history, and says what breaks a promise: with the lines of history around it. */
import { parseMark } from '../../src/group/gate/gate.ts'
import { GATE_ANNOTATION, LEADER_ROLE, groupKeys } from '../../src/group/keys.ts'
import type { Lease, Pod } from '../../src/kube/objects.ts'
import { GroupCheck } from '../history.ts'
import type { Judged } from './audit.ts'
import type { GroupPlan } from './group-plan.ts'
import { isByHand } from './hands.ts'
import type { Seen } from './witness.ts'

export interface Violation {
  /** Of the handbook's invariants; `exit`: a process of ours ended by itself. */
  readonly rule: string
  /** A group, or a process. */
  readonly subject: string
  readonly text: string
  /** What happened before it, and after. */
  readonly around: readonly string[]
}

const LINES_BEFORE = 40
const LINES_AFTER = 10

export class Court {
  readonly #groups: ReadonlyMap<string, GroupInCourt>
  readonly #found: { readonly rule: string; readonly subject: string; readonly text: string; readonly line: number }[] =
    []
  readonly #said: Violation[] = []

  constructor(groups: readonly GroupPlan[]) {
    this.#groups = new Map(groups.map((group) => [group.name, new GroupInCourt(group)]))
  }

  /** The group that it is about. */
  follow(seen: Seen): void {
    for (const group of this.#groups.values()) {
      if (!group.concerns(seen)) continue
      for (const text of group.follow(seen)) {
        this.#found.push({ rule: 'history', subject: group.plan.name, text, line: group.lines.length - 1 })
      }
    }
  }

  /** In the group's history, where it happened by what was seen. */
  note(group: string, text: string): void {
    this.#groups.get(group)?.lines.push(text)
  }

  /** What nobody but its witness knows of. */
  accuse(violation: {
    readonly rule: string
    readonly subject: string
    readonly text: string
    readonly around?: readonly string[]
  }): void {
    const group = this.#groups.get(violation.subject)
    if (group && !violation.around) this.#found.push({ ...violation, line: group.lines.length - 1 })
    else this.#said.push({ around: [], ...violation })
  }

  /** Of something that happened at a version of the store. */
  accuseAt({ rule, subject, text, version }: Judged): void {
    const group = this.#groups.get(subject)
    const line = group ? group.lines.findLastIndex((each) => Number(/version (\d+)/.exec(each)?.[1]) <= version) : -1
    if (group) this.#found.push({ rule, subject, text, line: Math.max(line, 0) })
    else this.#said.push({ rule, subject, text, around: [] })
  }

  get violations(): readonly Violation[] {
    const found = this.#found.map(({ line, ...violation }) => {
      const { lines } = this.#groups.get(violation.subject)!
      return { ...violation, around: lines.slice(Math.max(0, line - LINES_BEFORE), line + LINES_AFTER) }
    })
    return [...found, ...this.#said]
  }

  linesOf(group: string): readonly string[] {
    return this.#groups.get(group)?.lines ?? []
  }
}

class GroupInCourt {
  readonly plan: GroupPlan
  readonly lines: string[] = []
  readonly #check: GroupCheck | undefined
  /** UIDs of the pods that bear the label, and whether an operator put it there. */
  readonly #labels = new Map<string, boolean>()
  #isConvicted = false

  constructor(plan: GroupPlan) {
    this.plan = plan
    const { name, hostile } = plan
    this.#check = hostile ? undefined : new GroupCheck(name)
  }

  concerns({ change }: Seen): boolean {
    const { name } = change.object.metadata
    if (change.kind === 'pod') return name.startsWith(`${this.plan.name}-`)
    return name === (change.kind === 'lease' ? this.plan.leaseName : this.plan.name)
  }

  /** What is wrong with it. After the first thing that is, nothing more can be said of this group. */
  follow(seen: Seen): readonly string[] {
    this.lines.push(describe(seen, this.plan))
    if (this.#isConvicted) return []
    const said = [...this.#label(seen), ...this.#strictly(seen)]
    if (said.length > 0) this.#isConvicted = true
    return said
  }

  #strictly({ change }: Seen): readonly string[] {
    try {
      this.#check?.follow(change)
      return []
    } catch (error) {
      return [(error as Error).message]
    }
  }

  /** I1, strangers' labels apart. */
  #label(seen: Seen): readonly string[] {
    const { change } = seen
    if (change.kind !== 'pod') return []
    const { uid, labels = {}, name } = change.object.metadata
    if (change.gone || labels[groupKeys(this.plan.name).role] !== LEADER_ROLE) {
      this.#labels.delete(uid)
      return []
    }
    if (this.#labels.has(uid)) return []
    this.#labels.set(uid, !isByHand(seen))
    const byOperators = [...this.#labels.values()].filter((isOurs) => isOurs).length
    return this.#labels.get(uid) && byOperators > 1
      ? [`I1: ${byOperators} pods bear the leader label, ${name} is the latest`]
      : []
  }
}

function describe(seen: Seen, { name: group }: GroupPlan): string {
  const { change, atMillis } = seen
  const head = `${Math.round(atMillis)} ms, version ${change.version}:${isByHand(seen) ? ' by a hand:' : ''}`
  if (change.gone) return `${head} ${change.kind} ${change.object.metadata.name} is gone`
  if (change.kind === 'pod') return `${head} ${describePod(change.object, group)}`
  if (change.kind === 'lease') return `${head} ${describeLease(change.object)}`
  const { metadata, status } = change.object
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return `${head} group ${metadata.uid.slice(0, 8)}: holder ${status?.holder ?? '-'}, term ${status?.term ?? '-'}, gate ${status?.gate ?? '-'}, Ready ${ready?.status ?? '-'} ${ready?.reason ?? ''}`
}

function describePod({ metadata, status }: Pod, group: string): string {
  const { name, uid, labels = {}, annotations = {}, deletionTimestamp } = metadata
  const keys = groupKeys(group)
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? '-'
  const isEnding = deletionTimestamp === undefined ? '' : ', ending'
  return `pod ${name} ${uid.slice(0, 8)}: role ${labels[keys.role] ?? '-'}, term ${annotations[keys.term] ?? '-'}, stamp ${annotations[keys.sealed] ?? '-'}, ready ${ready}${isEnding}`
}

function describeLease({ metadata, spec }: Lease): string {
  const mark = metadata.annotations?.[GATE_ANNOTATION]
  const term = parseMark(mark)?.term
  const gate = mark === undefined ? '' : `, mark of term ${term ?? `? ${mark}`}`
  return `Lease ${metadata.uid.slice(0, 8)}: holder ${spec?.holderIdentity ?? '-'}, transitions ${spec?.leaseTransitions ?? '-'}${gate}`
}
