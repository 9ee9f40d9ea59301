/**
 * Only for tests: what routing looks at, built so that a row names nothing but what it is about, and a tiny world of
 * Services and slices that fills in what the API server fills in and refuses what it refuses.
 */
import type { OwnerReference } from '../../kube/objects.ts'
import { decideRouting, type RoutingDecision } from './decide-routing.ts'
import type { EndpointSlice, ObservedSlice } from './endpoint-slice.ts'
import type { ServicePort as ObservedServicePort } from '../../kube/objects.ts'
import type { ObservedService } from './observed-service.ts'
import type { RoutedPod } from './routed-pod.ts'
import type { RoutingAction, Service, ServicePatch } from './routing-action.ts'
import type { RoutingInput } from './routing-input.ts'
import type { ServiceWish } from './service-wish.ts'

export const GROUP = { name: 'db', uid: 'group-1' } as const
export const GROUP_OWNER: OwnerReference = {
  apiVersion: 'leadergroup.io/v1alpha1',
  kind: 'LeaderGroup',
  name: GROUP.name,
  uid: GROUP.uid,
}

/** A ready pod with container port sql 5432, seen at tick 10. `n` gives its addresses. */
export function pod(n: number, change: Partial<RoutedPod> = {}): RoutedPod {
  const name = change.name ?? `db-${n}`
  return {
    name,
    uid: `uid-${name}`,
    resourceVersion: '10',
    seenAt: 10,
    podIPs: [`10.0.${n >> 8}.${n & 255}`, `fd00::${n.toString(16)}`],
    nodeName: 'node-1',
    zone: 'a',
    ready: true,
    terminating: false,
    phase: 'Running',
    ports: [{ name: 'sql', containerPort: 5432 }],
    ...change,
  }
}

export function wish(change: Partial<ServiceWish> = {}): ServiceWish {
  return { name: 'db', role: 'Leader', ports: [{ name: 'sql', port: 5432, targetPort: 'sql' }], ...change }
}

export const LEADER = wish()
export const FOLLOWERS = wish({ name: 'db-ro', role: 'Follower' })

/** What changes from outside. */
type Part = Changing<Pick<RoutingInput, 'pods' | 'wishes' | 'leader' | 'fault'>>
type Changing<T> = { -readonly [K in keyof T]: T[K] }

/** Services and slices on a server, and one who decides about them and acts. */
export class World {
  tick = 1000
  gateReadAt: number | undefined = 1000
  part: Part
  readonly families: readonly string[]
  readonly services = new Map<string, ObservedService>()
  readonly slices = new Map<string, ObservedSlice>()

  constructor(part: Partial<Part> = {}, families: readonly string[] = ['IPv4']) {
    this.part = { pods: [], wishes: [], leader: undefined, ...part }
    this.families = families
  }

  input(): RoutingInput {
    const services = [...this.services.values()]
    const slices = [...this.slices.values()]
    return { namespace: 'shop', group: GROUP, gateReadAt: this.gateReadAt, services, slices, ...this.part }
  }

  decide(): RoutingDecision {
    return decideRouting(this.input())
  }

  /**
   * Decides and acts until nothing is left to do; returns what was done, in words. Throws if it never rests.
   * `order` picks what is done of a decision, and in which order.
   */
  settle(afterEach: () => void = () => undefined, order = urgentFirst): readonly string[] {
    const done: string[] = []
    for (let round = 0; round < 20; round += 1) {
      const actions = order(this.decide())
      if (actions.length === 0) return done
      for (const action of actions) {
        this.act(action)
        done.push(inWords(action))
        afterEach()
      }
    }
    throw new Error(`no rest: ${done.slice(-10).join('; ')}`)
  }

