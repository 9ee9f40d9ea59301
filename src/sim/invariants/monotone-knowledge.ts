import type { LeaderGroup } from '../../group/leadergroup.ts'
import type { KubeObject } from '../../kube/objects.ts'
import type { Answered, Asked, Fact } from './facts.ts'
import type { Knowledge } from './knowledge.ts'
import { isOurs } from './locks.ts'
import { isWrite } from './permitted.ts'
import type { Invariant, Report } from './rule.ts'
import { groupOf, refOf } from './wire.ts'
import type { Step, World } from './world.ts'

/** Of these objects a process acts on the version that it knows. */
const JUDGED: readonly string[] = ['pods', 'leases', 'leadergroups']

interface Wish {
  readonly process: string
  readonly subject: string
  readonly uid: string
}

interface Written {
  readonly uid: string
  readonly version: number
  readonly at: number
}

/**
 * I7: who knows more does not act on less.
 *
 * - A write of an operator, or of an elector of this library, names a version; and of the same object (by UID) never an older
 *   one than it named before, or than its own write was answered with before this instant (one of a pod that another group
 *   shares: for the same group, since groups decide side by side). What it was shown otherwise, by a watch or a list, may
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
  /** By process and request, of writes that were not answered yet: what they are about. */
  readonly #asked = new Map<string, Wish>()
  /** By process, and what it wrote: the version that the answer told of. */
  readonly #written = new Map<string, Map<string, Written>>()
  /** Writes that named a version although a newer one had been shown. */
  outdated = 0

  constructor(world: World, knowledge: Knowledge, report: Report) {
    this.#world = world
    this.#knowledge = knowledge
    this.#report = report
  }

  hear(fact: Fact): void {
    if (fact.kind === 'process') this.#forget(fact.process)
    else if (fact.kind === 'answered') this.#followAnswer(fact)
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
    this.#judgeOwn(asked, uid, version)
    const known = this.#knowledge.find(process, key)
    if (known?.uid === uid && version < this.#knowledge.versionBefore(process, key, at)) this.outdated++
  }

  /** What it wrote itself it knows, and for one group it does one thing after the other. */
  #judgeOwn(asked: Asked, uid: string, version: number): void {
    const { process, request, verb, resource, namespace = '', name, at, body } = asked
    const subject = `${resource} ${namespace}/${name}${groupOfKeys(body)}`
    const own = this.#written.get(process)?.get(subject)
    if (own?.uid === uid && own.at < at && version < own.version) {
      this.#report(
        'I7',
        process,
        `${verb} of ${subject} names version ${version}, and its own write made ${own.version}`,
      )
    }
    if (verb !== 'delete') this.#asked.set(`${process} ${request}`, { process, subject, uid })
  }

  #followAnswer({ process, request, version, at }: Answered): void {
    const key = `${process} ${request}`
    const wish = this.#asked.get(key)
    this.#asked.delete(key)
    if (!wish || version === undefined) return
    let written = this.#written.get(process)
    if (!written) this.#written.set(process, (written = new Map()))
    const last = written.get(wish.subject)
    if (last?.uid !== wish.uid || last.version < version) written.set(wish.subject, { uid: wish.uid, version, at })
  }

  #forget(process: string): void {
    this.#named.delete(process)
    this.#written.delete(process)
    for (const [key, wish] of this.#asked) if (wish.process === process) this.#asked.delete(key)
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

/** Of a patch of a pod: for which group. */
function groupOfKeys(body: object | undefined): string {
  const { labels, annotations } = ((body ?? {}) as { readonly metadata?: KubeObject['metadata'] }).metadata ?? {}
  const keys = [...Object.keys(labels ?? {}), ...Object.keys(annotations ?? {})]
  const groups = keys.map(groupOf).filter((group) => group !== undefined)
  return groups.length > 0 ? ` for ${groups[0]}` : ''
}
