/** What a run on nodes has measured, as `docs/nodes.json` keeps it. */
import type { Crowd } from './crowd.ts'
import type { ImageFacts } from './image-facts.ts'
import type { Cost } from './measure.ts'

export interface Report {
  readonly at: string
  readonly machine: string
  readonly kubernetes: string
  readonly image: ImageFacts | undefined
  readonly rows: readonly Row[]
  readonly crowd: Crowd | undefined
  readonly deaths: readonly Death[]
}

export interface Row {
  readonly scenario: string
  readonly title: string
  readonly setting: string
  readonly costs: readonly Cost[]
  /** Of the machine, one minute's average, when it was measured. */
  readonly load: number
}

/** A way to die, or only to seem dead, and what the operator made of it. */
export interface Death {
  readonly title: string
  /** It emptied the Lease of the dead holder. */
  readonly released: boolean
  /** From the event to the first answer of the next leader, in milliseconds. */
  readonly takeoverMillis: number
  readonly load: number
}
