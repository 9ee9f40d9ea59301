import { decide } from '../group/decide.ts'
import type { GroupAction } from '../group/decision.ts'
import { formatIdentity, formatMark, parseMark, transitionsOf } from '../group/gate.ts'
import { groupKeys } from '../group/keys.ts'
import type { LeaderGroup } from '../group/leadergroup.ts'
import type { GroupObservation, ObservedLease, ObservedPod } from '../group/observation.ts'

/**
 * A world small enough to be explored whole: one group, its pods, its Lease and its status on a server that checks
 * versions, and operators that run the real `decide` on caches of their own, which lag object by object. Between a
 * decision and its effect anything may happen; replies may be lost; processes may crash.
 */
export interface World {
  readonly pods: readonly (ServerPod | undefined)[]
  readonly lease: ServerLease | undefined
  readonly status: Status
  readonly operators: readonly OperatorState[]
  readonly budget: Budget
  /** Source of versions and UIDs. */
  readonly serial: number
  /** The highest term that the gate has named here. */
  readonly highestTerm?: number
  /** What the last step broke. */
  readonly violation?: string
}

export interface Budget {
  readonly flips: number
  readonly recreations: number
  readonly deletions: number
  readonly strangers: number
  readonly crashes: number
  readonly lostReplies: number
}

type ServerPod = Omit<ObservedPod, 'seenAt' | 'notReadySince'>
type ServerLease = Omit<ObservedLease, 'seenAt' | 'readAt'>

interface Status {
  readonly version: number
  readonly term: number
  readonly holderUID: string | undefined
}

export interface OperatorState {
  readonly pods: readonly (ObservedPod | undefined)[]
  readonly lease: ObservedLease | undefined
  readonly status: Status
  readonly gone: readonly string[]
  readonly podsListedAt: number | undefined
  readonly statusReadAt: number | undefined
  readonly tick: number
  /** Decided and sent, not yet arrived. */
  readonly sent: { readonly action: GroupAction; readonly begunAt: number } | undefined
}

/** A rule left out, to show that the exploration would notice. */
export type Omission = 'noPodVersion' | 'noSeal' | 'noStamp' | 'noRound'

const GROUP = 'g'
const GROUP_UID = 'group'
const KEYS = groupKeys(GROUP)

function firstWorld(pods: number, operators: number, budget: Budget): World {
  const world: World = {
    pods: Array.from({ length: pods }, (_, index) => newPod(index, 'u', '1')),
    lease: undefined,
    status: { version: 1, term: 0, holderUID: undefined },
    operators: [],
    budget,
    serial: 2,
  }
  return { ...world, operators: Array.from({ length: operators }, () => started(world)) }
}

/** The world that one operator, alone and undisturbed, comes to rest in; every operator has just listed it. */
export function settledWorld(pods: number, operators: number, budget: Budget): World {
  const none: Budget = { flips: 0, recreations: 0, deletions: 0, strangers: 0, crashes: 0, lostReplies: 0 }
  const settled = settle(firstWorld(pods, 1, none))
  const world = { ...settled, budget }
  return { ...world, operators: Array.from({ length: operators }, () => started(world)) }
}

/** Lets the first operator see and do all that is due, and nothing else happen. */
export function settle(world: World): World {
  let at: World = { ...world, operators: [started(world)] }
  for (let steps = 0; steps < 200; steps++) {
    const next = successors(at, { lag: 'caches' }).find(([step]) => step.startsWith('op0') && !step.endsWith('lost'))
    if (!next) return at
    at = next[1]
  }
  throw new Error('the operator does not come to rest')
}

function newPod(index: number, generation: string, resourceVersion: string): ServerPod {
  return {
    name: `p${index}`,
    uid: `${generation}${index}`,
    resourceVersion,
    selected: true,
    phase: 'Running',
    terminating: false,
    ready: true,
    readyTime: '',
    excluded: false,
    revision: undefined,
    creationTime: '',
    role: undefined,
    term: undefined,
    sealed: undefined,
    podIPs: [],
    nodeName: undefined,
    zone: undefined,
    ports: [],
    deleted: false,
    hostNetwork: false,
    podIPsSeenAt: 1,
    firstSeenAt: 1,
    appeared: false,
    startTime: undefined,
    electing: [],
    standstill: undefined,
    outOfService: undefined,
  }
}

/** A process that has just listed everything. */
function started(world: World): OperatorState {
  return {
    pods: world.pods.map((pod) => pod && { ...pod, seenAt: 1, notReadySince: undefined }),
    lease: world.lease && { ...world.lease, seenAt: 1, readAt: undefined },
    status: world.status,
    gone: [],
    podsListedAt: undefined,
    statusReadAt: undefined,
    tick: 1,
    sent: undefined,
  }
}

