import { parseIdentity, parseMark } from '../../group/gate/gate.ts'
import type { LeaderGroupStatus } from '../../group/leadergroup.ts'
import type { ObservedLease, ObservedPod } from '../../group/observation.ts'
import type { OperatorState, ServerLease, ServerPod, World } from './world.ts'

/** How the names of one world are told apart. */
export interface Names {
  id(text: string | undefined): number
  /** Versions of Leases only compare with those that a status may say to be followed. */
  rank(version: string): number
}

export function namesIn({ group, operators, past }: World): Names {
  const ids = new Map<string, number>()
  const statuses = [group.status, { leaseVersion: past.followed }, ...operators.flatMap(statusesIn)]
  const followedVersions = new Set(
    statuses.flatMap(({ leaseVersion }) => leaseVersion?.split('/')[1] ?? []).map(Number),
  )
  const sorted = [...followedVersions].toSorted((a, b) => a - b)
  return {
    id: (text) => {
      if (text === undefined) return -1
      const known = ids.get(text) ?? ids.size
      ids.set(text, known)
      return known
    },
    rank: (version) => {
      const below = sorted.filter((each) => each < Number(version)).length
      return 2 * below + (followedVersions.has(Number(version)) ? 1 : 0)
    },
  }
}

function statusesIn({ group, sent }: OperatorState): readonly LeaderGroupStatus[] {
  return sent?.action.kind === 'writeStatus' ? [group.status, sent.action.status] : [group.status]
}

export function bare(pod: ServerPod | ObservedPod, names: Names): readonly unknown[] {
  return [names.id(pod.uid), pod.ready, pod.role, pod.term, stamp(pod.sealed, names)]
}

export function stamp(text: string | undefined, names: Names): string {
  return text === undefined ? '' : `${names.id(text.split('/')[0])}/${text.split('/')[1]}`
}

export function mark(text: string | undefined, names: Names): unknown {
  const parsed = parseMark(text)
  return parsed && [names.id(parsed.holder?.uid), names.id(parsed.gateUID), parsed.term]
}

function identity(text: string | undefined, names: Names): unknown {
  const parsed = parseIdentity(text ?? '')
  return parsed ? [parsed.name, names.id(parsed.uid)] : text
}

export function followed(version: string | undefined, names: Names): unknown {
  const [uid, resourceVersion] = version?.split('/') ?? []
  return resourceVersion === undefined ? version : [names.id(uid), names.rank(resourceVersion)]
}

export function record(lease: ServerLease | ObservedLease, names: Names): readonly unknown[] {
  const { uid, mark: written, holderIdentity, resourceVersion } = lease
  return [names.id(uid), mark(written, names), identity(holderIdentity, names), names.rank(resourceVersion)]
}

export function statusKey(status: LeaderGroupStatus, names: Names): unknown {
  const ready = status.conditions?.[0]?.status
  return [
    status.term,
    status.holder,
    names.id(status.holderUID),
    identity(status.holderIdentity, names),
    status.transitions,
    mark(status.gate, names),
    followed(status.leaseVersion, names),
    ready,
  ]
}
