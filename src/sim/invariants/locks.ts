import type { Lease, LeaseSpec } from '../../kube/objects.ts'
import type { Clocks } from './clocks.ts'
import type { Committed, Elector, Fact, Process } from './facts.ts'
import type { Invariant } from './rule.ts'
import { refOf } from './wire.ts'
import type { Step, World } from './world.ts'

/** A Lease that processes elect on. */
export interface Lock {
  /** `<namespace>/<name>` */
  readonly ref: string
  /** True time at which the record came to be as it is; undefined: it was there at the start. */
  recordAt: number | undefined
  /** The last write by which somebody who does not elect here, or does not wait as he should, made another record. */
  disturbedVersion: number
  /** By process: its last write. */
  readonly writes: Map<string, { readonly version: number; readonly sentAt: number }>
  /** The last writes by which a process became the holder, by version. */
  readonly acquisitions: Map<number, string>
  /** By process and version that it replaces: when the write was sent. */
  readonly sent: Map<string, number>
}

export interface LockWrite {
  readonly lock: Lock
  readonly process: Process
  readonly elector: Elector
  readonly sentAt: number
  readonly before: LeaseSpec | undefined
  readonly after: LeaseSpec | undefined
}

const MOST_REMEMBERED = 64

/** Follows the Leases on which processes elect: who wrote what, and when it was sent. */
export class Locks implements Invariant {
  readonly #world: World
  readonly clocks: Clocks
  readonly #locks = new Map<string, Lock>()
  /** Since when the record was that the commit which was followed last replaced. */
  replacedAt: number | undefined
  /** Of the commit that was followed last: the write by which an elector of that Lease changed it. */
  write: LockWrite | undefined

  constructor(world: World, clocks: Clocks) {
    this.#world = world
    this.clocks = clocks
  }

  find(ref: string): Lock | undefined {
    return this.#locks.get(ref)
  }

  hear(fact: Fact): void {
    if (fact.kind === 'process') {
      const { elector } = fact
      if (elector && !this.#locks.has(elector.lock)) this.#locks.set(elector.lock, unlocked(elector.lock))
    } else if (fact.kind === 'asked' && fact.resource === 'leases' && fact.verb === 'update') {
      const lock = this.#locks.get(`${fact.namespace}/${fact.name}`)
      if (lock) limit(lock.sent.set(`${fact.process} ${fact.version}`, fact.at))
    }
  }

  commit({ fact, writer }: Step): void {
    this.write = undefined
    if (fact.resource !== 'leases') return
    const lock = this.#locks.get(refOf((fact.after ?? fact.before)!))
    if (!lock) return
    const before: Lease | undefined = fact.before
    const after: Lease | undefined = fact.after
    this.replacedAt = lock.recordAt
    const isMoved = !isSameRecord(before?.spec, after?.spec)
    if (isMoved) lock.recordAt = fact.at
    const elector = writer?.elector?.lock === lock.ref ? writer.elector : undefined
    // An operator that empties the Lease of a candidate is judged for it, and disturbs nobody.
    if (!elector && writer?.role !== 'operator' && (isMoved || !after)) lock.disturbedVersion = fact.version
    if (!writer || !elector) return
    const sentAt = lock.sent.get(`${writer.process} ${before?.metadata.resourceVersion}`) ?? fact.at
    const isTaken =
      after?.spec?.holderIdentity === elector.identity && before?.spec?.holderIdentity !== elector.identity
    if (isTaken && !waits(elector)) lock.disturbedVersion = fact.version
    lock.writes.set(writer.process, { version: fact.version, sentAt })
    if (after?.spec?.holderIdentity === elector.identity) this.#remember(lock, fact, writer.process)
    this.write = { lock, process: writer, elector, sentAt, before: before?.spec, after: after?.spec }
  }

  /** A renewal may be an acquisition as well, of who held the Lease before and had lost the term. */
  #remember(lock: Lock, { version }: Committed, process: string): void {
    limit(lock.acquisitions.set(version, process))
  }

  /** Of those that run. */
  electorsOf(ref: string): readonly Process[] {
    return [...this.#world.processes.values()].filter(({ elector, runs }) => runs && elector?.lock === ref)
  }

  all(): Iterable<Lock> {
    return this.#locks.values()
  }
}

export function isOurs({ ours = true }: Elector): boolean {
  return ours
}

export function waits(elector: Elector): boolean {
  return elector.waits ?? isOurs(elector)
}

export function fences(elector: Elector): boolean {
  return elector.fences ?? isOurs(elector)
}

export function counts(elector: Elector): boolean {
  return elector.counts ?? isOurs(elector)
}

function unlocked(ref: string): Lock {
  return {
    ref,
    recordAt: undefined,
    disturbedVersion: 0,
    writes: new Map(),
    acquisitions: new Map(),
    sent: new Map(),
  }
}

function limit<K>(map: Map<K, unknown>): void {
  if (map.size > MOST_REMEMBERED) map.delete(map.keys().next().value!)
}

function isSameRecord(a: LeaseSpec | undefined, b: LeaseSpec | undefined): boolean {
  return (
    a?.holderIdentity === b?.holderIdentity &&
    a?.renewTime === b?.renewTime &&
    a?.acquireTime === b?.acquireTime &&
    a?.leaseTransitions === b?.leaseTransitions &&
    a?.leaseDurationSeconds === b?.leaseDurationSeconds
  )
}
