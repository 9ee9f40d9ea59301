import type { Clock } from '../clock.ts'
import { microTime } from '../election/micro-time.ts'
import { decide } from '../group/decide.ts'
import type { GroupAction, GroupDecision } from '../group/decision.ts'
import { eventsOf, leaseReleased, leaseTakenBack } from '../group/events.ts'
import type { GroupFault, GroupObservation } from '../group/observation.ts'
import { ApiError } from '../kube/outcome.ts'
import { failedBackoffMillis, type Acted, type Brain } from '../loop.ts'
import type { Actor } from './act.ts'
import type { Cache } from './cache.ts'
import type { EventRecorder } from './events.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

type Failed = Extract<Acted, { kind: 'failed' }>

export interface GroupBrainOptions {
  readonly cache: Cache
  readonly actor: Actor
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: Log
  readonly metrics: Metrics
  readonly events: EventRecorder
  readonly dryRun: boolean
  /** The right to act: aborts when it ends; undefined while another replica has it. */
  readonly authority: () => AbortSignal | undefined
}

/** One group in the loop: the pure decision, and what is said about it. */
export class GroupBrain implements Brain<GroupObservation, GroupAction> {
  readonly #options: GroupBrainOptions
  /** When the path to a new leader began, by key. */
  readonly #electingSince = new Map<string, number>()
  readonly #saidInDryRun = new Map<string, string>()

  constructor(options: GroupBrainOptions) {
    this.#options = options
  }

  observe(key: string): GroupObservation {
    return this.#options.cache.observe(key)
  }

  decide(observation: GroupObservation, now: number): GroupDecision {
    const decision = decide(observation, { monotonic: now, wall: microTime(this.#options.clock.wallNow()) })
    if (this.#options.dryRun) this.#sayInDryRun(observation, decision)
    return decision
  }

  mayAct(): boolean {
    return !this.#options.dryRun && this.#options.authority()?.aborted === false
  }

  async act(key: string, decision: GroupDecision, before: GroupObservation): Promise<Acted> {
    const { actor, cache, clock, metrics } = this.#options
    const authority = this.#options.authority()
    if (!authority) return { kind: 'stale' }
    const begunAt = clock.now()
    const effects: GroupAction[] = []
    const acted = await actor.act(key, decision.actions, decision.urgent, authority, (action) => effects.push(action))
    const seconds = (clock.now() - begunAt) / 1000
    this.#tell(key, decision.reason, effects, before, begunAt)
    // The right to act ended in the middle: whoever has it now goes on.
    if (authority.aborted) return { kind: 'stale' }
    switch (acted.kind) {
      case 'done':
        metrics.reconciled('success', seconds)
        break
      case 'stale':
        metrics.reconciled('requeue', seconds)
        metrics.conflict()
        break
      case 'failed':
        metrics.reconciled('error', seconds)
        cache.remember(key, { fault: faultOf(acted.error, decision.actions.slice(0, decision.urgent)) })
        return decision.urgent > 0 ? acted : this.#putOff(key, before, acted)
    }
    if (before.memory.fault || before.memory.putOff) cache.remember(key, { fault: undefined, putOff: undefined })
    return acted
  }

  /** Only chores failed. They wait, and the group does not: its next failover must not stand in line behind them. */
  #putOff(key: string, before: GroupObservation, { error, retryAfterMillis = 0 }: Failed): Acted {
    const { cache, clock, random } = this.#options
    const failures = (before.memory.putOff?.failures ?? 0) + 1
    const millis = Math.max(retryAfterMillis, failedBackoffMillis(failures, random))
    cache.remember(key, { putOff: { failures, until: clock.now() + millis } })
    this.failed(key, error, millis)
    return { kind: 'done' }
  }

  failed(key: string, error: unknown, retryMillis: number): void {
    const { log, metrics } = this.#options
    metrics.retried()
    if (isEnding(error)) {
      log.debug(`the namespace of the group is being deleted; looking again in ${Math.round(retryMillis)} ms`, {
        group: key,
      })
      return
    }
    log.warn(`cannot act on the group; trying again in ${Math.round(retryMillis)} ms`, {
      group: key,
      error,
    })
  }

  /** One line for each decision that changed something, with its reason; and the events that its status implies. */
  #tell(key: string, reason: string, actions: readonly GroupAction[], before: GroupObservation, begunAt: number): void {
    const { log, events, metrics } = this.#options
    const changes = actions.map(change).filter((text) => text !== undefined)
    if (changes.length > 0) log.info(reason, { group: key, changes: changes.join(', ') })
    for (const action of actions) {
      if (action.kind === 'writeStatus' && before.group) {
        for (const event of eventsOf(before.group.status, action.status)) events.record(before.group, event)
      }
      if (action.kind === 'advanceGate' || (action.kind === 'writeStatus' && action.gate?.holder)) metrics.transition()
      if (action.kind === 'releaseLease' && before.group) events.record(before.group, leaseReleased(action))
      if (action.kind === 'advanceGate' && action.takesBack && before.group && before.lease) {
        events.record(before.group, leaseTakenBack(before.lease.name, before.lease.holderIdentity))
      }
    }
    this.#timeFailover(key, actions, before, begunAt)
  }

  /** From the decision that begins to replace a leader to the label on the next. The first election is no failover. */
  #timeFailover(key: string, actions: readonly GroupAction[], before: GroupObservation, begunAt: number): void {
    const { clock, metrics } = this.#options
    const steps = actions.map((action) => (action.kind === 'patchPod' ? action.step : action.kind))
    if (steps.includes('label')) {
      const since = this.#electingSince.get(key)
      this.#electingSince.delete(key)
      if (since !== undefined) metrics.failover((clock.now() - since) / 1000)
    } else if (before.group?.status?.holder !== undefined && !this.#electingSince.has(key)) {
      if (steps.includes('seal') || steps.includes('advanceGate') || steps.includes('releaseLease'))
        this.#electingSince.set(key, begunAt)
    }
  }

  #sayInDryRun({ namespace, name }: GroupObservation, { actions, reason }: GroupDecision): void {
    const key = `${namespace}/${name}`
    const changes = actions.map(change).filter((text) => text !== undefined)
    const line = changes.length > 0 ? `dry run: ${reason}; would ${changes.join(', ')}` : undefined
    if (line === undefined) this.#saidInDryRun.delete(key)
    else if (this.#saidInDryRun.get(key) !== line) {
      this.#saidInDryRun.set(key, line)
      this.#options.log.info(line, { group: key })
    }
  }
}

