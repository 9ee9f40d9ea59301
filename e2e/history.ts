/**
 * The rules of design §3, asked of the whole history of a namespace, version by version: by the judge that the simulator
 * asks, too (`src/sim/invariants/`).
 *
 * All resources of a cluster with one etcd share its revision, so versions of pods, Leases and groups compare as
 * integers (KEP-5504 promises it only per resource type; that one etcd serves all is this control plane's choice).
 */
import { GATE_ANNOTATION, LEADER_ROLE, groupKeys, groupOfKey } from '../src/group/keys.ts'
import type { LeaderGroup } from '../src/group/leadergroup.ts'
import type { KubeObject, Lease, Pod } from '../src/kube/objects.ts'
import { Judge, type Tally } from '../src/sim/invariants/judge.ts'
import { describeViolation } from '../src/sim/invariants/violation.ts'

/** One version of the store. */
export type Change =
  | { readonly kind: 'pod'; readonly version: number; readonly gone: boolean; readonly object: Pod }
  | { readonly kind: 'lease'; readonly version: number; readonly gone: boolean; readonly object: Lease }
  | { readonly kind: 'group'; readonly version: number; readonly gone: boolean; readonly object: LeaderGroup }

const RESOURCES = { pod: 'pods', lease: 'leases', group: 'leadergroups' }

/**
 * Asserts all rules that a history of pods, Leases and groups can break, for one group. A history does not say who wrote:
 * see {@link GroupCheck}.
 *
 * @throws at the first rule that is broken
 */
export function checkHistory(history: readonly Change[], name: string): Tally {
  const check = new GroupCheck(name)
  for (const change of history) check.follow(change)
  return check.tally
}

/** The most pods that bore the leader label at one version: what a stranger's write to the Lease must not change. */
export function mostLabelled(
  history: readonly Change[],
  name: string,
  counts: (pod: Pod) => boolean = () => true,
): number {
  const labelled = new Set<string>()
  let most = 0
  for (const { kind, gone, object } of history) {
    if (kind !== 'pod') continue
    const { uid, labels = {} } = object.metadata
    if (!gone && labels[groupKeys(name).role] === LEADER_ROLE && counts(object)) labelled.add(uid)
    else labelled.delete(uid)
    most = Math.max(most, labelled.size)
  }
  return most
}

/**
 * The most pods at one version that operators had labelled. A label that somebody else adds comes without a term, and no
 * operator can prevent that it stands beside a leader's for a moment.
 */
export function mostLabelledByOperators(history: readonly Change[], name: string): number {
  const { term } = groupKeys(name)
  return mostLabelled(history, name, ({ metadata }) => metadata.annotations?.[term] !== undefined)
}

const OPERATOR = 'an operator'

/**
 * Follows one group through a history that does not say who wrote. What operators write is told by what they alone write:
 * the term on a pod, the mark of a Lease, status. So a test in which somebody writes those as well can't ask this.
 */
export class GroupCheck {
  readonly #name: string
  readonly #judge = new Judge()
  /** By resource and name. */
  readonly #objects = new Map<string, KubeObject>()
  #namespace = ''

  constructor(name: string) {
    this.#name = name
    this.#judge.follow({ kind: 'process', at: 0, process: OPERATOR, role: 'operator', runs: true })
  }

  get tally(): Tally {
    return this.#judge.tally(this.#ref)
  }

  get #ref(): string {
    return `${this.#namespace}/${this.#name}`
  }

  /** @throws when it breaks a rule about the group */
  follow(change: Change): void {
    const { kind, version, gone, object } = change
    const key = `${kind} ${object.metadata.name}`
    const before = this.#objects.get(key)
    if (gone) this.#objects.delete(key)
    else this.#objects.set(key, object)
    this.#namespace = object.metadata.namespace ?? ''
    const known = this.#judge.violations.length
    this.#judge.follow({
      kind: 'committed',
      at: version,
      version,
      resource: RESOURCES[kind],
      ...(isByOperator(change, before) ? { by: OPERATOR } : {}),
      ...(before ? { before } : {}),
      ...(gone ? {} : { after: object }),
    })
    const broken = this.#judge.violations.slice(known).filter(({ subject }) => subject === this.#ref)
    if (broken.length > 0) throw new Error(broken.map(describeViolation).join('\n'))
  }
}

function isByOperator({ kind, gone, object }: Change, before: KubeObject | undefined): boolean {
  if (gone) return false
  switch (kind) {
    case 'pod':
      return before !== undefined && termsOn(before) !== termsOn(object)
    case 'lease':
      return markOf(before) !== markOf(object)
    case 'group':
      if (before?.metadata.uid !== object.metadata.uid) return false
      return JSON.stringify((before as LeaderGroup | undefined)?.status) !== JSON.stringify(object.status)
  }
}

/** Whoever labels or seals a pod in an operator's stead leaves its term alone. */
function termsOn({ metadata: { annotations = {} } }: KubeObject): string {
  const keys = Object.keys(annotations).filter((key) => groupOfKey(key) !== undefined && key.endsWith('/term'))
  return keys
    .toSorted()
    .map((key) => `${key}=${annotations[key]}`)
    .join()
}

function markOf(lease: KubeObject | undefined): string | undefined {
  return lease?.metadata.annotations?.[GATE_ANNOTATION]
}
