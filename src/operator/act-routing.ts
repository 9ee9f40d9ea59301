import type { RoutingWrite } from '../group/routing/routing-action.ts'
import {
  EndpointSlices,
  Services,
  type EndpointSlice,
  type KubeObject,
  type Resource,
  type Service,
} from '../kube/objects.ts'
import type { Outcome } from '../kube/outcome.ts'
import type { Acted } from '../loop.ts'
import { DONE, refused, stale, type Errand } from './acted.ts'
import type { Store } from './store.ts'
import { trimEndpointSlice, trimService } from './trim.ts'

/** A resource, and where what is known of it is kept. */
interface Place<T extends KubeObject> {
  readonly resource: Resource<T>
  readonly store: Store<T>
  readonly trim: (object: T) => T
}

type Version = { readonly uid: string; readonly resourceVersion: string }

/** Writes of Services and slices. What is there already, under another version or by another hand, is read instead. */
export function actOnRouting(errand: Errand, action: RoutingWrite): Promise<Acted> {
  const { api, cache, namespace, signal } = errand
  const services: Place<Service> = { resource: Services, store: cache.services, trim: trimService }
  const slices: Place<EndpointSlice> = { resource: EndpointSlices, store: cache.slices, trim: trimEndpointSlice }
  switch (action.kind) {
    case 'createService':
      return write(errand, services, action.service.metadata.name, () =>
        api.create(Services, namespace, action.service, { signal }),
      )
    case 'patchService': {
      const { name, uid, resourceVersion, patch } = action
      const bound = { ...patch, metadata: { ...patch.metadata, uid, resourceVersion } }
      return write(errand, services, name, () => api.mergePatch(Services, { namespace, name }, bound, { signal }))
    }
    case 'deleteService':
      // Something may hold it, a load balancer's clean-up for one: the decision waits for it to end.
      return remove(errand, services, action.name, action)
    case 'createSlice':
      return write(errand, slices, action.slice.metadata.name, () =>
        api.create(EndpointSlices, namespace, action.slice, { signal }),
      )
    case 'replaceSlice': {
      const { name } = action.slice.metadata
      return write(errand, slices, name, () =>
        api.replace(EndpointSlices, { namespace, name }, action.slice, { signal }),
      )
    }
    case 'deleteSlice':
      return removeSlice(errand, slices, action.name, action)
  }
}

async function write<T extends KubeObject>(
  errand: Errand,
  place: Place<T>,
  name: string,
  send: () => Promise<Outcome<T>>,
): Promise<Acted> {
  const begunAt = errand.cache.tick()
  const outcome = await send()
  if (outcome.kind === 'conflict' || outcome.kind === 'notFound' || outcome.kind === 'exists') {
    // A namespace that is gone answers a creation with 404, and so does the read: then the group is gone as well.
    return stale(read(errand, place, name))
  }
  if (outcome.kind !== 'ok') return refused(outcome)
  errand.took()
  place.store.apply(place.trim(outcome.object), begunAt)
  return DONE
}

async function remove<T extends KubeObject>(
  errand: Errand,
  place: Place<T>,
  name: string,
  { uid, resourceVersion }: Version,
): Promise<Acted> {
  const { api, namespace, signal } = errand
  const preconditions = { uid, resourceVersion }
  const outcome = await api.delete(place.resource, { namespace, name }, { preconditions, signal })
  if (outcome.kind === 'conflict') return stale(read(errand, place, name))
  if (outcome.kind !== 'ok' && outcome.kind !== 'notFound') return refused(outcome)
  if (outcome.kind === 'ok') errand.took()
  // A finalizer may keep it: that it is gone, only a read tells.
  return read(errand, place, name)
}

async function removeSlice(
  errand: Errand,
  place: Place<EndpointSlice>,
  name: string,
  version: Version,
): Promise<Acted> {
  const removed = await remove(errand, place, name, version)
  const left = place.store.get(errand.namespace, name)?.object.metadata
  if (removed.kind !== 'done' || left?.uid !== version.uid) return removed
  const message = `EndpointSlice ${errand.namespace}/${name} is deleted, but its finalizers keep it: remove them`
  return { kind: 'failed', error: new Error(message) }
}

async function read<T extends KubeObject>(errand: Errand, place: Place<T>, name: string): Promise<Acted> {
  const { api, cache, namespace, signal } = errand
  const begunAt = cache.tick()
  const outcome = await api.get(place.resource, { namespace, name }, { signal })
  if (outcome.kind === 'notFound') place.store.absent(namespace, name, begunAt)
  else if (outcome.kind === 'ok') place.store.apply(place.trim(outcome.object), begunAt)
  else return refused(outcome)
  return DONE
}
