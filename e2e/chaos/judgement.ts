/**
 * The judge of the simulator on a run of real processes: the store's history with who wrote what, from the audit log, and what
 * each elector believed. It is told of a commit with the time at which its request came in, for that is certain to be before it,
 * so that nothing looks later than it was.
 */
import type { Committed, Fact } from '../../src/sim/invariants/facts.ts'
import { Judge } from '../../src/sim/invariants/judge.ts'
import type { Violation } from '../../src/sim/invariants/violation.ts'
import type { Lease } from '../../src/kube/objects.ts'
import { OPERATOR_USER } from '../operator-process.ts'
import type { AuditEvent } from './audit-events.ts'
import type { Belief } from './beliefs.ts'
import type { GroupPlan } from './group-plan.ts'
import { TIMING } from './member.ts'
import type { Seen } from './witness.ts'

const OPERATOR = 'operator'
const RESOURCES = { pod: 'pods', lease: 'leases', group: 'leadergroups' } as const

export interface Evidence {
  readonly namespace: string
  readonly groups: readonly GroupPlan[]
  readonly history: readonly Seen[]
  /** Successful writes, by the version that they made. */
  readonly writes: ReadonlyMap<number, AuditEvent>
  readonly beliefs: readonly Belief[]
  readonly millis: (timestamp: string) => number
}

export function judged(evidence: Evidence): readonly Violation[] {
  const judge = new Judge()
  const own: readonly Fact[] = [{ kind: 'process', at: 0, process: OPERATOR, role: 'operator', runs: true }]
  for (const fact of [...own, ...merged(commits(evidence), believed(evidence))]) judge.follow(fact)
  return judge.violations
}

/** What each elector was, and believed, in the order of its times. */
function believed({ namespace, groups, beliefs }: Evidence): readonly Fact[] {
  const facts = beliefs.flatMap(
    ({ group, kind, process, holder, startedMillis, endedMillis, terms }): readonly Fact[] => {
      const { leaseName } = groups.find(({ name }) => name === group)!
      const isOurs = kind !== 'client-go'
      const elector = {
        lock: `${namespace}/${leaseName}`,
        identity: holder,
        leaseDurationMillis: TIMING.leaseDurationSeconds * 1000,
        // A command is told to end at the deadline of its elector, and may run on for as long as nobody else can lead.
        renewDeadlineMillis: (kind === 'elect' ? TIMING.leaseDurationSeconds : TIMING.renewDeadlineSeconds) * 1000,
        ours: isOurs,
        counts: true,
      }
      const common = { process, role: 'candidate', elector } as const
      const leading = terms
        .filter(() => isOurs)
        .flatMap(({ token, fromMillis, toMillis }): readonly Fact[] => {
          const term = token === undefined ? { number: 0 } : { number: token, token }
          return [
            { kind: 'belief', at: fromMillis, process, term },
            { kind: 'act', at: toMillis, process },
            { kind: 'belief', at: toMillis, process },
          ]
        })
      const begins: Fact = { kind: 'process', at: startedMillis, ...common, runs: true }
      const ends: readonly Fact[] =
        endedMillis === undefined ? [] : [{ kind: 'process', at: endedMillis, ...common, runs: false }]
      return [begins, ...leading, ...ends]
    },
  )
  return facts.toSorted((a, b) => a.at - b.at)
}

/** In the order of their versions. A request that waited for long came in before others whose versions are earlier. */
function commits(evidence: Evidence): readonly Committed[] {
  const { history, writes, millis } = evidence
  let latest = 0
  return history.map((seen) => {
    const { change, before } = seen
    const event = writes.get(change.version)
    // Of whom the log knows nothing: not before what it follows.
    const at = event ? millis(event.requestReceivedTimestamp) : latest
    latest = Math.max(latest, at)
    const by = event && writerOf(event, seen, at, evidence)
    return {
      kind: 'committed',
      at,
      version: change.version,
      ...(by === undefined ? {} : { by }),
      resource: RESOURCES[change.kind],
      ...(before ? { before } : {}),
      ...(change.gone ? {} : { after: change.object }),
    }
  })
}

/** A candidate is known by what it wrote, or, when it released, by what was there. */
function writerOf(
  { user: { username = 'somebody' } }: AuditEvent,
  { change, before }: Seen,
  at: number,
  { beliefs, namespace }: Evidence,
): string {
  if (username === OPERATOR_USER) return OPERATOR
  if (change.kind !== 'lease' || !username.startsWith(`system:serviceaccount:${namespace}:`)) return username
  const held = (before as Lease | undefined)?.spec?.holderIdentity
  const identity = change.object.spec?.holderIdentity ?? ''
  const writer = beliefs.findLast(({ holder, startedMillis }) => {
    return holder === (identity === '' ? held : identity) && startedMillis < at
  })
  return writer?.process ?? username
}

/** A commit is told of before anything that may follow from it: at no time that is later than its own. */
function merged(commit: readonly Committed[], others: readonly Fact[]): readonly Fact[] {
  const facts: Fact[] = []
  let next = 0
  let latest = 0
  for (const each of commit) {
    latest = Math.max(latest, each.at)
    while (next < others.length && others[next]!.at < latest) facts.push(others[next++]!)
    facts.push(each)
  }
  return [...facts, ...others.slice(next)]
}
