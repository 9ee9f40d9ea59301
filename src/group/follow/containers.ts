import { wholeSeconds } from './whole-seconds.ts'

/**
 * A container that runs beside the pod's others, and what is known of its ends. Ordinary init containers are not among
 * them: each runs to its end before the others start, so none of them can be what renewed a Lease later.
 */
export interface ObservedContainer {
  readonly name: string
  /** As its last status shows it: all but `running` and `unknown` have no process. */
  readonly state: 'running' | 'waiting' | 'ended' | 'unknown'
  /** The last end that a status showed; it stays known when a later status tells less. */
  readonly end: ContainerEnd | undefined
}

/** Every process that the container had before `finishedAt` is dead. */
export interface ContainerEnd {
  /** Seconds since 1970 by the clock of the node, cut off: the end came up to a second later. */
  readonly finishedAt: number
  /** Tick at which this process first saw it. */
  readonly seenAt: number
  /** It happened under this process's eyes: the pod was seen before without it. */
  readonly witnessed: boolean
}

/** What the kubelet writes when it does not know how, or whether, a container ended. */
const INVENTED_REASON = 'ContainerStatusUnknown'

/** What one status shows of a container. */
export interface ShownContainer {
  readonly name: string
  readonly state: ObservedContainer['state']
  /** Of the end that it shows, now or as the last state of one that was restarted; seconds since 1970. */
  readonly finishedAt: number | undefined
}

/**
 * The containers that may elect, of a pod as the API server returned it. Total: whatever cannot be read counts as alive.
 *
 * @param named value of the annotation `leadergroup.io/elector-container`: only the container of this name, of any kind
 */
export function shownContainers(
  pod: { readonly spec?: unknown; readonly status?: unknown },
  named: string | undefined,
): readonly ShownContainer[] {
  const statuses = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'].flatMap((key) =>
    listAt(pod.status, key),
  )
  return namesOf(pod.spec, named).map((name) => {
    const mine = name === '' ? [] : statuses.filter((status) => at(status, 'name') === name)
    const shown = mine.length === 1 ? mine[0] : undefined
    const finishedAt = endIn(at(shown, 'state')) ?? endIn(at(shown, 'lastState'))
    return { name, state: stateOf(at(shown, 'state')), finishedAt }
  })
}

/**
 * What is known of the containers once this status has arrived, too.
 *
 * @param before what was known of this very pod UID; undefined when it is seen for the first time
 */
export function electingContainers(
  before: readonly ObservedContainer[] | undefined,
  shown: readonly ShownContainer[],
  tick: number,
): readonly ObservedContainer[] {
  return shown.map(({ name, state, finishedAt }) => {
    const last = before?.find((container) => container.name === name)?.end
    const isNew = finishedAt !== undefined && finishedAt !== last?.finishedAt
    return { name, state, end: isNew ? { finishedAt, seenAt: tick, witnessed: before !== undefined } : last }
  })
}

function namesOf(spec: unknown, named: string | undefined): readonly string[] {
  const inits = listAt(spec, 'initContainers')
  const all = [
    ...listAt(spec, 'containers'),
    ...inits.filter((init) => named !== undefined || at(init, 'restartPolicy') === 'Always'),
    ...listAt(spec, 'ephemeralContainers'),
  ].map((container) => textAt(container, 'name'))
  return named === undefined ? all : all.filter((name) => name === named)
}

function stateOf(state: unknown): ObservedContainer['state'] {
  if (at(state, 'running') !== undefined) return 'running'
  if (at(state, 'terminated') !== undefined) return endIn(state) === undefined ? 'unknown' : 'ended'
  return at(state, 'waiting') === undefined ? 'unknown' : 'waiting'
}

function endIn(state: unknown): number | undefined {
  if (at(state, 'running') !== undefined) return undefined
  const terminated = at(state, 'terminated')
  const reason = at(terminated, 'reason')
  if (typeof reason !== 'string' || reason === '' || reason === INVENTED_REASON) return undefined
  return wholeSeconds(at(terminated, 'finishedAt'))
}

function textAt(value: unknown, key: string): string {
  const text = at(value, key)
  return typeof text === 'string' ? text : ''
}

function listAt(value: unknown, key: string): readonly unknown[] {
  const list = at(value, key)
  return Array.isArray(list) ? list : []
}

/** An own property; null counts as absent. */
function at(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as Record<string, unknown>)[key] ?? undefined
}

/** A moment at which none of the electing containers had a process: whatever had written by then is dead. */
export interface Standstill {
  /** The latest end among them, so the moment was not before it. */
  readonly finishedAt: number
  readonly seenAt: number
  readonly witnessed: boolean
  /** Which containers were meant: the annotation may be changed. */
  readonly names: readonly string[]
}

/** The last standstill that a status of the pod has shown. */
export function standstillOf(
  before: { readonly standstill: Standstill | undefined } | undefined,
  containers: readonly ObservedContainer[],
  tick: number,
): Standstill | undefined {
  const last = before?.standstill
  const ends = containers.map(({ state, end }) => (state === 'ended' || state === 'waiting' ? end : undefined))
  if (ends.length === 0 || !ends.every((end) => end !== undefined)) return last
  const finishedAt = Math.max(...ends.map((end) => end.finishedAt))
  if (last?.finishedAt === finishedAt && isOf(last, containers)) return last
  return { finishedAt, seenAt: tick, witnessed: before !== undefined, names: containers.map(({ name }) => name) }
}

export function isOf(standstill: Standstill, containers: readonly ObservedContainer[]): boolean {
  const { names } = standstill
  return names.length === containers.length && containers.every(({ name }) => names.includes(name))
}
