import type { Answered, Asked, Fact } from './facts.ts'
import { isWrite } from './permitted.ts'
import type { Invariant, Report } from './rule.ts'
import type { Step } from './world.ts'

/** In a row: at once, then after 2, 4, 8 ms and so on up to half a second, each between a half and the whole of it. */
const MOST_FAILURES = 20
const WINDOW_MILLIS = 1000
const CONFLICT = 409

/**
 * I14, of what fails: a process that is refused, or gets no answer, tries ever later: of one object at most 20 of its writes
 * come to nothing within a second of true time (a clock that goes twice as fast is given twice as many). Judged for
 * processes whose answers are told.
 *
 * Not counted: a conflict with what another operator wrote. Two that both act, and see the world differently, may undo each
 * other's steps for as long as they do; each of them gets ahead then, and begins anew with no patience used up.
 */
export class Retries implements Invariant {
  readonly #report: Report
  readonly #asked = new Map<string, Asked>()
  /** By process and object: when writes failed lately. */
  readonly #failures = new Map<string, number[]>()
  readonly #fastestRate = new Map<string, number>()
  /** By object: which operator wrote it last; absent: somebody else did. */
  readonly #writers = new Map<string, string>()

  constructor(report: Report) {
    this.#report = report
  }

  commit({ fact, author }: Step): void {
    const { resource, after, before, by } = fact
    const { namespace, name } = (after ?? before)!.metadata
    const key = `${resource} ${namespace}/${name}`
    if (author === 'operator' && by !== undefined && after) this.#writers.set(key, by)
    else this.#writers.delete(key)
  }

  hear(fact: Fact): void {
    if (fact.kind === 'rate') {
      const fastest = this.#fastestRate.get(fact.process) ?? 1
      this.#fastestRate.set(fact.process, Math.max(fastest, fact.rate))
    } else if (fact.kind === 'asked' && isWrite(fact)) {
      this.#asked.set(`${fact.process} ${fact.request}`, fact)
    } else if (fact.kind === 'answered') {
      const key = `${fact.process} ${fact.request}`
      const asked = this.#asked.get(key)
      this.#asked.delete(key)
      if (asked && (fact.code === 0 || fact.code >= 400) && !this.#isOvertaken(asked, fact)) this.#fail(asked, fact.at)
    } else if (fact.kind === 'process' && !fact.runs) {
      for (const [key, { process }] of this.#asked) if (process === fact.process) this.#asked.delete(key)
    }
  }

  #isOvertaken(asked: Asked, { code }: Answered): boolean {
    const writer = this.#writers.get(nameOf(asked))
    return code === CONFLICT && writer !== undefined && writer !== asked.process
  }

  #fail(asked: Asked, at: number): void {
    const { process } = asked
    const object = nameOf(asked)
    const key = `${process} ${object}`
    let failures = this.#failures.get(key)
    if (!failures) this.#failures.set(key, (failures = []))
    failures.push(at)
    while (failures[0]! <= at - WINDOW_MILLIS) failures.shift()
    if (failures.length <= MOST_FAILURES * (this.#fastestRate.get(process) ?? 1)) return
    this.#report('I14', process, `${failures.length} writes to ${object} failed within a second`)
    failures.length = 0
  }
}

/** What is created is named in its body alone. */
function nameOf({ resource, namespace, name, body }: Asked): string {
  const { metadata } = (body ?? {}) as { readonly metadata?: { readonly name?: string } }
  return `${resource} ${namespace}/${name ?? metadata?.name}`
}
