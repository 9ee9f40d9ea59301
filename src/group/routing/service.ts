import { groupKeys } from '../keys.ts'
import type { ServicePort as ObservedServicePort } from '../../kube/objects.ts'
import type { ObservedService } from './observed-service.ts'
import type { RoutingAction, Service, ServicePatch, ServicePort } from './routing-action.ts'
import type { RoutingInput } from './routing-input.ts'
import { GROUP_LABEL, roleOf } from './routing-keys.ts'
import { annotationsOf, labelsOf, metadataPatch } from './service-metadata.ts'
import { routingOf, type ServiceWish } from './service-wish.ts'
import { same } from '../same.ts'

type Group = RoutingInput['group']

/** Owned by this very group: another of the same name, before or after it, has another UID. */
export function isOurs(service: ObservedService, group: Group): boolean {
  return service.ownerReferences.some(({ uid }) => uid === group.uid)
}

/** Made by this group, too: an owner reference alone may have been written by a user, for the garbage collector. */
export function isMadeByUs(service: ObservedService, group: Group): boolean {
  return isOurs(service, group) && service.labels[GROUP_LABEL] === group.name
}

/**
 * Made by a group that had this one's name. The garbage collector takes it, but where the group came back under its name
 * while the collector's watch was cut, the Service stays for good.
 */
export function isFormer(service: ObservedService, group: Group): boolean {
  if (isOurs(service, group) || service.labels[GROUP_LABEL] !== group.name) return false
  return service.ownerReferences.some(({ kind, name }) => kind === 'LeaderGroup' && name === group.name)
}

/**
 * What cannot become what is wished: the cluster IP of a Service is immutable, and one that loses its selector keeps the
 * slices of the standard controller for ever (and gets mirrored ones), so that strangers' addresses would stay.
 */
export function mustBeReplaced(service: ObservedService, wish: ServiceWish): boolean {
  const direct = Object.keys(service.selector).length === 0
  return direct !== (routingOf(wish) === 'Direct') || (service.clusterIP === 'None') !== (wish.headless === true)
}

export function serviceOf(wish: ServiceWish, namespace: string, group: Group): Service {
  const selector = selectorOf(wish, group)
  const annotations = annotationsOf(wish)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: wish.name,
      namespace,
      labels: labelsOf(wish, group.name),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ownerReferences: [
        { apiVersion: 'leadergroup.io/v1alpha1', kind: 'LeaderGroup', name: group.name, uid: group.uid },
      ],
    },
    spec: {
      type: wish.type ?? 'ClusterIP',
      ...(wish.headless ? { clusterIP: 'None' } : {}),
      ...(selector ? { selector } : {}),
      ports: portsOf(wish, []),
      sessionAffinity: wish.sessionAffinity ?? 'None',
      ...(wish.ipFamilyPolicy === undefined ? {} : { ipFamilyPolicy: wish.ipFamilyPolicy }),
    },
  }
}

/**
 * The write that makes a Service of ours as wished; undefined when it is. Compared are only the fields that the wish
 * decides, so that what the API server fills in (addresses, node ports, families) causes no write.
 */
export function patchOf(
  wish: ServiceWish,
  group: Group,
  service: ObservedService,
): Extract<RoutingAction, { kind: 'patchService' }> | undefined {
  const metadata = metadataPatch(wish, group.name, service)
  const spec = specPatch(wish, group, service)
  if (!metadata && !spec) return undefined
  const { name, uid, resourceVersion } = service
  const patch = { ...(metadata ? { metadata } : {}), ...(spec ? { spec } : {}) }
  return { kind: 'patchService', name, uid, resourceVersion, patch }
}

function specPatch(wish: ServiceWish, group: Group, service: ObservedService): ServicePatch['spec'] {
  const type = wish.type ?? 'ClusterIP'
  const sessionAffinity = wish.sessionAffinity ?? 'None'
  const selector = selectorOf(wish, group) ?? {}
  // Between types also to drop the node ports, which a ClusterIP must not have.
  const otherPorts = service.type !== type || !same(wishedPorts(wish), service.ports.map(withoutNodePort))
  const patch: NonNullable<ServicePatch['spec']> = {
    ...(service.type === type ? {} : { type }),
    ...(same(service.selector, selector) ? {} : { selector: selectorPatch(service.selector, selector) }),
    ...(otherPorts ? { ports: portsOf(wish, type === 'ClusterIP' ? [] : service.ports) } : {}),
    ...(service.sessionAffinity === sessionAffinity ? {} : affinityPatch(sessionAffinity)),
    ...(wish.ipFamilyPolicy === undefined || service.ipFamilyPolicy === wish.ipFamilyPolicy
      ? {}
      : { ipFamilyPolicy: wish.ipFamilyPolicy }),
  }
  return Object.keys(patch).length === 0 ? undefined : patch
}

/** The API server refuses the timeout that it filled in itself once the affinity is None. */
function affinityPatch(sessionAffinity: 'None' | 'ClientIP'): NonNullable<ServicePatch['spec']> {
  return sessionAffinity === 'None' ? { sessionAffinity, sessionAffinityConfig: null } : { sessionAffinity }
}

function selectorOf(wish: ServiceWish, group: Group): Readonly<Record<string, string>> | undefined {
  return routingOf(wish) === 'Selector' ? { [groupKeys(group.name).role]: roleOf(wish) } : undefined
}

function selectorPatch(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Readonly<Record<string, string | null>> {
  const removed = Object.keys(before).filter((key) => !Object.hasOwn(after, key))
  return Object.fromEntries([...removed.map((key) => [key, null] as const), ...Object.entries(after)])
}

function wishedPorts(wish: ServiceWish): readonly ServicePort[] {
  return wish.ports.map(({ name, port, targetPort = port, protocol = 'TCP', appProtocol }) => ({
    ...(name === undefined || name === '' ? {} : { name }),
    port,
    targetPort,
    protocol,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }))
}

/** A list is replaced as a whole, so each port takes along the node port that was allocated to it. */
function portsOf(wish: ServiceWish, observed: readonly ObservedServicePort[]): readonly ServicePort[] {
  return wishedPorts(wish).map((port) => {
    const before = observed.find((each) => each.port === port.port && (each.protocol ?? 'TCP') === port.protocol)
    return before?.nodePort === undefined ? port : { ...port, nodePort: before.nodePort }
  })
}

function withoutNodePort(observed: ObservedServicePort): object {
  const { nodePort: _, name, port, targetPort = port, protocol = 'TCP', appProtocol } = observed
  return {
    ...(name === undefined || name === '' ? {} : { name }),
    port,
    targetPort,
    protocol,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }
}
