/**
 * The judge of the simulator on a run of real processes: the store's history with who wrote what, from the audit log, and what
 * each elector believed. It is told of a commit with the time at which its request came in, for that is certain to be before it,
 * so that nothing looks later than it was.
 */
import type { Committed, Fact } from '../../src/sim/invariants/facts.ts'
import { Judge } from '../../src/sim/invariants/judge.ts'
import type { Violation } from '../../src/sim/invariants/violation.ts'
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject, Lease } from '../../src/kube/objects.ts'
import { OPERATOR_USER } from '../operator-process.ts'
import type { AuditEvent } from './audit-events.ts'
import type { Belief } from './beliefs.ts'
import { isByHand } from './hands.ts'
import type { GroupPlan } from './group-plan.ts'
import { TIMING } from './member.ts'
import type { Seen } from './witness.ts'

const OPERATOR = 'operator'
/** The audit log has another clock than the electors; how the two differ is known to so much. */
const CLOCK_MILLIS = 50
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
  judge.follow({ kind: 'process', at: 0, process: OPERATOR, role: 'operator', runs: true })
  for (const fact of merged(commits(evidence), believed(evidence))) judge.follow(fact)
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
        renewDeadlineMillis:
          (kind === 'elect' ? TIMING.leaseDurationSeconds : TIMING.renewDeadlineSeconds) * 1000 + CLOCK_MILLIS,
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

/**
 * In the order of their versions. A request that waited for long came in before others whose versions are earlier. One of which
 * the log knows nothing, for the API server was killed, came about between what it follows and when it was seen: the record is
 * taken to be as old as it can be, and its request to be as late.
 */
function commits(evidence: Evidence): readonly Told[] {
  const { history, writes, millis, namespace } = evidence
  let latest = 0
  return history.map((seen) => {
    const { change, before, atMillis } = seen
    const event = writes.get(change.version)
    const at = event ? millis(event.requestReceivedTimestamp) : latest
    latest = Math.max(latest, at)
    const by = event ? writerOf(event, seen, at, evidence) : likelyWriter(seen, evidence)
    const commit: Committed = {
      kind: 'committed',
      at,
      version: change.version,
      ...(by === undefined ? {} : { by }),
      resource: RESOURCES[change.kind],
      ...(before ? { before } : {}),
      ...(change.gone ? {} : { after: change.object }),
    }
    if (event || by === undefined || !before || change.kind !== 'lease') return { commit }
    const { name, uid, resourceVersion } = before.metadata
    const version = Number(resourceVersion)
    const common = { process: by, request: change.version, resource: 'leases', namespace, name, uid } as const
    return { commit, asked: { kind: 'asked', at: atMillis, verb: 'update', version, ...common } }
  })
}

interface Told {
  readonly commit: Committed
  /** When its request may have been sent, if the commit does not say it well enough. */
  readonly asked?: Fact
}

/** By what was changed: strangers leave their number. */
function likelyWriter(seen: Seen, { beliefs, groups }: Evidence): string | undefined {
  const { change, before, atMillis } = seen
  if (change.gone || isByHand(seen)) return undefined
  if (change.kind === 'group')
    return isDeepStrictEqual((before as typeof change.object)?.status, change.object.status) ? undefined : OPERATOR
  if (change.kind === 'pod') {
    // That no operator makes one is judged where the log knows.
    return !before || isDeepStrictEqual(keysOn(before), keysOn(change.object)) ? undefined : OPERATOR
  }
  const { name } = change.object.metadata
  const last = (before as Lease | undefined)?.spec
  const { holderIdentity = '', renewTime } = change.object.spec ?? {}
  const isObserved = groups.some(({ mode, leaseName }) => mode === 'Observe' && leaseName === name)
  if (!isObserved || (holderIdentity === '' && renewTime === last?.renewTime)) return OPERATOR
  return processOf(holderIdentity === '' ? last?.holderIdentity : holderIdentity, atMillis, beliefs)
}

function keysOn({ metadata: { labels = {}, annotations = {} } }: KubeObject): unknown {
  return [labels, annotations].map((map) => Object.entries(map).filter(([key]) => key.includes('leadergroup.io/')))
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
  return processOf(identity === '' ? held : identity, at, beliefs) ?? username
}

/** The last one of this identity that had been started by then. */
function processOf(identity: string | null | undefined, at: number, beliefs: readonly Belief[]): string | undefined {
  return beliefs.findLast(({ holder, startedMillis }) => holder === identity && startedMillis < at)?.process
}

/**
 * A commit is told of before anything that may follow from it: at no time that is later than its own. A process begins with its
 * first write: until then it is nobody, and the Lease that bears its identity is that of the one that died in its container.
 */
function* merged(told: readonly Told[], others: readonly Fact[]): Generator<Fact, void> {
  const waiting = new Map<string, Fact>()
  const rest = others.filter((fact) => {
    if (fact.kind !== 'process' || !fact.runs) return true
    waiting.set(fact.process, fact)
    return false
  })
  let next = 0
  let latest = 0
  for (const { commit, asked } of told) {
    latest = Math.max(latest, commit.at)
    for (; next < rest.length && rest[next]!.at < latest; next++) yield rest[next]!
    const begins = waiting.get(commit.by ?? '')
    if (begins) yield { ...begins, at: commit.at }
    waiting.delete(commit.by ?? '')
    if (asked) yield asked
    yield commit
  }
  yield* rest.slice(next)
}
