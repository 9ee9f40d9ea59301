/** What a run has shown, as data and in words. */
import type { RequestCount } from './audit.ts'
import type { Finding } from './beliefs.ts'
import { BOUND_MILLIS } from './calm.ts'
import type { Court, Violation } from './court.ts'
import { FAULTS, type FaultKind } from './faults.ts'
import type { Plan } from './plan.ts'
import type { Failover, Tally } from './tally.ts'

export interface RoundReport {
  readonly millis: number
  readonly bothAct: boolean
  /** From the end of the last fault until all groups were right. */
  readonly calmMillis: number
}

export interface Report {
  readonly seed: number
  readonly millis: number
  readonly isCutShort: boolean
  readonly groups: readonly { readonly name: string; readonly pods: readonly string[]; readonly hostile: boolean }[]
  readonly rounds: readonly RoundReport[]
  readonly failovers: {
    readonly total: number
    readonly rows: readonly FailoverRow[]
    /** The same pod leads again in a new term. */
    readonly renewed: number
    readonly released: number
  }
  readonly faults: readonly { readonly kind: FaultKind; readonly happened: number; readonly missed: number }[]
  /** Two that led at one time by their own word. */
  readonly overlaps: Readonly<Record<'broken' | 'excused by strangers' | 'of other electors', number>>
  readonly requests: readonly RequestCount[]
  /** Versions of the store that were judged. */
  readonly commits: number
  /** Requests about the groups' Leases, all explained by one server unless a violation says otherwise. */
  readonly leaseOperations: number
  readonly violations: readonly Violation[]
}

export interface FailoverRow {
  readonly mode: string
  readonly cause: string
  readonly count: number
  /** From the end of a leader to the gate that names the next. */
  readonly medianMillis: number | undefined
  readonly slowestMillis: number | undefined
}

export interface Found {
  readonly plan: Plan
  readonly millis: number
  readonly isCutShort: boolean
  readonly rounds: readonly RoundReport[]
  readonly tally: Tally
  readonly overlaps: readonly Finding[]
  readonly court: Court
  readonly requests: readonly RequestCount[]
  readonly commits: number
  readonly leaseOperations: number
}

export function report({
  plan,
  millis,
  isCutShort,
  rounds,
  tally,
  overlaps,
  court,
  requests,
  ...judged
}: Found): Report {
  const excused = (why: Finding['excuse']): number => overlaps.filter(({ excuse }) => excuse === why).length
  return {
    seed: plan.seed,
    millis: Math.round(millis),
    isCutShort,
    groups: plan.groups.map(({ name, members, hostile }) => ({ name, pods: members, hostile })),
    rounds,
    failovers: {
      total: tally.failovers.length,
      rows: rowsOf(tally.failovers),
      renewed: tally.terms,
      released: tally.released,
    },
    faults: tally.faults.map(([kind, count]) => ({ kind, ...count })).toSorted((a, b) => b.happened - a.happened),
    overlaps: {
      broken: excused(undefined),
      'excused by strangers': excused('a stranger wrote to the Lease'),
      'of other electors': excused('an elector of another project'),
    },
    requests,
    commits: judged.commits,
    leaseOperations: judged.leaseOperations,
    violations: court.violations,
  }
}

function rowsOf(failovers: readonly Failover[]): readonly FailoverRow[] {
  const groups = Map.groupBy(failovers, ({ mode, cause = 'nobody meant it to: the faults' }) => `${mode}: ${cause}`)
  return [...groups].map(([key, all]) => {
    const [mode, cause] = key.split(': ', 2) as [string, string]
    const millis = all.flatMap(({ millis: each }) => each ?? []).toSorted((a, b) => a - b)
    const at = (share: number): number | undefined => millis[Math.floor((millis.length - 1) * share)]
    return {
      mode,
      cause: key.slice(mode.length + 2) || cause,
      count: all.length,
      medianMillis: at(0.5),
      slowestMillis: at(1),
    }
  })
}

/** As a table for a terminal. */
export function formatReport(found: Report): string {
  const { seed, millis, rounds, failovers, faults, overlaps, requests, violations, isCutShort, groups } = found
  const minutes = `${(millis / 60_000).toFixed(1)} minutes`
  const hit = faults.reduce((sum, { happened }) => sum + happened, 0)
  return [
    `Seed ${seed}, ${minutes}${isCutShort ? ', cut short' : ''}: ${failovers.total} failovers, ${hit} faults, ${violations.length} violations`,
    '',
    'Groups',
    ...table(groups.map(({ name, pods, hostile }) => [name, pods.join(', '), hostile ? 'strangers write to it' : ''])),
    '',
    'Failovers, and the time until the gate named the next leader',
    ...table(
      failovers.rows
        .toSorted((a, b) => a.mode.localeCompare(b.mode) || b.count - a.count)
        .map((row) => [row.mode, row.cause, String(row.count), span(row.medianMillis), span(row.slowestMillis)]),
      ['mode', 'the leader before', 'times', 'median', 'slowest'],
    ),
    `The same pod led again in a new term: ${failovers.renewed} times. Leases of the dead emptied by an operator: ${failovers.released}.`,
    '',
    'Faults',
    ...table(
      faults.map(({ kind, happened, missed }) => [kind, String(happened), String(missed), FAULTS[kind].what]),
      ['what', 'times', 'missed', ''],
    ),
    '',
    'Calm after each storm',
    ...table(
      rounds.map(({ bothAct, calmMillis }, index) => [
        String(index + 1),
        bothAct ? 'both operators acted' : 'one operator acted',
        span(calmMillis),
      ]),
      ['storm', '', `all right after (bound ${BOUND_MILLIS / 1000} s)`],
    ),
    '',
    `Two led at one time: ${overlaps.broken}. After a stranger's write to their Lease: ${overlaps['excused by strangers']}; where another project's elector was one of them: ${overlaps['of other electors']}.`,
    `Judged: ${found.commits} versions of the store; whether one server explains the answers to ${found.leaseOperations} requests about Leases.`,
    '',
    'Requests',
    ...table(
      requests
        .filter(({ who }) => who !== 'others')
        .map(({ who, verb, resource, count }) => [who, verb, resource, String(count)]),
    ),
    ...violations.flatMap(formatViolation),
  ].join('\n')
}

function formatViolation({ rule, subject, text, around }: Violation): readonly string[] {
  return ['', `VIOLATION ${rule}, ${subject}: ${text}`, ...around.map((line) => `    ${line}`)]
}

function span(millis: number | undefined): string {
  if (millis === undefined) return '-'
  return millis < 1000 ? `${Math.round(millis)} ms` : `${(millis / 1000).toFixed(1)} s`
}

function table(rows: readonly (readonly string[])[], head?: readonly string[]): readonly string[] {
  const all = head ? [head, ...rows] : rows
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  return all.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd())
}