export interface Rules {
  /** How a lagging cache catches up: object by object, or, for fewer states, all at once. Replies are always single. */
  readonly lag: 'objects' | 'caches'
  readonly omission?: Omission
}

/** Every world that one step leads to, with the step in words. */
export function* successors(world: World, { lag, omission }: Rules): Generator<readonly [string, World]> {
  yield* environmentSteps(world)
  for (const [index, operator] of world.operators.entries()) {
    const name = `op${index}`
    const put = (next: OperatorState, rest: Partial<World> = {}): World => ({
      ...world,
      ...rest,
      operators: world.operators.map((other, at) => (at === index ? next : other)),
    })
    if (lag === 'objects') yield* refreshSteps(world, operator, name, put)
    else if (!isFresh(world, operator)) yield [`${name} sees all`, put(sawAll(world, operator))]
    if (operator.sent) {
      yield* arrivals(world, operator, operator.sent, name, put, omission)
    } else {
      for (const action of decided(operator, omission)) {
        const tick = operator.tick + 1
        yield [`${name} sends ${action.kind}`, put({ ...operator, tick, sent: { action, begunAt: tick } })]
      }
    }
    if (world.budget.crashes > 0) yield [`${name} crashes`, put(started(world), spend(world, 'crashes'))]
  }
}

function spend(world: World, item: keyof Budget): Pick<World, 'budget'> {
  return { budget: { ...world.budget, [item]: world.budget[item] - 1 } }
}

function* environmentSteps(world: World): Generator<readonly [string, World]> {
  const { budget, pods, lease } = world
  const next = { serial: world.serial + 1 }
  const version = String(world.serial)
  const replaced = (index: number, pod: ServerPod): readonly (ServerPod | undefined)[] =>
    pods.map((other, at) => (at === index ? pod : other))
  for (const [index, pod] of pods.entries()) {
    if (pod && budget.flips > 0) {
      const flipped = { ...pod, ready: !pod.ready, resourceVersion: version }
      yield [
        `${pod.name} ${flipped.ready ? 'ready' : 'unready'}`,
        { ...world, ...next, ...spend(world, 'flips'), pods: replaced(index, flipped) },
      ]
    }
    if (budget.recreations > 0) {
      const born = newPod(index, `v${world.serial}.`, version)
      yield [`p${index} recreated`, { ...world, ...next, ...spend(world, 'recreations'), pods: replaced(index, born) }]
    }
  }
  if (lease && budget.deletions > 0) {
    yield ['Lease deleted', { ...world, ...next, ...spend(world, 'deletions'), lease: undefined }]
  }
  if (lease && budget.strangers > 0) {
    for (const holderIdentity of ['', 'stranger', ...pods.flatMap((pod) => (pod ? [formatIdentity(pod)] : []))]) {
      const taken = { ...lease, holderIdentity, resourceVersion: version }
      yield [`a stranger writes "${holderIdentity}"`, { ...world, ...next, ...spend(world, 'strangers'), lease: taken }]
    }
  }
}

type Put = (next: OperatorState, rest?: Partial<World>) => World

/** A watch delivers the present state of one object. */
function* refreshSteps(
  world: World,
  operator: OperatorState,
  name: string,
  put: Put,
): Generator<readonly [string, World]> {
  for (const [index, pod] of world.pods.entries()) {
    if (operator.pods[index]?.resourceVersion !== pod?.resourceVersion) {
      yield [`${name} sees p${index}`, put(sawPod(operator, index, pod))]
    }
  }
  if (operator.lease?.resourceVersion !== world.lease?.resourceVersion) {
    yield [`${name} sees the Lease`, put(sawLease(operator, world.lease, undefined))]
  }
  if (operator.status.version !== world.status.version) {
    yield [`${name} sees the status`, put({ ...operator, status: world.status })]
  }
}

function isFresh(world: World, operator: OperatorState): boolean {
  return (
    world.pods.every((pod, index) => operator.pods[index]?.resourceVersion === pod?.resourceVersion) &&
    operator.lease?.resourceVersion === world.lease?.resourceVersion &&
    operator.status.version === world.status.version
  )
}

function sawAll(world: World, operator: OperatorState): OperatorState {
  const pods = world.pods.reduce((state, pod, index) => sawPod(state, index, pod), operator)
  return { ...sawLease(pods, world.lease, undefined), status: world.status }
}

