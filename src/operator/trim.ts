import { shownContainers, type ShownContainer } from '../group/follow/containers.ts'
import { isOutOfService } from '../group/follow/death.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import { ELECTOR_CONTAINER_ANNOTATION, INELIGIBLE_ANNOTATION, groupOfKey } from '../group/keys.ts'
import {
  GROUP_LABEL,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  SERVICE_NAME_LABEL,
  ZONE_LABEL,
} from '../group/routing/routing-keys.ts'
import { groupsWithBareRole } from './births.ts'
import { withoutManagedFields } from '../kube/managed-fields.ts'
import type { Container, EndpointSlice, Lease, Node, ObjectMeta, Pod, Service } from '../kube/objects.ts'

/** A pod as it is kept. `shown`: its containers that may elect; a text where none of them shows an end. */
export interface CachedPod extends Pod {
  readonly shown?: string | readonly ShownContainer[]
}

export interface CachedNode extends Node {
  readonly outOfService?: true
}

/**
 * What is kept of each object. A pod of 3 kB is kept in a few hundred bytes: all its labels, for selectors, but of its
 * annotations only ours, and of its status only what decides.
 */
export function trimPod(pod: CachedPod): CachedPod {
  const { name, namespace, uid, resourceVersion, creationTimestamp, labels, annotations } = pod.metadata
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = pod.metadata
  const own = Object.entries(annotations ?? {}).filter(([key]) => groupOfKey(key) || key === INELIGIBLE_ANNOTATION)
  const { phase, podIP, podIPs, startTime } = pod.status ?? {}
  // The single address is the first of several.
  const several = (podIPs?.length ?? 0) > 1
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')
  return {
    metadata: {
      name,
      uid,
      resourceVersion,
      ...present({ namespace, creationTimestamp, labels }),
      ...present({ deletionTimestamp, deletionGracePeriodSeconds, finalizers }),
      ...(own.length > 0 ? { annotations: Object.fromEntries(own) } : {}),
      // Whose template it was made of matters only where something is wrong with that.
      ...(groupsWithBareRole(pod.metadata).length > 0
        ? present({ ownerReferences: pod.metadata.ownerReferences })
        : {}),
    },
    ...specOf(pod),
    status: {
      ...present({ phase, startTime, ...(several ? { podIPs } : { podIP: podIP ?? podIPs?.[0]?.ip }) }),
      ...(ready ? { conditions: [readiness(ready)] } : {}),
    },
    ...present({ shown: pod.shown ?? inShort(shownContainers(pod, annotations?.[ELECTOR_CONTAINER_ANNOTATION])) }),
  }
}

/** No name of a container contains it. */
const BETWEEN = '/'
const STATES = { running: '+', waiting: '-', ended: '.', unknown: '?' } as const
const STATE_OF = new Map(Object.entries(STATES).map(([state, sign]) => [sign, state as keyof typeof STATES] as const))

/** Where no end is shown, states and names say everything. */
function inShort(shown: readonly ShownContainer[]): CachedPod['shown'] {
  if (shown.length === 0) return undefined
  const isShort = shown.every(({ name, finishedAt }) => finishedAt === undefined && !name.includes(BETWEEN))
  return isShort ? shown.map(({ name, state }) => STATES[state] + name).join(BETWEEN) : shown
}

export function shownIn({ shown = [] }: CachedPod): readonly ShownContainer[] {
  if (typeof shown !== 'string') return shown
  return shown.split(BETWEEN).map((text) => {
    return { name: text.slice(1), state: STATE_OF.get(text.slice(0, 1) as '+') ?? 'unknown', finishedAt: undefined }
  })
}

