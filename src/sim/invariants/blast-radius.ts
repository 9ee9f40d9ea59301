import { isDeepStrictEqual } from 'node:util'
import type { LeaderGroup } from '../../group/leadergroup.ts'
import type { EndpointSlice, KubeObject, Lease, Pod } from '../../kube/objects.ts'
import type { Committed, Fact } from './facts.ts'
import { isMatched } from './matched.ts'
import { addGroup, emptyEstate, isPermitted, isWrite } from './permitted.ts'
import type { Invariant, Report } from './rule.ts'
import { groupOf, identityOf, keysOf, ownerOf, refOf } from './wire.ts'
import type { Group, Step, World } from './world.ts'

/**
 * I12: operators write nothing but what design §3 names.
 *
 * - Asked for, whether it succeeds or not: only the requests of `permitted.ts`.
 * - Committed: of a pod only labels and annotations under a group's prefix, and only if the pod as it was is selected by the
 *   group, bears its keys or is named by its gate, as an operator may have seen both last; the pod is neither made nor ended by it. Of a group only its
 *   status. Of a Lease that a group in mode Observe follows only the holder, which is emptied.
 *
 * I13: groups do not touch each other, nor what is nobody's.
 * - One write to a pod changes the keys of one group.
 * - A Lease, a Service or an EndpointSlice that no group made is never written or deleted; a new Lease is owned by its
 *   group. Endpoints are pods of the slice's own namespace.
 * - Nothing is read by name in a namespace in which no group ever was.
 *
 * The handbook's bound on what a tenant's garbage may cost another one is a measurement, and not judged here. That
 * permissions hold an operator to all this is for the tests of the installed policies.
 */
export class BlastRadius implements Invariant {
  readonly #world: World
  readonly #report: Report
  readonly #estate = emptyEstate()
  readonly #namespaces = new Set<string>()

  constructor(world: World, report: Report) {
    this.#world = world
    this.#report = report
  }

