/** What the API server's audit log says of a run: who asked for what (I12), and whether each Lease behaved as one object. */
import { open } from 'node:fs/promises'
import { OPERATOR_USER } from '../operator-process.ts'
import { Audit } from '../operator-audit.ts'
import type { World } from './world.ts'

export interface Accusation {
  readonly rule: string
  readonly subject: string
  readonly text: string
  readonly around: readonly string[]
}

export interface RequestCount {
  /** `operators`, `candidates`, or `others`: this program, the control plane. */
  readonly who: string
  readonly verb: string
  readonly resource: string
  readonly count: number
}

export interface AuditReport {
  readonly requests: readonly RequestCount[]
  readonly accusations: readonly Accusation[]
}

export async function auditOf({ cluster, namespace }: World): Promise<AuditReport> {
  const path = cluster.plane.auditLogPath!
  const { beyond, fatal } = await new Audit(path, 0).findings()
  const accuse = (text: string, what: readonly string[]): readonly Accusation[] =>
    what.length === 0 ? [] : [{ rule: 'I12', subject: 'operators', text, around: what.slice(0, 20) }]
  return {
    requests: await requestsIn(path, namespace),
    accusations: [
      ...accuse(`${beyond.length} writes that are not the operator's business`, beyond),
      ...accuse(`${fatal.length} writes that ended a pod`, fatal),
    ],
  }
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