function sawPod(operator: OperatorState, index: number, pod: ServerPod | undefined): OperatorState {
  const before = operator.pods[index]
  if (before?.resourceVersion === pod?.resourceVersion) return operator
  const tick = operator.tick + 1
  const gone = before && before.uid !== pod?.uid ? [...operator.gone, before.uid] : operator.gone
  const seen = pod && { ...pod, seenAt: tick, notReadySince: undefined }
  return { ...operator, tick, gone, pods: operator.pods.map((other, at) => (at === index ? seen : other)) }
}

function sawLease(operator: OperatorState, lease: ServerLease | undefined, begunAt: number | undefined): OperatorState {
  const known = operator.lease?.resourceVersion === lease?.resourceVersion ? operator.lease : undefined
  const tick = operator.tick + 1
  const seen = lease && { ...lease, seenAt: known?.seenAt ?? tick, readAt: begunAt ?? known?.readAt }
  return { ...operator, tick, lease: seen }
}

function decided(operator: OperatorState, omission?: Omission): readonly GroupAction[] {
  const group: LeaderGroup = {
    metadata: { name: GROUP, namespace: 'n', uid: GROUP_UID, resourceVersion: String(operator.status.version) },
    spec: { selector: { matchLabels: { a: 'b' } } },
    status: {
      term: operator.status.term,
      ...(operator.status.holderUID ? { holderUID: operator.status.holderUID } : {}),
    },
  }
  const observation: GroupObservation = {
    namespace: 'n',
    name: GROUP,
    group,
    groupReadAt: operator.statusReadAt,
    groupAbsentAt: undefined,
    pods: operator.pods.filter((pod) => pod !== undefined).map((pod) => misread(pod, operator, omission)),
    deletedPods: [],
    lease: operator.lease,
    services: [],
    slices: [],
    podsListedAt: omission === 'noRound' ? Infinity : operator.podsListedAt,
    gone: new Set(operator.gone),
    memory: { statusWrittenAt: undefined, takenBackAt: [], fault: undefined, putOff: undefined },
  }
  const { actions } = decide(observation, { monotonic: 0, wall: '2026-01-01T00:00:00.000000Z' })
  // Of status only the term matters here, and the holder when it changes with it.
  return actions.filter((action) => action.kind !== 'writeStatus' || action.status.term !== operator.status.term)
}

/** How a pod looks to an operator that forgets a rule: sealed, although it is not. */
function misread(pod: ObservedPod, { lease }: OperatorState, omission?: Omission): ObservedPod {
  const mark = parseMark(lease?.mark)
  if (!lease || !mark) return pod
  const { holder, term } = mark
  const sealed = { ...pod, role: undefined, term: undefined, sealed: `${lease.uid}/${term}` }
  const named = holder?.uid === pod.uid && !pod.ready
  if (omission === 'noSeal') return named ? sealed : pod
  if (omission === 'noStamp') return named && pod.role === undefined ? sealed : pod
  return omission === 'noRound' && (!holder || lease.holderIdentity !== formatIdentity(holder)) ? sealed : pod
}

function* arrivals(
  world: World,
  operator: OperatorState,
  sent: NonNullable<OperatorState['sent']>,
  name: string,
  put: Put,
  omission?: Omission,
): Generator<readonly [string, World]> {
  const idle = { ...operator, sent: undefined }
  const { effect, reply } = arrive(world, idle, sent.action, sent.begunAt, omission)
  const what = `${name}: ${describe(sent.action)}${effect ? '' : ' is refused'}`
  yield [what, put(reply, effect ?? {})]
  if (effect && world.budget.lostReplies > 0) {
    yield [`${what}, reply lost`, put(idle, { ...effect, ...spend(world, 'lostReplies') })]
  }
}

function describe(action: GroupAction): string {
  if (action.kind === 'patchPod') return `${action.step} ${action.pod.name} ${JSON.stringify(action.annotations)}`
  return action.kind === 'advanceGate' ? `gate names ${action.holder.name} for term ${action.term}` : action.kind
}

interface Arrival {
  /** What changed on the server; absent when it refused, or was only read. */
  readonly effect?: Partial<World>
  readonly reply: OperatorState
}

