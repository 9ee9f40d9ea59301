import type { Fact } from './facts.ts'
import type { Rule } from './violation.ts'
import type { Step } from './world.ts'

/** Says what is wrong, once for each thing that is. The judge knows when and at which version. */
export type Report = (rule: Rule, subject: string, text: string) => void

export interface Missing {
  readonly rule: Rule
  readonly subject: string
  readonly text: string
}

/** One rule, or a few that go together. It remembers per group, per Lease and per process, and never looks at all of them. */
export interface Invariant {
  /** Before each fact: nothing was told between the last one and this time. */
  reach?(at: number): void
  /** After each commit, with what it changed. */
  commit?(step: Step): void
  /** Each other fact. */
  hear?(fact: Fact): void
  /** What must come about in time and has not come about by now, whether or not it is due. */
  missing?(at: number): readonly Missing[]
}
