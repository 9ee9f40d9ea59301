/**
 * Only for tests: what a decision looks at, built so that a row names nothing but what it is about, and what it asks
 * for, in words. By default a pod can lead but bears nothing, and is seen at tick 10.
 */
import type { Step, View } from './election.ts'
import type { HeldGate, OpenGate } from './gate/gate-state.ts'
import { formatIdentity, formatMark, transitionsOf } from './gate/gate.ts'
import type { LeaderGroup, LeaderGroupSpec, LeaderGroupStatus } from './leadergroup.ts'
import { inWords as routingInWords } from './routing/fixtures.ts'
import type { GroupObservation, Instant, ObservedLease, ObservedPod } from './observation.ts'
import { gateOf } from './gate/gate-of.ts'

export const GATE_UID = 'gate-1'
export const GROUP_UID = 'group-1'
export const NOW: Instant = { monotonic: 100_000, wall: '2026-01-01T00:01:40.000000Z' }

export function pod(name: string, change: Partial<ObservedPod> = {}): ObservedPod {
  return {
    name,
    uid: `uid-${name}`,
    resourceVersion: '10',
    seenAt: 10,
    selected: true,
    phase: 'Running',
    terminating: false,
    ready: true,
    readyTime: '2026-01-01T00:00:00Z',
    notReadySince: undefined,
    excluded: false,
    revision: undefined,
    creationTime: '2026-01-01T00:00:00Z',
    role: undefined,
    term: undefined,
    sealed: undefined,
    podIPs: [],
    nodeName: undefined,
    zone: undefined,
    ports: [],
    deleted: false,
    hostNetwork: false,
    podIPsSeenAt: 10,
    firstSeenAt: 10,
    appeared: false,
    startTime: '2026-01-01T00:00:00Z',
    electing: [],
    standstill: undefined,
    outOfService: undefined,
    ...change,
  }
}

/** The stamp of a pod that may not lead in `term` or before; term 0 is enrolment. */
export function stamped(term = 0, gateUID = GATE_UID): Pick<ObservedPod, 'sealed'> {
  return { sealed: `${gateUID}/${term}` }
}

/** What the leader of `term` bears. */
export function leading(term: number): Pick<ObservedPod, 'role' | 'term' | 'sealed'> {
  return { role: 'leader', term: String(term), ...stamped(term - 1) }
}

/** A gate that was just born, seen by the watch at tick 20. */
export function bornLease(change: Partial<ObservedLease> = {}): ObservedLease {
  return {
    name: 'db',
    uid: GATE_UID,
    resourceVersion: '20',
    seenAt: 20,
    readAt: undefined,
    ownerUID: GROUP_UID,
    ownerName: 'LeaderGroup db',
    mode: 'Assign',
    mark: formatMark({ holder: undefined, gateUID: undefined, term: 0 }),
    holderIdentity: '',
    transitions: 0,
    acquireTime: undefined,
    sight: { seenAt: 20, sinceMillis: 0, changed: true },
    readMillis: undefined,
    ...change,
  }
}

/** A gate on which we named `name` for `term`. */
export function heldLease(name: string, term: number, change: Partial<ObservedLease> = {}): ObservedLease {
  const { uid } = pod(name)
  return bornLease({
    mark: formatMark({ holder: { name, uid }, gateUID: change.uid ?? GATE_UID, term }),
    holderIdentity: formatIdentity({ name, uid }),
    transitions: transitionsOf(term),
    acquireTime: '2026-01-01T00:00:30.000000Z',
    ...change,
  })
}

/** The gate was read after every pod that was seen at tick 10. */
export const CONFIRMED = { readAt: 21 } as const

export interface GroupChange {
  readonly spec?: Partial<LeaderGroupSpec>
  readonly status?: LeaderGroupStatus | undefined
  readonly metadata?: Partial<LeaderGroup['metadata']>
}

/** Its status shows term 4 of db-0, unless told otherwise. */
export function group(change: GroupChange = {}): LeaderGroup {
  const status = 'status' in change ? change.status : { term: 4, holder: 'db-0', holderUID: 'uid-db-0' }
  return {
    metadata: {
      name: 'db',
      namespace: 'shop',
      uid: GROUP_UID,
      resourceVersion: '30',
      generation: 1,
      ...change.metadata,
    },
    spec: { selector: { matchLabels: { app: 'db' } }, ...change.spec },
    ...(status ? { status } : {}),
  }
}

export function observation(change: Partial<GroupObservation> = {}): GroupObservation {
  return {
    namespace: 'shop',
    name: 'db',
    group: group(),
    groupAbsentAt: undefined,
    pods: [],
    deletedPods: [],
    lease: undefined,
    services: [],
    slices: [],
    podsListedAt: undefined,
    gone: new Set(),
    memory: { statusWrittenAt: undefined, takenBackAt: [], fault: undefined, putOff: undefined },
    ...change,
  }
}

/** What the rules of one kind of gate look at. */
export function view<Kind extends 'open' | 'held'>(
  kind: Kind,
  o: GroupObservation,
  now = NOW,
): View<Extract<OpenGate | HeldGate, { kind: Kind }>> {
  const gate = o.group && gateOf(o, o.group)
  if (gate?.kind !== kind || !o.group)
    throw new TypeError(`a gate that is ${gate?.kind}, where the row needs one ${kind}`)
  return { o, group: o.group, gate: gate as Extract<OpenGate | HeldGate, { kind: Kind }>, now }
}

export function inWords(action: Step): string {
  switch (action.kind) {
    case 'writeGate': {
      const { holder, gateUID, term } = action.write
      return gateUID === undefined
        ? `bear the gate at term ${term}`
        : holder
          ? `name ${holder.name} for term ${term}`
          : `name nobody after term ${term}`
    }
    case 'releaseLease':
      return `release Lease ${action.name} ${action.resourceVersion} of ${action.holderIdentity}`
    case 'readLease':
      return action.kind

    case 'patchPod': {
      const [role] = Object.values(action.labels)
      const { 'db.leadergroup.io/sealed': stamp, 'db.leadergroup.io/term': term } = action.annotations
      const stampInWords = stamp === undefined ? '' : ` sealed=${stamp}`
      return `${action.step} ${action.pod.name}: role=${role} term=${term}${stampInWords}`
    }
    case 'advanceGate':
      return `name ${action.holder.name} for term ${action.term}${action.takesBack ? ', taking it back' : ''}`
    case 'readPod':
      return `read pod ${action.name} ${action.uid}`
    case 'createGate':
    case 'deleteGate':
    case 'readGroup':
    case 'listPods':
    case 'writeStatus':
      return action.kind
    case 'createService':
    case 'patchService':
    case 'deleteService':
    case 'createSlice':
    case 'replaceSlice':
    case 'deleteSlice':
    case 'readGate':
      return routingInWords(action)
  }
}

export const sealing = (name: string, stamp: string): string => `seal ${name}: role=null term=null sealed=${stamp}`
export const enrolling = (name: string, stamp = `${GATE_UID}/0`): string =>
  `enrol ${name}: role=null term=null sealed=${stamp}`
export const labelling = (name: string, term: number): string => `label ${name}: role=leader term=${term}`
export const stripping = (name: string): string => `strip ${name}: role=null term=null sealed=null`
export const unlabelling = (name: string): string => `strip ${name}: role=null term=null`