  act(action: RoutingAction): void {
    this.tick += 1
    switch (action.kind) {
      case 'readGate':
        this.gateReadAt = this.tick
        return
      case 'createService':
        return this.#createService(action.service)
      case 'patchService':
        demand(this.services.get(action.name), action)
        return this.#patchService(action.name, action.patch)
      case 'deleteService':
        demand(this.services.get(action.name), action)
        this.services.delete(action.name)
        // The garbage collector.
        for (const [name, slice] of this.slices) {
          if (slice.ownerReferences.some(({ uid }) => uid === action.uid)) this.slices.delete(name)
        }
        return
      case 'createSlice':
        if (this.slices.has(action.slice.metadata.name)) throw new Error(`${action.slice.metadata.name} exists`)
        return this.#storeSlice(action.slice, `slice-${this.tick}`)
      case 'replaceSlice': {
        const { name, uid, resourceVersion } = action.slice.metadata
        const before = demand(this.slices.get(name), { uid: uid ?? '', resourceVersion: resourceVersion ?? '' })
        if (before.addressType !== action.slice.addressType) throw new Error('addressType is immutable')
        return this.#storeSlice(action.slice, before.uid)
      }
      case 'deleteSlice':
        // The garbage collector may have been faster.
        if (this.slices.has(action.name)) demand(this.slices.get(action.name), action)
        this.slices.delete(action.name)
        return
    }
  }

  /** Somebody else's hand on a Service, or one that is put there. */
  putService(name: string, change: Partial<ObservedService> = {}): void {
    this.tick += 1
    const before = this.services.get(name) ?? observedService(name)
    this.services.set(name, { ...before, ...change, resourceVersion: `${this.tick}` })
  }

  putSlice(name: string, change: Partial<ObservedSlice> = {}): void {
    this.tick += 1
    const before = this.slices.get(name) ?? observedSlice(name)
    this.slices.set(name, { ...before, ...change, resourceVersion: `${this.tick}`, seenAt: this.tick })
  }

  slice(name: string): ObservedSlice {
    const slice = this.slices.get(name)
    if (!slice) throw new Error(`no slice ${name}`)
    return slice
  }

  /** Names of the pods behind a Service's slices. */
  behind(service: string): readonly string[] {
    const slices = [...this.slices.values()].filter((slice) => slice.labels['kubernetes.io/service-name'] === service)
    return slices
      .flatMap(({ endpoints }) => (endpoints as EndpointSlice['endpoints']).map(({ targetRef }) => targetRef.name))
      .toSorted()
  }

  #storeSlice({ metadata, addressType, endpoints, ports }: EndpointSlice, uid: string): void {
    const { name, labels, annotations = {}, ownerReferences } = metadata
    if (endpoints.length > 1000) throw new Error('a slice holds at most 1000 endpoints')
    const stored = { name, uid, labels, annotations, ownerReferences, addressType, endpoints, ports }
    // As over the wire: nothing undefined survives, and nobody shares the object.
    const copy = JSON.parse(JSON.stringify(stored)) as typeof stored
    this.slices.set(name, { ...copy, resourceVersion: `${this.tick}`, seenAt: this.tick })
  }

  #createService({ metadata, spec }: Service): void {
    const { name, labels, annotations = {}, ownerReferences } = metadata
    if (this.services.has(name)) throw new Error(`${name} exists`)
    const headlessDirect = spec.clusterIP === 'None' && !spec.selector
    const dual = headlessDirect || (spec.ipFamilyPolicy ?? 'SingleStack') !== 'SingleStack'
    this.services.set(name, {
      ...observedService(name),
      uid: `service-${this.tick}`,
      resourceVersion: `${this.tick}`,
      ownerReferences,
      labels,
      annotations,
      type: spec.type,
      clusterIP: spec.clusterIP ?? `10.96.${this.tick >> 8}.${this.tick & 255}`,
      selector: spec.selector ?? {},
      ports: spec.ports.map((port) => this.#withNodePort(port, spec.type)),
      sessionAffinity: spec.sessionAffinity,
      ipFamilyPolicy: spec.ipFamilyPolicy ?? (headlessDirect ? 'RequireDualStack' : 'SingleStack'),
      ipFamilies: headlessDirect ? ['IPv4', 'IPv6'] : dual ? this.families : this.families.slice(0, 1),
    })
  }

  #patchService(name: string, { metadata, spec }: ServicePatch): void {
    const before = this.services.get(name)!
    const type = spec?.type ?? before.type
    const ports: readonly ObservedServicePort[] = spec?.ports ?? before.ports
    if (type === 'ClusterIP' && ports.some(({ nodePort }) => nodePort)) throw new Error('nodePort: may not be used')
    const policy = spec?.ipFamilyPolicy ?? before.ipFamilyPolicy
    this.services.set(name, {
      ...before,
      resourceVersion: `${this.tick}`,
      labels: merged(before.labels, metadata?.labels),
      annotations: merged(before.annotations, metadata?.annotations),
      type,
      selector: merged(before.selector, spec?.selector),
      ports: ports.map((port) => this.#withNodePort(port, type)),
      sessionAffinity: spec?.sessionAffinity ?? before.sessionAffinity,
      ipFamilyPolicy: policy,
      ipFamilies: spec?.ipFamilyPolicy ? this.families.slice(0, policy === 'SingleStack' ? 1 : 2) : before.ipFamilies,
    })
  }

  #withNodePort(port: ObservedServicePort, type: string | undefined): ObservedServicePort {
    return type === 'ClusterIP' || port.nodePort ? port : { ...port, nodePort: 30_000 + port.port }
  }
}

