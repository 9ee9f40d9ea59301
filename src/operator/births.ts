import { FOLLOWER_ROLE, groupKeys, groupOfKey } from '../group/keys.ts'
import type { ObjectMeta, Pod } from '../kube/objects.ts'

/**
 * Which pods came with a role label that no operator gave them: from the template that all pods of their kind are made
 * of. The label is off a moment later, and nothing on the pod tells then: so it is remembered for as long as the pod
 * lives, or this process.
 */
export class Births {
  readonly #byUID = new Map<string, { readonly groups: readonly string[]; readonly maker: string }>()

  setPod(after: Pod | undefined, before: Pod | undefined): void {
    if (before?.metadata.uid === after?.metadata.uid) return
    if (before) this.#byUID.delete(before.metadata.uid)
    if (!after) return
    const groups = groupsWithBareRole(after.metadata)
    if (groups.length > 0) this.#byUID.set(after.metadata.uid, { groups, maker: makerOf(after) })
  }

  /** Who made the pod with the role label of this group, `ReplicaSet db-7f9`; undefined: nobody. */
  makerOf(uid: string, group: string): string | undefined {
    const birth = this.#byUID.get(uid)
    return birth?.groups.includes(group) ? birth.maker : undefined
  }
}

/**
 * Groups whose role label is there without what an operator's comes with: stamp and term. Either of them is enough: where a
 * hand has taken the stamp off a leader, an operator that starts then must not take it for one that was born so.
 */
export function groupsWithBareRole({ labels, annotations = {} }: ObjectMeta): readonly string[] {
  return Object.entries(labels ?? {}).flatMap(([key, role]) => {
    const group = groupOfKey(key)
    // To be born as a follower does no harm.
    if (group === undefined || key !== groupKeys(group).role || role === FOLLOWER_ROLE) return []
    const { sealed, term } = groupKeys(group)
    return Object.hasOwn(annotations, sealed) || Object.hasOwn(annotations, term) ? [] : [group]
  })
}

function makerOf({ metadata: { name, ownerReferences = [] } }: Pod): string {
  const owner = ownerReferences.find(({ controller }) => controller)
  return owner ? `${owner.kind} ${owner.name}` : `Pod ${name}`
}
