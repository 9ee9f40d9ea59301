/** Lines about processes that elect on the Lease `lock`: 15 s of silence, a deadline of 10 s. */
import type { LeaseSpec } from '../../kube/objects.ts'
import type { Elector } from './facts.ts'
import { type Line, NAMESPACE, stranger, write } from './story-fixtures.ts'

export const LOCK = `${NAMESPACE}/lock`

/** Its identity is its name in capitals. */
export function elector(process: string, change: Partial<Elector> = {}): Line {
  const identity = process.toUpperCase()
  const own = { lock: LOCK, identity, leaseDurationMillis: 15_000, renewDeadlineMillis: 10_000, ...change }
  return ({ at }) => ({ kind: 'process', at, process, role: 'candidate', runs: true, elector: own })
}

export function ends(process: string): Line {
  return ({ at }) => ({ kind: 'process', at, process, role: 'candidate', runs: false })
}

/** A process writes the record. */
export function record(process: string | undefined, change: LeaseSpec, uid = 'lock-uid'): Line {
  const line = write(
    'leases',
    'lock',
    (before) => ({
      metadata: { ...before?.metadata, name: 'lock', namespace: NAMESPACE, uid, resourceVersion: '' },
      spec: { leaseDurationSeconds: 15, ...(before?.['spec'] as LeaseSpec | undefined), ...change },
    }),
    process,
  )
  return process === undefined ? stranger(line) : line
}

/** It becomes the holder, counted as the given transition. */
export function acquire(process: string, transitions: number, holderIdentity = process.toUpperCase()): Line {
  return (story) => {
    const time = String(story.at)
    return record(process, {
      holderIdentity,
      leaseTransitions: transitions,
      leaseDurationSeconds: 15,
      acquireTime: time,
      renewTime: time,
    })(story)
  }
}

export function renew(process: string): Line {
  return (story) => record(process, { renewTime: String(story.at) })(story)
}

export function release(process: string): Line {
  return (story) => record(process, { holderIdentity: '', leaseDurationSeconds: 1, renewTime: String(story.at) })(story)
}

/** It believes to lead. The token is the version of the last write, unless told otherwise. */
export function leads(process: string, number: number, token?: number): Line {
  return ({ at, version }) => ({ kind: 'belief', at, process, term: { number, token: token ?? version } })
}

export function follows(process: string): Line {
  return ({ at }) => ({ kind: 'belief', at, process })
}

export function acts(process: string): Line {
  return ({ at }) => ({ kind: 'act', at, process })
}

export function rate(process: string, rate: number): Line {
  return ({ at }) => ({ kind: 'rate', at, process, rate })
}

/** It sends a write that replaces the present version. */
export function sends(process: string): Line {
  return ({ at, version }) => ({
    kind: 'asked',
    at,
    process,
    request: version,
    verb: 'update',
    resource: 'leases',
    namespace: NAMESPACE,
    name: 'lock',
    version,
  })
}

/** A process of this library leads, another stands by. */
export const ELECTED: readonly Line[] = [elector('a'), elector('b'), acquire('a', 0), leads('a', 0)]
