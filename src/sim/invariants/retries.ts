import type { Asked, Fact } from './facts.ts'
import { isWrite } from './permitted.ts'
import type { Invariant, Report } from './rule.ts'

/** In a row: at once, then after 2, 4, 8 ms and so on up to half a second, each between a half and the whole of it. */
const MOST_FAILURES = 20
const WINDOW_MILLIS = 1000

/**
 * I14, of what fails: a process that is refused, or gets no answer, tries ever later: of one object at most 20 of its writes
 * come to nothing within a second of true time (a clock that goes twice as fast is given twice as many). Judged for
 * processes whose answers are told.
 */
export class Retries implements Invariant {
  readonly #report: Report
  readonly #asked = new Map<string, Asked>()
  /** By process and object: when writes failed lately. */
  readonly #failures = new Map<string, number[]>()
  readonly #fastestRate = new Map<string, number>()

  constructor(report: Report) {
    this.#report = report
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
      if (asked && (fact.code === 0 || fact.code >= 400)) this.#fail(asked, fact.at)
    } else if (fact.kind === 'process' && !fact.runs) {
      for (const [key, { process }] of this.#asked) if (process === fact.process) this.#asked.delete(key)
    }
  }

  #fail({ process, resource, namespace, name }: Asked, at: number): void {
    const key = `${process} ${resource} ${namespace}/${name}`
    let failures = this.#failures.get(key)
    if (!failures) this.#failures.set(key, (failures = []))
    failures.push(at)
    while (failures[0]! <= at - WINDOW_MILLIS) failures.shift()
    if (failures.length <= MOST_FAILURES * (this.#fastestRate.get(process) ?? 1)) return
    this.#report('I14', process, `${failures.length} writes to ${resource} ${namespace}/${name} failed within a second`)
    failures.length = 0
  }
}
