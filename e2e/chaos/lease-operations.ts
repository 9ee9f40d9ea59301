/**
 * All that was asked of one Lease, when, and what became of it, for the judgement whether it behaved as one object that does one
 * thing after the other (linearizability). The times are the API server's: between request and answer as its clients know them,
 * so what is explained here is explained for them as well.
 */
import type { Operation } from '../../src/sim/invariants/operation.ts'
import type { AuditEvent } from './audit-events.ts'
import type { Seen } from './witness.ts'

/** `changes`: all of the Lease's, in order, of which the audit log may lack some: an API server that is killed writes nothing more. */
export function leaseOperations(
  events: readonly AuditEvent[],
  changes: readonly Seen[],
  millis: (timestamp: string) => number,
): readonly Operation[] {
  const gone = changes.filter(({ change }) => change.gone)
  const told = events.flatMap((event) => operationOf(event, gone, millis) ?? [])
  const made = new Set(
    told.flatMap((each) => (each.kind !== 'read' && each.kind !== 'delete' ? (each.version ?? []) : [])),
  )
  const removed = new Set(
    told.flatMap((each) => (each.kind === 'delete' && each.outcome === 'ok' ? (each.expected ?? []) : [])),
  )
  return [...told, ...changes.flatMap((seen) => untold(seen, made, removed) ?? [])]
}

function operationOf(
  event: AuditEvent,
  gone: readonly Seen[],
  millis: (timestamp: string) => number,
): Operation | undefined {
  const { verb, user, requestObject, responseObject, responseStatus, stage } = event
  const code = stage === 'ResponseComplete' ? (responseStatus?.code ?? 0) : 0
  const calledAt = millis(event.requestReceivedTimestamp)
  const returnedAt = millis(event.stageTimestamp)
  const what = user.username?.split(':').at(-1) ?? 'somebody'
  const version = Number(responseObject?.metadata?.resourceVersion)
  if (verb === 'get') {
    if (code === 404) return { kind: 'read', calledAt, returnedAt, what }
    return code === 200 && version > 0 ? { kind: 'read', calledAt, returnedAt, what, found: version } : undefined
  }
  const outcome =
    code >= 200 && code < 300 ? 'ok' : code === 409 ? 'conflict' : code === 0 || code >= 500 ? 'unknown' : undefined
  // Refused by who asks, or by what is asked: before the Lease was looked at.
  if (outcome === undefined && code !== 404) return undefined
  const timed = outcome === 'unknown' ? { calledAt, what } : { calledAt, returnedAt, what }
  if (verb === 'delete') {
    const expected = Number(requestObject?.preconditions?.resourceVersion) || undefined
    const stored = outcome === 'ok' ? removedBetween(gone, calledAt) : expected
    return {
      kind: 'delete',
      ...timed,
      outcome: outcome ?? 'conflict',
      ...(stored === undefined ? {} : { expected: stored }),
    }
  }
  if (verb !== 'create' && verb !== 'update' && verb !== 'patch') return undefined
  const expected = verb === 'create' ? undefined : Number(requestObject?.metadata?.resourceVersion) || undefined
  return {
    kind: verb === 'create' ? 'create' : 'update',
    ...timed,
    outcome: outcome ?? 'conflict',
    ...(expected === undefined ? {} : { expected }),
    ...(outcome === 'ok' ? { version } : {}),
  }
}

/** The first deletion that was seen after it was called. */
function removedBetween(gone: readonly Seen[], calledAt: number): number | undefined {
  const found = gone.find(({ atMillis }) => atMillis > calledAt)
  return found && Number(found.before?.metadata.resourceVersion)
}

/** It took effect, before it was seen; who asked for it, and when, nobody knows. */
function untold(
  { change, before }: Seen,
  made: ReadonlySet<number>,
  removed: ReadonlySet<number>,
): Operation | undefined {
  const last = Number(before?.metadata.resourceVersion) || undefined
  const expected = last === undefined ? {} : { expected: last }
  const timed = { calledAt: -Infinity, what: 'somebody of whom the audit log knows nothing' }
  if (change.gone)
    return last === undefined || removed.has(last)
      ? undefined
      : { kind: 'delete', ...timed, outcome: 'ok', ...expected }
  if (made.has(change.version)) return undefined
  return { kind: before ? 'update' : 'create', ...timed, outcome: 'ok', version: change.version, ...expected }
}