function faultOf(error: unknown, urgent: readonly GroupAction[]): GroupFault {
  const message = error instanceof Error ? error.message : String(error)
  return {
    urgent: urgent.length > 0,
    routing: urgent.some(routes),
    forbidden: error instanceof ApiError && error.reason === 'Forbidden' && !isEnding(error),
    message,
  }
}

/** The server forbids creating anything in a namespace that is being deleted, whatever the roles say: it is no fault. */
function isEnding(error: unknown): boolean {
  return error instanceof ApiError && error.message.includes('because it is being terminated')
}

function routes({ kind }: GroupAction): boolean {
  return kind.endsWith('Slice') || kind.endsWith('Service')
}

/** What an action changes, in words; undefined for a read. */
function change(action: GroupAction): string | undefined {
  switch (action.kind) {
    case 'patchPod':
      return `${action.step} pod ${action.pod.name}`
    case 'createGate':
      return 'create the Lease'
    case 'deleteGate':
      return 'delete the Lease'
    case 'advanceGate':
      return `name ${action.holder.name} in the Lease for term ${action.term}`
    case 'writeStatus':
      return action.gate?.holder
        ? `name ${action.gate.holder.name} in status for term ${action.gate.term}`
        : action.gate
          ? `name nobody in status after term ${action.gate.term}`
          : 'write status'
    case 'releaseLease':
      return `empty the holder of Lease ${action.name}`
    case 'createService':
      return `create Service ${action.service.metadata.name}`
    case 'patchService':
      return `change Service ${action.name}`
    case 'deleteService':
      return `delete Service ${action.name}`
    case 'createSlice':
    case 'replaceSlice':
      return `write EndpointSlice ${action.slice.metadata.name}`
    case 'deleteSlice':
      return `delete EndpointSlice ${action.name}`
    case 'readGate':
    case 'readLease':
    case 'readPod':
    case 'readGroup':
    case 'listPods':
      return undefined
  }
}
