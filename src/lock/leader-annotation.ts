import type { LeaseRecord } from '../election/record.ts'

/** Where client-go kept its record before there were Leases. */
export const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader'

/** A record as it stands in an annotation: JSON with client-go's names. */
type RecordJson = Readonly<Record<string, unknown>>

/** Undefined when the text is no record: then nobody can tell who leads. */
export function parseLeader(text: string): LeaseRecord | undefined {
  const json = parseObject(text)
  if (json === undefined) return undefined
  const strings = ['holderIdentity', 'acquireTime', 'renewTime', 'strategy', 'preferredHolder']
  const numbers = ['leaseDurationSeconds', 'leaderTransitions']
  if (!strings.every((name) => isAbsent(json[name]) || typeof json[name] === 'string')) return undefined
  if (!numbers.every((name) => isAbsent(json[name]) || Number.isSafeInteger(json[name]))) return undefined
  const { holderIdentity, leaseDurationSeconds, leaderTransitions, ...rest } = json as Partial<
    Record<string, string | null>
  > & { leaseDurationSeconds?: number | null; leaderTransitions?: number | null }
  const { acquireTime, renewTime, strategy, preferredHolder } = rest
  return {
    holderIdentity: holderIdentity ?? '',
    leaseDurationSeconds: leaseDurationSeconds ?? 0,
    leaseTransitions: leaderTransitions ?? 0,
    ...(acquireTime ? { acquireTime } : {}),
    ...(renewTime ? { renewTime } : {}),
    ...(strategy ? { strategy } : {}),
    ...(preferredHolder ? { preferredHolder } : {}),
  }
}

/**
 * The text for `record`, with what `before` has that no elector knows. Times keep their six digits: Go's parser of plain
 * times takes them, and they tell two renewals of one second apart.
 */
export function formatLeader(record: LeaseRecord, before: string | undefined): string {
  const { strategy: _strategy, preferredHolder: _preferredHolder, ...kept } = parseObject(before ?? '') ?? {}
  const { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions } = record
  return JSON.stringify({
    ...kept,
    holderIdentity,
    leaseDurationSeconds,
    acquireTime: acquireTime ?? null,
    renewTime: renewTime ?? null,
    leaderTransitions: leaseTransitions,
    ...(record.strategy ? { strategy: record.strategy } : {}),
    ...(record.preferredHolder ? { preferredHolder: record.preferredHolder } : {}),
  })
}

function parseObject(text: string): RecordJson | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RecordJson) : undefined
  } catch {
    // Not JSON: the caller says what that means.
    return undefined
  }
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null