function urgentFirst({ beforeLabel, besideLabel, chores }: RoutingDecision): readonly RoutingAction[] {
  return [beforeLabel, besideLabel, chores].find((list) => list.length > 0) ?? []
}

export const THREE = [pod(1), pod(2), pod(3)]
export const BOTH = [LEADER, FOLLOWERS]

export function leaderIs(n: number, term: number): { readonly uid: string; readonly term: number } {
  return { uid: `uid-db-${n}`, term }
}

/** A world at rest: db-1 leads in term 4, two others follow. */
export function rested(change: Partial<Part> = {}, families?: readonly string[]): World {
  const world = new World({ pods: THREE, wishes: BOTH, leader: leaderIs(1, 4), ...change }, families)
  world.settle()
  return world
}

export function observedService(name: string, change: Partial<ObservedService> = {}): ObservedService {
  return {
    name,
    uid: `service-${name}`,
    resourceVersion: '1',
    terminating: false,
    ownerReferences: [],
    labels: {},
    annotations: {},
    type: 'ClusterIP',
    clusterIP: '10.96.0.1',
    selector: {},
    ports: [],
    sessionAffinity: 'None',
    ipFamilyPolicy: 'SingleStack',
    ipFamilies: ['IPv4'],
    ...change,
  }
}

export function observedSlice(name: string, change: Partial<ObservedSlice> = {}): ObservedSlice {
  return {
    name,
    uid: `slice-${name}`,
    resourceVersion: '1',
    seenAt: 10,
    labels: {},
    annotations: {},
    ownerReferences: [],
    addressType: 'IPv4',
    endpoints: [],
    ports: [],
    ...change,
  }
}

export function inWords(action: RoutingAction): string {
  switch (action.kind) {
    case 'createService':
      return `createService ${action.service.metadata.name}`
    case 'createSlice':
    case 'replaceSlice': {
      const { metadata, endpoints } = action.slice
      return `${action.kind} ${metadata.name}: ${endpoints.map(({ targetRef }) => targetRef.name).join(' ')}`
    }
    case 'patchService':
    case 'deleteService':
    case 'deleteSlice':
      return `${action.kind} ${action.name}`
    case 'readGate':
      return action.kind
  }
}

function merged(
  before: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | null>> = {},
): Readonly<Record<string, string>> {
  const entries = new Map<string, string>(Object.entries(before))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) entries.delete(key)
    else entries.set(key, value)
  }
  return Object.fromEntries(entries)
}

function demand<T extends { readonly uid: string; readonly resourceVersion: string }>(
  object: T | undefined,
  version: { readonly uid: string; readonly resourceVersion: string },
): T {
  if (object?.uid !== version.uid || object.resourceVersion !== version.resourceVersion) throw new Error('conflict')
  return object
}