function arrive(
  world: World,
  operator: OperatorState,
  action: GroupAction,
  begunAt: number,
  omission?: Omission,
): Arrival {
  const version = String(world.serial)
  const next = { serial: world.serial + 1 }
  switch (action.kind) {
    case 'createGate': {
      if (world.lease) return { reply: sawLease(operator, world.lease, begunAt) }
      const lease = leaseNaming(
        `gate${world.serial}`,
        version,
        '',
        formatMark({ holder: undefined, gateUID: undefined, term: 0 }),
        0,
      )
      return { effect: { ...next, lease }, reply: sawLease(operator, lease, begunAt) }
    }
    case 'deleteGate': {
      const same = world.lease?.uid === action.uid && world.lease.resourceVersion === action.resourceVersion
      return same
        ? { effect: { ...next, lease: undefined }, reply: sawLease(operator, undefined, begunAt) }
        : { reply: sawLease(operator, world.lease, begunAt) }
    }
    case 'readGate':
      return { reply: sawLease(operator, world.lease, begunAt) }
    case 'readPod': {
      const found = world.pods.find((pod) => pod?.name === action.name)
      const reply = sawPod(operator, Number(action.name.slice(1)), found)
      return { reply: found?.uid === action.uid ? reply : { ...reply, gone: [...reply.gone, action.uid] } }
    }
    case 'readGroup':
      return { reply: { ...operator, status: world.status, statusReadAt: begunAt } }
    case 'listPods': {
      const listed = world.pods.reduce((state, pod, index) => sawPod(state, index, pod), operator)
      return { reply: { ...listed, podsListedAt: begunAt } }
    }
    case 'writeStatus': {
      if (Number(action.resourceVersion) !== world.status.version)
        return { reply: { ...operator, status: world.status } }
      const status = { version: world.serial, term: action.status.term ?? 0, holderUID: action.status.holderUID }
      return { effect: { ...next, status }, reply: { ...operator, status } }
    }
    case 'advanceGate': {
      const { lease } = world
      if (lease?.uid !== action.uid || lease.resourceVersion !== action.resourceVersion)
        return { reply: sawLease(operator, lease, begunAt) }
      const mark = formatMark({ holder: action.holder, gateUID: lease.uid, term: action.term })
      const named = leaseNaming(lease.uid, version, formatIdentity(action.holder), mark, transitionsOf(action.term))
      return {
        effect: { ...next, lease: named, highestTerm: action.term, ...brokenBy(world, action) },
        reply: sawLease(operator, named, begunAt),
      }
    }
    case 'patchPod':
      return arrivePatch(world, operator, action, omission)
    case 'readLease':
    case 'releaseLease':
    case 'createService':
    case 'patchService':
    case 'deleteService':
    case 'createSlice':
    case 'replaceSlice':
    case 'deleteSlice':
      throw new Error(`${action.kind}: the group of this world assigns, and has no Services`)
  }
}

function brokenBy(world: World, action: Extract<GroupAction, { kind: 'advanceGate' }>): { violation?: string } {
  if (action.term <= (world.highestTerm ?? 0)) return { violation: `term ${action.term} is named again` }
  const labelled = world.pods.filter((pod) => pod?.role === 'leader' && pod.uid !== action.holder.uid)
  return labelled.length > 0
    ? { violation: `the gate names ${action.holder.name} while ${labelled[0]?.name} is labelled` }
    : {}
}

function leaseNaming(
  uid: string,
  version: string,
  holderIdentity: string,
  mark: string,
  transitions: number,
): ServerLease {
  return {
    name: GROUP,
    uid,
    resourceVersion: version,
    ownerUID: GROUP_UID,
    ownerName: GROUP,
    mode: 'Assign',
    mark,
    holderIdentity,
    transitions,
    acquireTime: undefined,
    sight: { seenAt: 1, sinceMillis: 0, changed: true },
    readMillis: undefined,
  }
}

function arrivePatch(
  world: World,
  operator: OperatorState,
  action: Extract<GroupAction, { kind: 'patchPod' }>,
  omission?: Omission,
): Arrival {
  const index = Number(action.pod.name.slice(1))
  const pod = world.pods[index]
  const fresh =
    pod?.uid === action.pod.uid && (omission === 'noPodVersion' || pod.resourceVersion === action.pod.resourceVersion)
  if (!pod || !fresh) return { reply: sawPod(operator, index, pod) }
  const role = KEYS.role in action.labels ? (action.labels[KEYS.role] ?? undefined) : pod.role
  const term = KEYS.term in action.annotations ? (action.annotations[KEYS.term] ?? undefined) : pod.term
  const stamp = KEYS.sealed in action.annotations && !(omission === 'noStamp' && action.step === 'seal')
  const sealed = stamp ? (action.annotations[KEYS.sealed] ?? undefined) : pod.sealed
  // A patch that changes nothing answers 200 and does not move the version.
  if (role === pod.role && term === pod.term && sealed === pod.sealed) return { reply: sawPod(operator, index, pod) }
  const patched = { ...pod, role, term, sealed, resourceVersion: String(world.serial) }
  const pods = world.pods.map((other, at) => (at === index ? patched : other))
  const two = pods.filter((each) => each?.role === 'leader').length > 1
  return {
    effect: { serial: world.serial + 1, pods, ...(two ? { violation: 'two pods bear the label' } : {}) },
    reply: sawPod(operator, index, patched),
  }
}
