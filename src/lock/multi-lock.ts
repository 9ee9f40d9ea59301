import { jointRecord } from '../election/joint-record.ts'
import type { LockRules } from '../election/lock-rules.ts'
import { isSameWrite, type LeaseRecord, type Versioned } from '../election/record.ts'
import { isNewer } from '../election/version.ts'
import { ElectionError } from './errors.ts'
import type { Lock } from './lock.ts'
import { merged } from './merged.ts'

/**
 * Two locks as one, to move an electorate from `primary` to `secondary`: candidates that know only the primary, only the
 * secondary, or both, never lead beside one another, as long as no two of them know different ones alone.
 *
 * Its order is that of client-go's MultiLock: the primary is read and written first. Where the two name different holders
 * the holder is `leaderelection.k8s.io/unknown`, and must be silent like any other. A write to the secondary is a
 * compare-and-swap too, where client-go overwrites whoever came in between.
 *
 * Fencing tokens keep their order through the migration: both objects live in one etcd, whose versions count all writes.
 * A cluster that keeps the two types in different etcds is noticed, and refused.
 */
export function multiLock(primary: Lock, secondary: Lock): Lock {
  return new MultiLock(primary, secondary)
}

type Side = 'primary' | 'secondary'
const SIDES: readonly Side[] = ['primary', 'secondary']

/** The versions of the two that a joint version stands for; undefined: absent. */
type Pair = Record<Side, string | undefined>

/** Joint versions that a write may name. More than one, because a watch runs beside the requests. */
const KEPT_PAIRS = 4

/** Writes of ours that may have got half way. */
const KEPT_RECORDS = 12

/** Writes that were begun and not known to be complete: of them the primary may bear the first half. */
interface Half {
  /** The primary when they began. */
  readonly before: Versioned | 'absent' | undefined
  readonly records: readonly LeaseRecord[]
}

class MultiLock implements Lock {
  readonly describe: string
  readonly rules: Partial<LockRules>
  readonly watch?: (signal: AbortSignal) => AsyncIterable<Versioned | 'absent'>
  readonly #sides: Readonly<Record<Side, KnownLock>>
  readonly #pairs = new Map<string, Pair>()
  /** What was told last, in words, and its version. */
  #told: { readonly words: string; readonly version: string } | undefined
  #half: Half | undefined
  #isWriting = false
  #refused: string | undefined

  constructor(primary: Lock, secondary: Lock) {
    this.describe = `${primary.describe} with ${secondary.describe}`
    if (primary.rules?.coordinated || secondary.rules?.coordinated) {
      throw new TypeError(`${this.describe}: a coordinated lock cannot be one of two`)
    }
    this.rules = { mayCreate: [primary, secondary].every(({ rules }) => rules?.mayCreate !== false) }
    this.#sides = { primary: new KnownLock(primary), secondary: new KnownLock(secondary) }
    if (primary.watch && secondary.watch) this.watch = (signal) => this.#watch(signal)
  }

  async close(): Promise<void> {
    for (const side of SIDES) await this.#sides[side].close()
  }

  async read(signal: AbortSignal): Promise<Versioned | 'absent'> {
    for (const side of SIDES) await this.#sides[side].read(signal)
    return this.#joint() ?? 'absent'
  }

  async write(next: LeaseRecord, version: string | undefined, signal: AbortSignal): Promise<Versioned | 'conflict'> {
    if (version !== undefined && !this.#pairs.has(version)) await this.read(signal)
    const pair = version === undefined ? { primary: undefined, secondary: undefined } : this.#pairs.get(version)
    if (!pair) return 'conflict'
    this.#begin(next)
    try {
      for (const side of SIDES) {
        const before = this.#other(side).newest
        const written = await this.#sides[side].write(next, pair[side], signal)
        if (written === 'conflict') return written
        // One that gets no further is tried again under the joint version that it began with.
        pair[side] = written.version
        this.#checkCounter(written.version, before)
      }
    } finally {
      this.#isWriting = false
    }
    this.#half = undefined
    const joint = this.#joint()
    // Somebody has changed one of the two since, and a watch was faster than this answer.
    return joint && joint !== 'absent' && isSameWrite(joint.record, next) ? joint : 'conflict'
  }

  /** Whatever of our writes is still on its way began where this one begins, or on top of another of them. */
  #begin(next: LeaseRecord): void {
    this.#isWriting = true
    const { state, version } = this.#sides.primary
    const isAgain = this.#half !== undefined && (versionOf(this.#half.before) === version || this.#isHalfWritten())
    const { before, records } = isAgain ? this.#half! : { before: state, records: [] }
    this.#half = { before, records: [...records, next].slice(-KEPT_RECORDS) }
  }

  async *#watch(parent: AbortSignal): AsyncGenerator<Versioned | 'absent', void, void> {
    const leaving = new AbortController()
    const signal = AbortSignal.any([parent, leaving.signal])
    const streams = SIDES.map((side) => this.#sides[side].changes(signal))
    for await (const _change of merged(streams, () => leaving.abort())) {
      // While both are being created, there is nothing to tell of the first alone.
      const joint = this.#isWriting && this.#isHalfCreated() ? undefined : this.#joint()
      if (joint !== undefined) yield joint
    }
  }

