/** What the API server's audit log says of a run: who asked for what (I12), and whether each Lease behaved as one object. */
import { open } from 'node:fs/promises'
import { whyNotLinearizable } from '../../src/sim/invariants/linearizable.ts'
import { OPERATOR_USER } from '../operator-process.ts'
import { Audit } from '../operator-audit.ts'
import { type AuditEvent, type Clocks, auditEvents, nameOf, toMonotonic } from './audit-events.ts'
import type { Belief } from './beliefs.ts'
import type { GroupPlan } from './group-plan.ts'
import { judged } from './judgement.ts'
import { leaseOperations } from './lease-operations.ts'
import type { Seen } from './witness.ts'
import type { World } from './world.ts'

export interface Accusation {
  readonly rule: string
  readonly subject: string
  readonly text: string
  readonly around: readonly string[]
}

/** At a version of the store. */
export interface Judged {
  readonly rule: string
  readonly subject: string
  readonly text: string
  readonly version: number
}

export interface RequestCount {
  /** `operators`, `candidates`, or `others`: this program, the control plane. */
  readonly who: string
  readonly verb: string
  readonly resource: string
  readonly count: number
}

export interface AuditReport {
  readonly judged: readonly Judged[]
  /** How many requests were explained. */
  readonly leaseOperations: number
  readonly requests: readonly RequestCount[]
  readonly accusations: readonly Accusation[]
}

export interface Trial {
  readonly groups: readonly GroupPlan[]
  readonly history: readonly Seen[]
  readonly beliefs: readonly Belief[]
  readonly clocks: readonly Clocks[]
}

export async function auditOf(
  { cluster, namespace }: World,
  { groups, history, beliefs, clocks }: Trial,
): Promise<AuditReport> {
  const path = cluster.plane.auditLogPath!
  const millis = toMonotonic(clocks)
  const { beyond, fatal } = await new Audit(path, 0).findings()
  const accuse = (text: string, what: readonly string[]): readonly Accusation[] =>
    what.length === 0 ? [] : [{ rule: 'I12', subject: 'operators', text, around: what.slice(0, 20) }]
  const { writes, onLeases } = await eventsIn(path, namespace)
  const violations = judged({ namespace, groups, history, writes, beliefs, millis })
  return {
    requests: await requestsIn(path, namespace),
    judged: violations.map(({ subject, ...violation }) => ({
      ...violation,
      subject: groupOf(subject, namespace, groups),
    })),
    accusations: [
      ...accuse(`${beyond.length} writes that are not the operator's business`, beyond),
      ...accuse(`${fatal.length} writes that ended a pod`, fatal),
      ...groups.flatMap((group) =>
        unlinear(group, onLeases.get(group.leaseName) ?? [], history, toMonotonic(clocks.slice(-1))),
      ),
    ],
    leaseOperations: [...onLeases.values()].reduce((sum, { length }) => sum + length, 0),
  }
}

/** A violation names a group or a Lease with its namespace. */
function groupOf(subject: string, namespace: string, groups: readonly GroupPlan[]): string {
  const name = subject.startsWith(`${namespace}/`) ? subject.slice(namespace.length + 1) : subject
  return groups.find(({ leaseName }) => leaseName === name)?.name ?? name
}

/** One clock is all that an order needs: the audit log's own. */
function unlinear(
  { name, leaseName }: GroupPlan,
  events: readonly AuditEvent[],
  history: readonly Seen[],
  millis: (timestamp: string) => number,
): readonly Accusation[] {
  const changes = history.filter(({ change }) => change.kind === 'lease' && change.object.metadata.name === leaseName)
  const why = whyNotLinearizable({ operations: leaseOperations(events, changes, millis), initial: 'absent' })
  const text = `no server that does one thing after the other would have answered so: ${why}`
  return why === undefined ? [] : [{ rule: 'linearizable', subject: name, text, around: [] }]
}

interface Events {
  /** Successful writes of what is watched, by the version that they made. */
  readonly writes: ReadonlyMap<number, AuditEvent>
  /** By name: all that was asked of a Lease. */
  readonly onLeases: ReadonlyMap<string, readonly AuditEvent[]>
}

async function eventsIn(path: string, namespace: string): Promise<Events> {
  const writes = new Map<number, AuditEvent>()
  const onLeases = new Map<string, AuditEvent[]>()
  const isWanted = (line: string): boolean =>
    line.includes(`"namespace":"${namespace}"`) && !line.includes('"stage":"ResponseStarted"')
  for await (const event of auditEvents(path, isWanted)) {
    const { objectRef, verb, responseStatus, responseObject } = event
    const version = Number(responseObject?.metadata?.resourceVersion)
    const isWrite = ['create', 'update', 'patch'].includes(verb) && (responseStatus?.code ?? 0) < 300
    // A patch that changes nothing answers with the version that was there.
    if (isWrite && version > 0 && !writes.has(version)) writes.set(version, withoutBodies(event))
    const name = nameOf(event)
    if (objectRef?.resource !== 'leases' || name === undefined) continue
    if (!onLeases.has(name)) onLeases.set(name, [])
    onLeases.get(name)!.push(event)
  }
  return { writes, onLeases }
}

function withoutBodies(event: AuditEvent): AuditEvent {
  const { verb, user, stage, requestReceivedTimestamp, stageTimestamp } = event
  return { verb, user, stage, requestReceivedTimestamp, stageTimestamp }
}

const MENTIONED = /"verb":"([a-z]+)","user":\{"username":"([^"]+)"/
const RESOURCE = /"objectRef":\{"resource":"([a-z]+)"/

/** Not parsed: only who, verb and resource count, and most lines are long. */
async function requestsIn(path: string, namespace: string): Promise<readonly RequestCount[]> {
  const counts = new Map<string, number>()
  const file = await open(path)
  for await (const line of file.readLines()) {
    const [, verb, user] = MENTIONED.exec(line) ?? []
    if (verb === undefined || user === undefined) continue
    const [, resource = '-'] = RESOURCE.exec(line) ?? []
    const key = `${whois(user, namespace)} ${verb} ${resource}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts]
    .map(([key, count]) => {
      const [who, verb, resource] = key.split(' ') as [string, string, string]
      return { who, verb, resource, count }
    })
    .toSorted((a, b) => b.count - a.count)
}

function whois(user: string, namespace: string): string {
  if (user === OPERATOR_USER) return 'operators'
  return user.startsWith(`system:serviceaccount:${namespace}:`) ? 'candidates' : 'others'
}
