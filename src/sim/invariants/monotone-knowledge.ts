import type { LeaderGroup } from '../../group/leadergroup.ts'
import type { Asked, Fact } from './facts.ts'
import type { Knowledge } from './knowledge.ts'
import { isOurs } from './locks.ts'
import { isWrite } from './permitted.ts'
import type { Invariant, Report } from './rule.ts'
import { refOf } from './wire.ts'
import type { Step, World } from './world.ts'

/** Of these objects a process acts on the version that it knows. */
const JUDGED: readonly string[] = ['pods', 'leases', 'leadergroups']

/**
 * I7: who knows more does not act on less.
 *
 * - A write of an operator, or of an elector of this library, names a version; and of the same object (by UID) never an older
 *   one than it named before, or than its own write was answered with. What it was shown otherwise, by a watch or a list, may
 *   come while the other steps of one decision are under way: that the write is then refused is why it names a version at
 *   all, and it is counted (`outdated`), not judged.
 * - In mode Observe the gate never follows an older version of the Lease (by UID) than it did.
 *
 * That a restart begins with a complete list is how this is kept, and is not judged apart: a process that has just begun
 * knows nothing, and whatever it writes is judged by the other rules.
 */
export class MonotoneKnowledge implements Invariant {
  readonly #world: World
  readonly #knowledge: Knowledge
  readonly #report: Report
  /** By process and object: the version that it named last, or was answered with. */
  readonly #named = new Map<string, Map<string, { readonly uid: string; readonly version: number }>>()
  /** Writes that named a version although a newer one had been shown. */
  outdated = 0

  constructor(world: World, knowledge: Knowledge, report: Report) {
    this.#world = world
    this.#knowledge = knowledge
    this.#report = report
  }

  hear(fact: Fact): void {
    if (fact.kind === 'process') this.#named.delete(fact.process)
    else if (fact.kind === 'asked' && JUDGED.includes(fact.resource) && isWrite(fact)) this.#followRequest(fact)
  }

  #followRequest(asked: Asked): void {
    const { process, verb, resource, namespace = '', name, uid, version, at } = asked
    const its = this.#world.processes.get(process)
    if (!its || (its.role === 'candidate' && !(its.elector && isOurs(its.elector)))) return
    if (verb === 'create' || name === undefined) return
    const key = `${resource} ${namespace}/${name}`
    if (version === undefined || uid === undefined) {
      if (its.role === 'operator') this.#report('I7', process, `${verb} of ${key} names no version, or no UID`)
      return
    }
    let named = this.#named.get(process)
    if (!named) this.#named.set(process, (named = new Map()))
    const last = named.get(key)
    if (last?.uid === uid && version < last.version) {
      this.#report('I7', process, `${verb} of ${key} names version ${version}, after ${last.version}`)
    }
    if (last?.uid !== uid || version > last.version) named.set(key, { uid, version })
    const known = this.#knowledge.find(process, key)
    if (known?.uid === uid && version < this.#knowledge.versionBefore(process, key, at)) this.outdated++
  }

  commit({ fact, author }: Step): void {
    if (fact.resource !== 'leadergroups' || author !== 'operator') return
    const before = fact.before as LeaderGroup | undefined
    const after = fact.after as LeaderGroup | undefined
    if (!after || before?.metadata.uid !== after.metadata.uid) return
    const [was, is] = [before?.status?.leaseVersion, after.status?.leaseVersion].map((text) => text?.split('/') ?? [])
    if (was![0] === is![0] && Number(is![1]) < Number(was![1])) {
      this.#report('I7', refOf(after), `the gate follows version ${is![1]} of the Lease, after ${was![1]}`)
    }
  }
}