  /** The primary bears a write of ours, and the secondary none. */
  #isHalfWritten(): boolean {
    const { primary, secondary } = this.#sides
    const isOurs = (record: LeaseRecord | undefined): boolean =>
      record !== undefined && this.#half!.records.some((begun) => isSameWrite(begun, record))
    return this.#half !== undefined && isOurs(primary.record) && !isOurs(secondary.record)
  }

  /**
   * What counts of the primary: a write of ours that got half way has not happened, until it is complete. Where there was
   * nothing before it there is something now, though: it cannot be created again.
   */
  #effective(): Versioned | 'absent' | undefined {
    return !this.#half || !this.#isHalfWritten() || this.#isHalfCreated()
      ? this.#sides.primary.state
      : this.#half.before
  }

  #isHalfCreated(): boolean {
    return this.#isHalfWritten() && this.#half?.before === 'absent' && this.#sides.secondary.state === 'absent'
  }

  /**
   * What is known of both, as one. Its version is the higher of theirs: so it is that of the second write for a record of
   * ours. It also grows when one of them is deleted, which takes up a version of its own in etcd.
   */
  #joint(): Versioned | 'absent' | undefined {
    const { primary, secondary } = this.#sides
    const first = this.#effective()
    if (first === undefined || secondary.state === undefined) return undefined
    const record = jointRecord(first === 'absent' ? undefined : first.record, secondary.record)
    if (!record) {
      this.#told = this.#told && { ...this.#told, words: '' }
      return 'absent'
    }
    const version = this.#tell(
      JSON.stringify([record, first === 'absent' ? null : first.version, secondary.version ?? null]),
    )
    this.#keep(version, { primary: primary.version, secondary: secondary.version })
    const refused = this.#refused ?? primary.refused ?? secondary.refused
    return { record, version, ...(refused === undefined ? {} : { refused }) }
  }

  #tell(words: string): string {
    if (words === this.#told?.words) return this.#told.version
    const { primary, secondary } = this.#sides
    const after = this.#told === undefined ? [] : [String(BigInt(this.#told.version) + 1n)]
    const version = highest([primary.version, secondary.version, ...after])
    this.#told = { words, version }
    return version
  }

  #keep(version: string, pair: Pair): void {
    this.#pairs.delete(version)
    this.#pairs.set(version, pair)
    for (const oldest of this.#pairs.keys()) {
      if (this.#pairs.size <= KEPT_PAIRS) break
      this.#pairs.delete(oldest)
    }
  }

  #other(side: Side): KnownLock {
    return this.#sides[side === 'primary' ? 'secondary' : 'primary']
  }

  /** A write comes after all that was known of the other one before it, if both are counted by one etcd. */
  #checkCounter(version: string, before: string | undefined): void {
    if (before === undefined || isNewer(version, before)) return
    this.#refused = `${this.describe}: their versions are not of one etcd, so nobody can tell which is later`
    throw new ElectionError('invalid', this.#refused)
  }
}

/** One of the two, and the newest that is known of it, whichever way it came. */
class KnownLock {
  /** Undefined before the first word of it. */
  state: Versioned | 'absent' | undefined
  /** Outlives the object. */
  newest: string | undefined
  readonly #lock: Lock
  /** How often something was heard: whether a read is the last word. */
  #heard = 0

  constructor(lock: Lock) {
    this.#lock = lock
  }

  async close(): Promise<void> {
    await this.#lock.close?.()
  }

  get record(): LeaseRecord | undefined {
    return this.state === 'absent' ? undefined : this.state?.record
  }

  get version(): string | undefined {
    return versionOf(this.state)
  }

  get refused(): string | undefined {
    return this.state === 'absent' ? undefined : this.state?.refused
  }

  async read(signal: AbortSignal): Promise<void> {
    const before = this.#heard
    const found = await this.#lock.read(signal)
    if (found !== 'absent') return this.#learn(found)
    if (this.#heard === before) this.state = 'absent'
  }

  async write(next: LeaseRecord, version: string | undefined, signal: AbortSignal): Promise<Versioned | 'conflict'> {
    const written = await this.#lock.write(next, version, signal)
    if (written !== 'conflict') this.#learn(written)
    return written
  }

  /** Learns, and tells each time that it did. */
  async *changes(signal: AbortSignal): AsyncGenerator<void, void, void> {
    for await (const found of this.#lock.watch?.(signal) ?? []) {
      // A deletion carries no version: it may be one of before a creation that is known already.
      if (found === 'absent') await this.read(signal)
      else this.#learn(found)
      yield
    }
  }

  #learn(found: Versioned): void {
    this.#heard++
    if (this.newest !== undefined && isNewer(this.newest, found.version)) return
    // A late word of an object that is gone.
    if (this.state === 'absent' && this.newest === found.version) return
    this.state = found
    this.newest = found.version
  }
}

function versionOf(state: Versioned | 'absent' | undefined): string | undefined {
  return state === 'absent' ? undefined : state?.version
}

function highest(versions: readonly (string | undefined)[]): string {
  return versions.reduce<string>(
    (best, version) => (version !== undefined && isNewer(version, best) ? version : best),
    '0',
  )
}
