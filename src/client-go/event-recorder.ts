import { systemClock, type Clock } from '../clock.ts'
import type { Api } from '../kube/api.ts'
import { ConfigMaps, Endpoints, Leases, type KubeObject, type Resource } from '../kube/objects.ts'
import type { EventObject, EventRecorder } from './resource-lock.ts'

/** Who reports, and by which clock. */
export interface EventRecorderOptions {
  /** Of the events' source, such as the program's name. */
  readonly component: string
  /** @default the system's */
  readonly clock?: Clock
}

const Events: Resource<KubeObject> = { group: '', version: 'v1', plural: 'events', kind: 'Event' }

/** What a lock may be on. */
const LOCKED: readonly Resource<KubeObject>[] = [Leases, ConfigMaps, Endpoints]

/**
 * Writes events that `kubectl describe` shows with their object: it asks by UID, so that is read first. Needs `create` on
 * events in the namespace of the lock, beside `get` on the lock itself. Each event is tried once; what goes wrong is told
 * to the elector's `onError`. Of an object that is gone nothing is written.
 *
 * @param api a connection's, as `connect` of `leadergroup/locks` opens them
 *
 * @example
 * const recorder = newEventRecorder(cluster.api, { component: 'billing' })
 * const lock = new LeaseLock({ leaseMeta, lockConfig: { identity, eventRecorder: recorder } })
 */
export function newEventRecorder(api: Api, { component, clock = systemClock }: EventRecorderOptions): EventRecorder {
  return {
    event: async (object, type, reason, message) => {
      const at = new Date(clock.wallNow()).toISOString().replace(/\.\d+Z$/, 'Z')
      const involvedObject = await identified(api, object)
      if (!involvedObject) return
      const { namespace, name } = object
      const outcome = await api.create(Events, namespace, {
        apiVersion: 'v1',
        kind: Events.kind,
        metadata: { generateName: `${name}.`, namespace },
        involvedObject,
        type,
        reason,
        message,
        count: 1,
        firstTimestamp: at,
        lastTimestamp: at,
        source: { component },
        reportingComponent: component,
      })
      if (outcome.kind !== 'ok') throw new Error(outcome.message)
    },
  }
}

/** With its UID; undefined when there is none of its name. */
async function identified(
  api: Api,
  object: EventObject,
): Promise<(EventObject & { readonly uid: string }) | undefined> {
  const { kind, namespace, name } = object
  const resource = LOCKED.find((each) => each.kind === kind)
  if (!resource) throw new TypeError(`events are written about Leases, ConfigMaps and Endpoints: this is a ${kind}`)
  const found = await api.get(resource, { namespace, name })
  if (found.kind === 'notFound') return undefined
  if (found.kind !== 'ok') throw new Error(found.message)
  return { ...object, uid: found.object.metadata.uid }
}