/** Where the pod is, and the container ports that a Service may name: all as if they were one container's. */
function specOf({ spec }: Pod): Pick<Pod, 'spec'> {
  const restartable = spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always') ?? []
  const ports = [...(spec?.containers ?? []), ...restartable].flatMap(namedPorts)
  const { nodeName, hostNetwork } = spec ?? {}
  const kept = {
    ...present({ nodeName }),
    ...(hostNetwork ? { hostNetwork } : {}),
    ...(ports.length > 0 ? { containers: [{ ports }] } : {}),
  }
  return Object.keys(kept).length > 0 ? { spec: kept } : {}
}

function namedPorts({ ports }: Container): NonNullable<Container['ports']> {
  return (ports ?? []).flatMap(({ name, containerPort, protocol }) =>
    name === undefined ? [] : [{ name, containerPort, ...present({ protocol }) }],
  )
}

function readiness({
  type,
  status,
  lastTransitionTime,
}: {
  type: string
  status: string
  lastTransitionTime?: string
}): {
  type: string
  status: string
  lastTransitionTime?: string
} {
  return { type, status, ...present({ lastTransitionTime }) }
}

/** A Lease is written back whole, so only what its writer may leave out goes. */
export function trimLease(lease: Lease): Lease {
  return withoutManagedFields(lease)
}

/** A Service that bears no mark of ours is only ever named: nothing is written to it. */
export function trimService({ metadata, spec }: Service): Service {
  const { deletionTimestamp, ownerReferences, labels, annotations } = metadata
  const identity = { ...identityOf(metadata), ...present({ deletionTimestamp, ownerReferences }) }
  const marked = labels?.[GROUP_LABEL] !== undefined || ownerReferences?.some(({ kind }) => kind === 'LeaderGroup')
  if (!marked) return { metadata: identity }
  const { type, clusterIP, selector, ports, sessionAffinity, ipFamilyPolicy, ipFamilies } = spec ?? {}
  return {
    metadata: { ...identity, ...present({ labels, annotations }) },
    spec: present({ type, clusterIP, selector, ports, sessionAffinity, ipFamilyPolicy, ipFamilies }),
  }
}

/** Of somebody else's slice only its labels tell anything. Most slices of a cluster are such ones. */
export function trimEndpointSlice(slice: EndpointSlice): EndpointSlice {
  const { metadata, addressType, endpoints, ports } = slice
  const { labels = {}, annotations, ownerReferences } = metadata
  if (labels[MANAGED_BY_LABEL] === MANAGED_BY) {
    const { finalizers, deletionTimestamp } = metadata
    const rest = present({ labels, annotations, ownerReferences, finalizers, deletionTimestamp })
    return { metadata: { ...identityOf(metadata), ...rest }, addressType, ...present({ endpoints, ports }) }
  }
  const telling = [SERVICE_NAME_LABEL, MANAGED_BY_LABEL, GROUP_LABEL].filter((key) => labels[key] !== undefined)
  const kept = Object.fromEntries(telling.map((key) => [key, labels[key]!]))
  return { metadata: { ...identityOf(metadata), labels: kept }, addressType }
}

/** Of a node only the zone, and whether it is out of service. */
export function trimNode(node: Node): CachedNode {
  const { metadata } = node
  const zone = metadata.labels?.[ZONE_LABEL]
  return {
    metadata: { ...identityOf(metadata), ...(zone === undefined ? {} : { labels: { [ZONE_LABEL]: zone } }) },
    ...(isOutOfService(node) ? { outOfService: true } : {}),
  }
}

function identityOf({ name, namespace, uid, resourceVersion }: ObjectMeta): ObjectMeta {
  return { name, uid, resourceVersion, ...present({ namespace }) }
}

export function trimGroup(group: LeaderGroup): LeaderGroup {
  return withoutManagedFields(group)
}

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> }

/** Leaves out what is undefined or null: the API server sends nulls, and a key costs memory in every pod. */
function present<T extends object>(fields: T): Present<T> {
  const kept: Present<T> = {}
  for (const key of Object.keys(fields) as (keyof T)[]) {
    const value = fields[key]
    if (value !== undefined && value !== null) kept[key] = value
  }
  return kept
}