  hear(fact: Fact): void {
    if (fact.kind === 'process') {
      if (fact.role === 'operator' && fact.elector) this.#estate.elections.add(fact.elector.lock)
      return
    }
    if (fact.kind !== 'asked' || this.#world.processes.get(fact.process)?.role !== 'operator') return
    const { process, verb, resource, subresource, namespace = '', name } = fact
    const what = `${process} asks to ${verb} ${[resource, subresource].filter(Boolean).join('/')} ${namespace}/${name ?? ''}`
    if (isWrite(fact)) {
      if (!isPermitted(fact, this.#estate))
        this.#report('I12', process, `${what}: ${JSON.stringify(fact.body)?.slice(0, 300)}`)
    } else if (verb === 'get' && namespace !== '' && !this.#knows(namespace)) {
      this.#report('I13', process, `${what}, where there is no group`)
    }
  }

  #knows(namespace: string): boolean {
    if (this.#namespaces.has(namespace)) return true
    return [...this.#estate.elections].some((lock) => lock.startsWith(`${namespace}/`))
  }

  commit({ fact, author }: Step): void {
    const { resource, before, after, by = '' } = fact
    const object = (after ?? before)!
    const { namespace = '' } = object.metadata
    if (resource === 'leadergroups') {
      this.#namespaces.add(namespace)
      if (after) addGroup(this.#estate, namespace, after)
    }
    if (author !== 'operator') return
    const report = (rule: 'I12' | 'I13', text: string): void => {
      this.#report(rule, `${resource} ${refOf(object)}`, `${by} ${text}`)
    }
    switch (resource) {
      case 'pods':
        return this.#followPod(fact, report)
      case 'leadergroups':
        if (!before || !after || !isStatusOnly(before, after)) report('I12', 'wrote more of a group than its status')
        return
      case 'leases':
        return this.#followLease(fact, report)
      case 'services':
        if (!isGroups(before ?? after)) report('I13', 'wrote a Service that no group made')
        return
      case 'endpointslices':
        return followSlice(fact, report)
      case 'events':
        return
      default:
        report('I12', 'wrote what is none of its business')
    }
  }

  #followPod({ before, after }: Committed, report: (rule: 'I12' | 'I13', text: string) => void): void {
    if (!before || !after) return report('I12', before ? 'ended a pod' : 'made a pod')
    const keys = changedKeys(before, after)
    const groups = new Set(keys.map(groupOf))
    if (groups.has(undefined)) report('I12', `changed ${keys.filter((key) => groupOf(key) === undefined).join(', ')}`)
    if (!isSameBut(before, after, ['labels', 'annotations'])) report('I12', 'changed more of a pod than its keys')
    groups.delete(undefined)
    if (groups.size > 1) report('I13', `changed keys of ${[...groups].join(' and ')} in one write`)
    for (const name of groups) {
      const group = this.#world.group(before.metadata.namespace ?? '', name!)
      if (!isTheirs(before, group)) report('I12', `wrote keys of ${name} on a pod that is not its`)
    }
  }

  #followLease({ before, after }: Committed, report: (rule: 'I12' | 'I13', text: string) => void): void {
    const lease: Lease = (before ?? after)!
    const ref = refOf(lease)
    if (this.#estate.elections.has(ref)) return
    if (ownerOf(lease)) {
      if (after && !isDeepStrictEqual(ownerOf(after), ownerOf(lease))) report('I13', 'gave a Lease to another group')
      return
    }
    if (!before || !this.#estate.followed.has(ref)) return report('I13', 'wrote a Lease that is no group’s')
    if (!after || !isEmptied(before, after)) report('I12', 'changed more of a followed Lease than to empty it')
  }
}

/** The pod, as it was, is the group's to write to. */
function isTheirs(pod: Pod, group: Group): boolean {
  const { role, term, sealed } = keysOf(pod, group.name)
  if (role !== undefined || term !== undefined || sealed !== undefined) return true
  if (group.everNamed.has(identityOf(pod.metadata))) return true
  return group.specs.some(({ selector }) => isMatched(selector, pod.metadata.labels))
}

function changedKeys(before: KubeObject, after: KubeObject): readonly string[] {
  return (['labels', 'annotations'] as const).flatMap((field) => {
    const [was, is] = [before.metadata[field] ?? {}, after.metadata[field] ?? {}]
    return Object.keys({ ...was, ...is }).filter((key) => was[key] !== is[key])
  })
}

const MOVING = ['resourceVersion', 'managedFields', 'generation']

function isSameBut(before: KubeObject, after: KubeObject, fields: readonly string[]): boolean {
  const [{ metadata: was, ...old }, { metadata: is, ...young }] = [before, after]
  return isDeepStrictEqual(old, young) && isDeepStrictEqual(without(was, fields), without(is, fields))
}

function without(metadata: KubeObject['metadata'], fields: readonly string[]): object {
  return Object.fromEntries(
    Object.entries(metadata).filter(([field]) => !fields.includes(field) && !MOVING.includes(field)),
  )
}

function isStatusOnly(before: KubeObject, after: KubeObject): boolean {
  const [{ status: _, ...was }, { status: __, ...is }] = [before as LeaderGroup, after as LeaderGroup]
  return isSameBut(was, is, [])
}

function isEmptied(before: Lease, after: Lease): boolean {
  if (!before.spec?.holderIdentity || after.spec?.holderIdentity) return false
  const [was, is] = [before, after].map((lease) => ({ ...lease, spec: { ...lease.spec, holderIdentity: '' } }))
  return isSameBut(was!, is!, [])
}

/** The mark of what groups make. */
const GROUP_LABEL = 'leadergroup.io/group'

function isGroups(object: KubeObject | undefined): boolean {
  return object !== undefined && (ownerOf(object) !== undefined || object.metadata.labels?.[GROUP_LABEL] !== undefined)
}

function followSlice({ before, after }: Committed, report: (rule: 'I12' | 'I13', text: string) => void): void {
  if (!isGroups(before ?? after)) report('I13', 'wrote an EndpointSlice that no group made')
  const { metadata, endpoints } = (after ?? {}) as Partial<EndpointSlice>
  for (const { targetRef } of endpoints ?? []) {
    const namespace = (targetRef as { readonly namespace?: string } | undefined)?.namespace
    if (namespace !== metadata?.namespace) report('I13', `routes to a pod of namespace ${namespace}`)
  }
}
