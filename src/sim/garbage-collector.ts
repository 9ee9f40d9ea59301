import type { Clock } from '../clock.ts'
import { findOwnerType, type ResourceType } from './resource-types.ts'
import type { Store } from './store.ts'
import type { OwnerReference, StoredObject } from './stored-object.ts'

/** A real collector took 2 to 6 ms. */
const DELAY_MILLIS = 5

export interface Collecting {
  delete(type: ResourceType, object: StoredObject): void
  /** Takes off references to owners that are gone. */
  setOwners(type: ResourceType, object: StoredObject, owners: readonly OwnerReference[]): void
}

/**
 * Background deletion by owner reference: an object goes when none of its owners is left, and loses the references to
 * those that are gone when another one is. An owner of a type that this server does not have is taken to live.
 */
export function collectGarbage(store: Store, clock: Clock, collecting: Collecting): void {
  /** What names an owner, by the owner's UID, and by its own. */
  const dependents = new Map<string, Map<string, readonly [ResourceType, StoredObject]>>()

  store.onCommit(({ type, resource, object, previous }) => {
    const { uid } = object.metadata
    for (const owner of previous ? ownersOf(previous) : []) dependents.get(owner.uid)?.delete(uid)
    if (type === 'DELETED') {
      for (const [dependentType, dependent] of dependents.get(uid)?.values() ?? []) checkSoon(dependentType, dependent)
      dependents.delete(uid)
      return
    }
    for (const owner of ownersOf(object)) {
      const those = dependents.get(owner.uid) ?? new Map<string, readonly [ResourceType, StoredObject]>()
      dependents.set(owner.uid, those.set(uid, [resource, object]))
    }
    if (ownersOf(object).length > 0) checkSoon(resource, object)
  })

  function checkSoon(type: ResourceType, { metadata: { namespace, name, uid } }: StoredObject): void {
    clock.timer(clock.now() + DELAY_MILLIS, () => {
      const object = store.get(type, namespace, name)
      if (object?.metadata.uid === uid) check(type, object)
    })
  }

  function check(type: ResourceType, object: StoredObject): void {
    const owners = ownersOf(object)
    const living = owners.filter((owner) => lives(store, owner, object.metadata.namespace))
    if (living.length === owners.length) return
    if (living.length > 0) collecting.setOwners(type, object, living)
    else collecting.delete(type, object)
  }
}

function lives(store: Store, owner: OwnerReference, namespace: string | undefined): boolean {
  const type = findOwnerType(owner.apiVersion, owner.kind)
  if (type === undefined) return true
  return store.get(type, type.namespaced ? namespace : undefined, owner.name)?.metadata.uid === owner.uid
}

const ownersOf = (object: StoredObject): readonly OwnerReference[] => object.metadata.ownerReferences ?? []
