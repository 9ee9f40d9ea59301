import { microTime } from '../election/micro-time.ts'
import type { GroupEvent } from '../group/events.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { KubeObject, Resource } from '../kube/objects.ts'
import { LeaderGroups } from './resources.ts'

/** `events.k8s.io/v1`, as far as it is written here. */
export interface Event extends KubeObject {
  /** MicroTime. */
  readonly eventTime: string
  /** Of an event that repeats; `count` is at least 2. */
  readonly series?: { readonly count: number; readonly lastObservedTime: string }
  readonly reportingController: string
  readonly reportingInstance: string
  readonly action: string
  readonly reason: string
  readonly type: 'Normal' | 'Warning'
  readonly regarding: ObjectReference
  readonly related?: ObjectReference
  readonly note: string
}

export interface ObjectReference {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid?: string
  readonly resourceVersion?: string
}

export const Events: Resource<Event> = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event' }

const CONTROLLER = 'leadergroup.io/operator'

/** The API refuses events whose texts are longer. */
const LONGEST_NOTE_BYTES = 1024
const LONGEST_INSTANCE = 128
const ELLIPSIS = '…'

/** Events of the same key are one that repeats. */
export function eventKey({ metadata: { uid } }: LeaderGroup, event: GroupEvent): string {
  const { type, reason, action, note, relatedPod } = event
  return JSON.stringify([uid, type, reason, action, note, relatedPod?.uid, relatedPod?.name])
}

/**
 * The object to create, with a name of client-go's form, `<regarding>.<hex nanoseconds>`. Wall time has no nanoseconds
 * here, so `sequence`, another one for each event, stands in for them.
 */
export function eventObject(
  group: LeaderGroup,
  event: GroupEvent,
  reporter: { readonly instance: string; readonly wallMillis: number; readonly sequence: number },
): Omit<Event, 'metadata'> & { readonly metadata: { readonly name: string; readonly namespace: string } } {
  const { name, namespace = '', uid, resourceVersion } = group.metadata
  const { type, reason, action, note, relatedPod } = event
  const nanos = BigInt(Math.floor(reporter.wallMillis * 1000)) * 1000n + BigInt(reporter.sequence)
  return {
    apiVersion: `${Events.group}/${Events.version}`,
    kind: Events.kind,
    metadata: { name: `${name}.${nanos.toString(16)}`, namespace },
    eventTime: microTime(reporter.wallMillis),
    reportingController: CONTROLLER,
    reportingInstance: reporter.instance.slice(0, LONGEST_INSTANCE),
    type,
    reason,
    action,
    note: shortened(note),
    regarding: {
      apiVersion: `${LeaderGroups.group}/${LeaderGroups.version}`,
      kind: LeaderGroups.kind,
      namespace,
      name,
      uid,
      resourceVersion,
    },
    ...(relatedPod ? { related: { apiVersion: 'v1', kind: 'Pod', namespace, ...relatedPod } } : {}),
  }
}

function shortened(note: string): string {
  const bytes = Buffer.from(note)
  if (bytes.length <= LONGEST_NOTE_BYTES) return note
  const kept = bytes.subarray(0, LONGEST_NOTE_BYTES - Buffer.byteLength(ELLIPSIS)).toString()
  // A character that was cut in the middle.
  return kept.replace(/\uFFFD+$/, '') + ELLIPSIS
}
